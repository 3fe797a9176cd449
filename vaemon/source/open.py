"""From an address to a source: the one place that knows which kind of source serves it."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from vaemon.errors import SourceLost, nearest
from vaemon.runfile.find import LATEST, check_name, find_run, is_path, is_run, latest_run, list_runs, runs_folder
from vaemon.runfile.selection import select
from vaemon.source.lazy import LazySource
from vaemon.source.protocol import Source

Given = Mapping[str, float] | None


def open_source(address: str | None, runs: str | Path | None = None, thresholds: Given = None) -> Source:
    """Open a run that exists.

    Args:
        address: a run's name, a path to its folder, or `latest` or None for the run written to last.
        runs: the folder of runs; default $VAEMON_RUNS, else `runs/`.
        thresholds: those by which it is to be looked at, by name, where not by its own.

    Raises:
        UnknownName, UsageError: there is no such run; or the thresholds make no sense.
    """
    return _local(find_run(address, runs_folder(runs)), thresholds)


def await_source(address: str | None, runs: str | Path | None = None, thresholds: Given = None) -> Source:
    """Open a run that may not have begun yet; without an address, or with `latest`, whatever run begins first.

    Raises:
        UsageError: the thresholds, as of `open_source`, make no sense.
        UnknownName: there is no such run, but one of nearly that name: most likely a slip of the pen.
        BadRunName: no run can have that name.
    """
    folder = runs_folder(runs)
    if address is None or address == LATEST:
        begun = latest_run(folder) is not None
        place = find_run(address, folder) if begun else folder
        return _local(place, thresholds, newest=not begun)
    if is_path(address):
        return _local(Path(address).expanduser(), thresholds)
    if not is_run(folder / check_name(address)) and nearest(address, [each.name for each in list_runs(folder)]):
        find_run(address, folder)
    return _local(folder / address, thresholds)


def open_all(
    runs: str | Path | None = None, patterns: Sequence[str] = (), thresholds: Given = None
) -> list[tuple[str, Source]]:
    """The name and the source of the runs below RUNS that fit one of the patterns, by default all; newest first."""
    folders = select(list_runs(runs_folder(runs)), patterns or ["*"])
    return [(folder.name, LazySource(partial(_open_local, folder, False, thresholds))) for folder in folders]


def _local(folder: Path, thresholds: Given, *, newest: bool = False) -> Source:
    """A run's source, opened when it is first asked; with thresholds at once, to see whether its own go with them."""
    source = LazySource(partial(_open_local, folder, newest, thresholds))
    if thresholds:
        try:
            source.info()
        except SourceLost:
            pass  # which will be told to whoever asks it
        finally:
            source.close()  # another thread may be the one to use it
    return source


def _open_local(folder: Path, newest: bool, thresholds: Given) -> Source:
    from vaemon.source.local import LocalSource

    return LocalSource(folder, newest=newest, thresholds=thresholds)
