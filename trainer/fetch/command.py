"""`vaemon data`: a dataset from where it is published to a folder."""

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from trainer.fetch.catalogue import CATALOGUE, File, Published
from vaemon.errors import NotFetched, UnknownName

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


def _complete_name(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    return [name for name in CATALOGUE if name.startswith(incomplete)]


@click.command("data", short_help="Fetch a dataset from where it is published.")
@click.argument("name", shell_complete=_complete_name)
@click.option("--to", metavar="DIR", help="Folder to fetch it to; by default data/NAME.")
def data(name: str, to: str | None) -> None:
    """Fetch the dataset NAME from where it is published: mnist, fashion, cifar10 or celeba.

    Over HTTPS, against checksums that are part of vaemon. What is there and whole is not fetched again; a download that
    was cut goes on where it was. CelebA is not given out without a browser: you are told which files to fetch from
    where, and those that are there are checked.
    """
    if name not in CATALOGUE:
        raise UnknownName("dataset", name, CATALOGUE, f"those that can be fetched are {', '.join(CATALOGUE)}")
    published = CATALOGUE[name]
    folder = Path(os.path.expanduser(to)) if to else Path("data") / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if published.mirrors:
            _fetch(published, folder)
        else:
            _check_by_hand(published, folder)
    except OSError as error:
        raise NotFetched(f"cannot write to {error.filename or folder}: {error.strerror or error}") from error
    click.echo(f"{published.title} is in {folder}; {published.train.format(folder)}")


def _fetch(published: Published, folder: Path) -> None:
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    from trainer.fetch.download import Unreachable, fetch

    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(TextColumn("{task.description}"), *columns) as progress:
        for file in published.files:
            task = progress.add_task(file.name, total=file.size)
            show = partial(_show, progress, task)
            try:
                new = fetch(file, published.mirrors, folder, show)
            except Unreachable as error:
                raise NotFetched(f"{error}\n{_by_hand(published, folder)}") from error
            progress.update(task, completed=file.size)
            progress.console.print(f"{file.name}: {'fetched' if new else 'is there'}, checksum right", highlight=False)


def _show(progress: "Progress", task: "TaskID", done: int) -> None:
    progress.update(task, completed=done)


def _by_hand(published: Published, folder: Path) -> str:
    """What to do where this machine does not come to the mirrors."""
    lacking = [file for file in published.files if not (folder / file.name).exists()]
    addresses = [f"  {published.mirrors[0]}{file.name}  {file.size:,} bytes" for file in lacking]
    return "\n".join(["By hand: fetch", *addresses, *_put([file.name for file in lacking], folder)])


def _put(names: Sequence[str], folder: Path) -> tuple[str, ...]:
    last = "it is checked then" if len(names) == 1 else "they are checked then"
    return f"Put {' and '.join(names)} into", f"  {folder.absolute()}", f"and say the same again: {last}."


def _check_by_hand(published: Published, folder: Path) -> None:
    lacking = [file for file in published.files if not _is_there(file, folder)]
    if lacking:
        raise NotFetched("\n".join((published.by_hand, *_put([file.name for file in lacking], folder))))


def _is_there(file: File, folder: Path) -> bool:
    from trainer.fetch.download import verify

    if not (folder / file.name).exists():
        return False
    verify(file, folder / file.name)
    click.echo(f"{file.name}: is there, checksum right")
    return True
