"""`vaemon rm`: runs, and all that is recorded of them, away."""

import sys
from pathlib import Path

import click

from vaemon.commands.completion import complete_run
from vaemon.errors import RunFileError, UsageError, VaemonError
from vaemon.view.signs import harmless


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="RUN...", shell_complete=complete_run)
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--runs", metavar="DIR", help="The folder of runs; default $VAEMON_RUNS, else ./runs.")
def rm(names: tuple[str, ...], yes: bool, runs: str | None) -> None:
    """Remove runs for good: rows, checkpoints, whatever else lies in their folders.

    RUN is a run's name, a path to its folder, `latest`, or a pattern of names: 'cifar*', in quotes.

    All of them are looked at before the first is removed: one that does not exist or is being recorded, and none is.
    Of a run that is a symbolic link, only the link is removed.
    """
    from vaemon.runfile.find import runs_folder
    from vaemon.runfile.housekeeping import check_removable
    from vaemon.runfile.selection import find_all

    folders = find_all(names, runs_folder(runs))
    check_removable(folders)
    if not yes:
        _ask(folders)
        check_removable(folders)  # a person may take long to answer
    for i, folder in enumerate(folders):
        try:
            click.echo(harmless(_remove(folder)))
        except VaemonError as error:
            left = ", ".join(each.name for each in folders[i + 1 :])
            raise RunFileError(f"{error}. Not removed: {left}" if left else str(error)) from error


def _ask(folders: list[Path]) -> None:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError("there is no terminal to ask on: --yes removes without asking; nothing was removed")
    for folder in folders:
        click.echo(harmless(f"  {_described(folder)}"), err=True)
    what = "this run" if len(folders) == 1 else f"these {len(folders)} runs"
    if not click.confirm(f"Remove {what} for good?", err=True):
        click.echo("nothing was removed", err=True)
        sys.exit(1)


def _described(folder: Path) -> str:
    """What a person is asked about: name, size, state, steps."""
    from vaemon.commands.summary import size_of, size_words, summarise
    from vaemon.source.open import open_source
    from vaemon.view.summary import steps_words

    line = summarise(folder.name, open_source(str(folder))).line
    fares = line["state"]
    if fares != "unreadable":
        fares += f", step {steps_words(line['step'], line['total_steps'])}"
    if folder.is_symlink():
        return f"{folder.name}  only the link to {folder.resolve()}  ({fares})"
    return f"{folder.name}  {size_words(size_of(folder))}  {fares}"


def _remove(folder: Path) -> str:
    from vaemon.commands.summary import size_of, size_words
    from vaemon.runfile.housekeeping import remains, remove

    if folder.is_symlink():
        target = folder.resolve()
        remove(folder)
        return f"removed the link {folder.name}; the run that it led to is still there: {target}"
    size = size_of(folder)
    try:
        remove(folder)
    except KeyboardInterrupt:
        for each in remains(folder):
            click.echo(harmless(f"what is left of {folder.name} lies in {each}: delete that by hand"), err=True)
        raise
    return f"removed {folder.name} ({size_words(size)})"
