"""From sources and files to reports: one a stage of a run, whatever is asked for, and why a run has none."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from analysis.inputs import stage_of
from analysis.question import Question, Told, answer, answer_of_arrays
from analysis.report import Report
from vaemon.errors import VaemonError
from vaemon.source.protocol import Source


class Answered(NamedTuple):
    """What came of one run, or one file."""

    name: str
    reports: tuple[Report, ...]
    """One a stage; none where nothing can be analyzed."""
    failures: tuple[VaemonError, ...]
    """Why there is no report, or none of one of the stages."""


def answer_each(
    sources: Sequence[tuple[str, Source]], files: Sequence[Path], question: Question, stage: int | None, told: Told
) -> Iterator[Answered]:
    """The reports of every run and file; what one of them lacks costs the others nothing.

    Args:
        sources: runs, each with a name for where it does not tell its own.
        files: of bare arrays.
        question: its stage is not looked at.
        stage: the one asked for; None: all that have rows.
        told: called with the images done of a run's stage, and their number.
    """
    for name, source in sources:
        try:
            numbers = _stages(source, stage)
        except VaemonError as error:
            yield Answered(name, (), (error,))
            continue
        reports, failures = [], []
        for number in numbers:
            try:
                reports.append(answer(source, replace(question, stage=number), told))
            except VaemonError as error:
                failures.append(error)
        yield Answered(name, tuple(reports), tuple(failures))
    for path in files:
        try:
            yield Answered(str(path), (answer_of_arrays(path, question),), ())
        except VaemonError as error:
            yield Answered(str(path), (), (error,))


def _stages(source: Source, asked: int | None) -> list[int]:
    """The stages of a run that have rows and latents, or the one asked for."""
    info = source.info()
    found = [each.number for each in info.stages if each.latents]
    return [stage_of(info, 1 if asked is None else asked).number] if asked is not None or not found else found
