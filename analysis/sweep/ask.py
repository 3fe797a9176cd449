"""One question to every member of a sweep."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from analysis.question import Question, Told, answer
from analysis.sweep.report import Found, Setting, SweepReport
from vaemon.errors import DataNotFound, VaemonError
from vaemon.runfile.find import is_run
from vaemon.runfile.sweeps import Member, Sweep
from vaemon.source.open import open_source

Progress = Callable[[str], AbstractContextManager[Told]]
"""Takes the name of a run; what it gives is told how many of its images are encoded."""


def answer_all(sweep: Sweep, runs: Path, question: Question, progress: Progress) -> SweepReport:
    """Ask every member that has begun.

    Raises:
        DataNotFound: `question.data` is given, but is not what a run needs.
        VaemonError: no member gives anything.
    """
    settings = tuple(
        Setting(setting, tuple(_ask(member, runs, question, progress) for member in members))
        for setting, members in sweep.by_setting()
    )
    found = SweepReport(sweep.name, sweep.preset, question.stage, question.reports, question.as_published, settings)
    if not found.kinds:
        reasons = "; ".join(dict.fromkeys(f"{each.run}: {each.reason}" for each in found.members))
        raise VaemonError(f"nothing to analyze in sweep {sweep.name!r}: {reasons}")
    return found


def _ask(member: Member, runs: Path, question: Question, progress: Progress) -> Found:
    if not is_run(runs / member.run):
        why = f": {member.reason}" if member.reason else ""
        return Found(member.run, member.seed, member.state, None, f"it has not begun{why}")
    source = open_source(str(runs.absolute() / member.run))
    try:
        with progress(member.run) as told:
            report = answer(source, question, told)
        return Found(member.run, member.seed, report.state, report)
    except DataNotFound:
        raise
    except VaemonError as error:
        return Found(member.run, member.seed, member.state, None, str(error))
    finally:
        source.close()
