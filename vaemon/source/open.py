"""From an address to a source: the one place that knows which kind of source serves it."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from vaemon.errors import nearest
from vaemon.runfile.find import LATEST, check_name, find_run, is_path, is_run, latest_run, list_runs, runs_folder
from vaemon.runfile.selection import select
from vaemon.source.lazy import LazySource
from vaemon.source.protocol import Source


def open_source(address: str | None, runs: str | Path | None = None) -> Source:
    """Open a run that exists.

    Args:
        address: a run's name, a path to its folder, or `latest` or None for the run written to last.
        runs: the folder of runs; default $VAEMON_RUNS, else `runs/`.

    Raises:
        UnknownName, UsageError: there is no such run.
    """
    return _local(find_run(address, runs_folder(runs)))


def await_source(address: str | None, runs: str | Path | None = None) -> Source:
    """Open a run that may not have begun yet; without an address, or with `latest`, whatever run begins first.

    Raises:
        UnknownName: there is no such run, but one of nearly that name: most likely a slip of the pen.
        BadRunName: no run can have that name.
    """
    folder = runs_folder(runs)
    if address is None or address == LATEST:
        begun = latest_run(folder) is not None
        return _local(find_run(address, folder)) if begun else _local(folder, newest=True)
    if is_path(address):
        return _local(Path(address).expanduser())
    if not is_run(folder / check_name(address)) and nearest(address, [each.name for each in list_runs(folder)]):
        find_run(address, folder)
    return _local(folder / address)


def open_all(runs: str | Path | None = None, patterns: Sequence[str] = ()) -> list[tuple[str, Source]]:
    """The name and the source of the runs below RUNS that fit one of the patterns, by default all; newest first."""
    folders = list_runs(runs_folder(runs))
    return [(folder.name, _local(folder)) for folder in select(folders, patterns or ["*"])]


def _local(folder: Path, *, newest: bool = False) -> Source:
    return LazySource(partial(_open_local, folder, newest))


def _open_local(folder: Path, newest: bool) -> Source:
    from vaemon.source.local import LocalSource

    return LocalSource(folder, newest=newest)
