"""`vaemon data`: a dataset from where it is published to a folder."""

from pathlib import Path

import click

from trainer.fetch.catalogue import CATALOGUE, File, Published
from vaemon.errors import NotFetched, UnknownName


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
    folder = Path(to).expanduser() if to else Path("data") / name
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

    from trainer.fetch.download import fetch

    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(TextColumn("{task.description}"), *columns) as progress:
        for file in published.files:
            task = progress.add_task(file.name, total=file.size)
            new = fetch(
                file,
                published.mirrors,
                folder,
                lambda done, task=task: progress.update(task, completed=done),  # type: ignore[misc]
            )
            progress.update(task, completed=file.size)
            progress.console.print(f"{file.name}: {'fetched' if new else 'is there'}, checksum right", highlight=False)


def _check_by_hand(published: Published, folder: Path) -> None:
    lacking = [file for file in published.files if not _is_there(file, folder)]
    if lacking:
        names = " and ".join(file.name for file in lacking)
        raise NotFetched(
            f"{published.by_hand}\nPut {names} into\n  {folder.absolute()}\nand say the same again: it is checked then."
        )


def _is_there(file: File, folder: Path) -> bool:
    from trainer.fetch.download import verify

    if not (folder / file.name).exists():
        return False
    verify(file, folder / file.name)
    click.echo(f"{file.name}: is there, checksum right")
    return True
