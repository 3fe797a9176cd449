"""What the commands of the analysis have in common: options that exclude each other, runs of this machine, printing.

Imports nothing heavy before it is called, as analysis/command.py.
"""

import csv
import json
import sys
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import NoReturn, TypeVar

import click
from click.core import ParameterSource

from vaemon.errors import UsageError, VaemonError
from vaemon.view.signs import harmless

Found = TypeVar("Found")

IMAGES = 10_000
"""Of a set of images where nobody says how many: what published figures are of."""


def refuse_others(asked: str, going: Collection[str]) -> None:
    """Refuse further options of the command, which would be passed over without a word.

    Args:
        asked: the option that asks for the answer, without its dashes.
        going: names of the parameters that go with it.

    Raises:
        UsageError: there are others.
    """
    context = click.get_current_context()
    others = (each for each in context.command.params if each.name and each.name not in going)
    given = [
        each.opts[0] for each in others if context.get_parameter_source(str(each.name)) is ParameterSource.COMMANDLINE
    ]
    if given:
        raise UsageError(f"--{asked} does not go with {', '.join(given)}: leave one of them out")


def run_folders(named: Sequence[str], runs: Path | None) -> list[Path]:
    """The folders of the runs of this machine that addresses or patterns mean, each once.

    Args:
        named: none means the newest.
        runs: folder of runs; None as everywhere.

    Raises:
        UnknownName, UsageError: there is no such run here.
        VaemonError: it lies on another machine.
    """
    from vaemon.runfile.find import LATEST, runs_folder
    from vaemon.runfile.sweeps import folders
    from vaemon.source.far.address import FarAddress

    found: dict[Path, None] = {}
    for each in named or (LATEST,):
        if FarAddress.parse(each) is not None:
            raise VaemonError(f"{each} lies on another machine, and its networks are not fetched from there; ask there")
        found |= dict.fromkeys(folders(each, runs_folder(runs)))
    return [*found]


def check_trained(folder: Path) -> None:
    """Raise VaemonError where a run has no checkpoints."""
    if not (folder / "checkpoints").is_dir():
        raise VaemonError(f"run {folder.name!r} has no checkpoint; `vaemon train` saves one, a recorder alone does not")


def answer_each(named: Sequence[str], runs: Path | None, answer: Callable[[Path], Found]) -> tuple[list[Found], bool]:
    """The answer of each run with a checkpoint, and whether some have none: what one lacks costs others nothing.

    Raises:
        VaemonError: as of `run_folders`; or the only run has no answer, or none has.
    """
    found, failed = [], list[VaemonError]()
    folders = run_folders(named, runs)
    for folder in folders:
        try:
            check_trained(folder)
            found.append(answer(folder))
        except VaemonError as error:
            failed.append(error)
            if len(folders) > 1:
                say(f"{folder.name}: {error}")
    if not found:
        raise failed[0]
    return found, bool(failed)


def one_form(as_json: bool, as_csv: bool) -> None:
    """Raise UsageError where JSON and CSV are both asked for."""
    if as_json and as_csv:
        raise UsageError("--json and --csv are two ways to write the same: use one of them")


def print_objects(told: Sequence[object]) -> None:
    """JSON to stdout: an object of a run, a list of them where there are several."""
    click.echo(json.dumps(told if len(told) > 1 else told[0], indent=1, allow_nan=False))


def print_lines(lines: Iterable[tuple[str, ...]]) -> None:
    """Lines of CSV to stdout, below the names of their columns."""
    from analysis.columns import COLUMNS

    csv.writer(sys.stdout, lineterminator="\n").writerows([COLUMNS, *lines])


def print_text(text: str, colour: bool = False) -> None:
    """To stdout; in ASCII where that can write no more."""
    from analysis.terminal import fits, to_ascii

    click.echo(harmless(text if fits(text) else to_ascii(text)), nl=False, color=colour)


def finish(failed: Sequence[str], lacking: bool) -> NoReturn:
    """End the command by its exit code: 4 where --fail-if has reasons, which are told; 1 where a run has no answer."""
    for why in failed:
        say(why)
    click.get_current_context().exit(4 if failed else 1 if lacking else 0)


def say(sentence: str) -> None:
    """A sentence beside the figures, to stderr."""
    click.echo(harmless(f"vaemon: {sentence}"), err=True)
