"""`vaemon import`: what other programs recorded, as runs."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vaemon.errors import UsageError, VaemonError
from vaemon.view.signs import harmless

if TYPE_CHECKING:
    from vaemon.exchange.tensorboard.bring import Brought
    from vaemon.exchange.tensorboard.folders import Found


@click.group()
def bring() -> None:
    """Make runs of what another program recorded."""


@bring.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--run", "name", metavar="NAME", help="The run's name, of several what they begin with; default: DIR's.")
@click.option(
    "--map",
    "pairs",
    multiple=True,
    metavar="TAG=CHANNEL",
    help="Which channel a tag becomes: train/nll=mse, z/var=mean_variance; may be repeated.",
)
@click.option("--runs", metavar="DIR", help="The folder of runs; default $VAEMON_RUNS, else ./runs.")
def tensorboard(folder: Path, name: str | None, pairs: tuple[str, ...], runs: str | None) -> int:
    """Import every number of the event files in DIR, and of the folders in it, each of which is a run.

    Nothing is sampled; steps and times are kept. Tags such as loss/kl become the channels that vaemon knows, others
    keep their names. Histograms become quantiles, mean and deviation; hyperparameters the config; texts notes; images,
    with vaemon[images], its images. This takes vaemon[tensorboard].
    """
    from vaemon.exchange.naming import check_chosen, check_there
    from vaemon.exchange.tensorboard.folders import find_runs
    from vaemon.runfile.find import runs_folder
    from vaemon.runfile.housekeeping import refuse_taken

    chosen = dict(_pair(each) for each in pairs)
    check_chosen(chosen)
    place, folder = runs_folder(runs), Path(os.path.expanduser(folder))
    found = find_runs(folder, name)
    for each in found:
        refuse_taken(place / each.name)
    brought, failures = _bring_all(found, folder, place, chosen)
    for failure in failures:
        click.echo(harmless(f"vaemon: {failure}"), err=True)
    if brought and not failures:
        check_there(chosen, frozenset().union(*(each.tags for each in brought)))
    return 1 if failures else 0


def _bring_all(
    found: list["Found"], folder: Path, place: Path, chosen: dict[str, str]
) -> tuple[list["Brought"], list[VaemonError]]:
    """Import runs one by one; one that cannot be, of several, is no reason to leave out the others."""
    from vaemon.exchange.tensorboard.bring import bring as bring_run

    size = sum(path.stat().st_size for each in found for files in each.stages.values() for path in files)
    brought: list[Brought] = []
    failures = []
    with _progress(size) as progress:
        for each in found:
            try:
                brought.append(bring_run(each, folder, place, chosen, progress, strict=len(found) == 1))
            except VaemonError as error:
                if len(found) == 1:
                    raise
                failures.append(error)
                continue
            _report(brought[-1])
    return brought, failures


def _pair(text: str) -> tuple[str, str]:
    tag, equals, channel = text.rpartition("=")
    if not (tag and equals and channel):
        raise UsageError(f"--map {text!r}: say TAG=CHANNEL, as in --map train/nll=mse")
    return tag, channel


def _report(brought: "Brought") -> None:
    many = "" if brought.channels == 1 else "s"
    click.echo(f"{brought.folder}: {brought.rows:,} rows of {brought.channels} channel{many}")
    for line in brought.told:
        click.echo(harmless(f"  {line}"), err=True)


@contextmanager
def _progress(size: int) -> Iterator[Callable[[int], object]]:
    """A bar of the bytes read, where somebody looks on."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda done: None
        return
    with Progress(BarColumn(), DownloadColumn(), TimeRemainingColumn(), console=console, transient=True) as bar:
        task = bar.add_task("", total=size)
        yield lambda done: bar.advance(task, done)
