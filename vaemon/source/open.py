"""From an address to a source: the one place that knows which kind of source serves it."""

import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from vaemon.errors import SourceLost, UsageError, nearest
from vaemon.runfile import sweeps
from vaemon.runfile.find import LATEST, check_name, find_run, is_path, is_run, latest_run, list_runs, runs_folder
from vaemon.runfile.selection import find_like, is_pattern, select, settled, told_apart
from vaemon.source.directories import Directories
from vaemon.source.directory import LocalDirectory
from vaemon.source.far.address import FarAddress
from vaemon.source.far.links import Links
from vaemon.source.lazy import LazySource
from vaemon.source.protocol import Directory, Source

MOST = 24
"""Runs that are watched at once."""

Given = Mapping[str, float] | None


def open_source(
    address: str | None, runs: str | Path | None = None, thresholds: Given = None, links: Links | None = None
) -> Source:
    """Open a run that exists.

    Args:
        address: a run's name, a path to its folder, or `latest` or None for the run written to last; HOST: before it
            where it is on another machine.
        runs: the folder of runs of this machine; default $VAEMON_RUNS, else `runs/`.
        thresholds: those by which it is to be looked at, by name, where not by its own.
        links: to other machines, to be shared; by default its own.

    Raises:
        UnknownName, UsageError: there is no such run; or the thresholds make no sense.
        SourceLost, FarEndLacksVaemon: the other machine does not answer, or has no vaemon.
    """
    far = FarAddress.parse(address) if address is not None else None
    if far is not None:
        return (links or Links()).source(far, thresholds, exists=True)
    return _local(settled(find_run(address, runs_folder(runs))), thresholds)


def await_source(
    address: str | None, runs: str | Path | None = None, thresholds: Given = None, links: Links | None = None
) -> Source:
    """Open a run that may not have begun yet; without an address, or with `latest`, whatever run begins first.

    Arguments as of `open_source`.

    Raises:
        UnknownName: there is no such run, but one of nearly that name: most likely a slip of the pen.
        BadRunName: no run can have that name.
        SourceLost, FarEndLacksVaemon: as of `open_source`.
    """
    far = FarAddress.parse(address) if address is not None else None
    if far is not None:
        return (links or Links()).source(far, thresholds)
    folder = runs_folder(runs)
    if (address is None or address == LATEST) and latest_run(folder) is None:
        return _local(settled(folder), thresholds, newest=True)
    return _local(settled(_expected(address, folder)), thresholds)


def await_all(
    addresses: Sequence[str],
    runs: str | Path | None = None,
    thresholds: Given = None,
    links: Links | None = None,
) -> list[tuple[str, Source]]:
    """Open the runs of several addresses and patterns, each once and with a name that tells it from the others.

    A single address, or none, is as in `await_source`; the run then tells its name itself.

    Args:
        addresses: names of runs, paths to their folders, patterns of either; HOST: before them.
        runs: the folder of runs of this machine; default $VAEMON_RUNS, else `runs/`.
        thresholds: as of `open_source`, for all of them.
        links: as of `open_source`.

    Raises:
        UnknownName, BadRunName, SourceLost, FarEndLacksVaemon: as of `await_source`.
        UsageError: a pattern fits no run, a path leads to a file, or there are more than `MOST` runs.
    """
    links = links or Links()
    if len(addresses) < 2 and not any(map(is_pattern, addresses)):
        address = addresses[0] if addresses else None
        return [(title_of(address), await_source(address, runs, thresholds, links))]
    found: dict[Path | FarAddress, None] = {}
    for address in addresses:
        far = FarAddress.parse(address)
        found |= dict.fromkeys(_all_meant(address, runs_folder(runs)) if far is None else _all_far(far, links))
    if len(found) > MOST:
        raise UsageError(f"{len(found)} runs are too many to watch at once; name at most {MOST}, or a narrower pattern")
    return _opened(list(found), thresholds, links)


def open_several(
    addresses: Sequence[str],
    runs: str | Path | None = None,
    thresholds: Given = None,
    links: Links | None = None,
) -> list[tuple[str, Source]]:
    """Open runs that exist, each once and with a name that tells it from the others.

    Arguments as of `await_all`; without an address it is the run written to last. The name of a sweep means those of
    its members that have begun.

    Raises:
        UnknownName, UsageError: an address means no run; or the thresholds make no sense.
        SourceLost, FarEndLacksVaemon: as of `open_source`.
    """
    links = links or Links()
    found: dict[Path | FarAddress, None] = {}
    for address in addresses or [LATEST]:
        far = FarAddress.parse(address)
        meant = sweeps.folders(address, runs_folder(runs)) if far is None else _all_far(far, links)
        found |= dict.fromkeys(meant)
    return _opened(list(found), thresholds, links, exist=True)


def _opened(
    found: Sequence[Path | FarAddress], thresholds: Given, links: Links, *, exist: bool = False
) -> list[tuple[str, Source]]:
    """A source and a name for each of the places found; far ones that need not `exist` are waited for."""
    here = [each for each in found if isinstance(each, Path)]
    names: dict[Path | FarAddress, str] = dict(zip(here, told_apart(here), strict=True))
    short = [each.title for each in found if isinstance(each, FarAddress)]
    for each in found:
        if isinstance(each, FarAddress):
            names[each] = each.title if short.count(each.title) == 1 else each.place.address(each.path)
    sources: list[tuple[str, Source]] = []
    try:
        for each in found:
            if isinstance(each, Path):
                sources.append((names[each], _local(each, thresholds)))
            else:
                sources.append((names[each], links.source(each, thresholds, exists=exist)))
    except BaseException:
        for _, source in sources:
            source.close()
        raise
    return sources


def title_of(address: str | None) -> str:
    """What a run is called until it tells its name; empty for the latest."""
    if address is None or address == LATEST:
        return ""
    far = FarAddress.parse(address)
    return Path(address).name if far is None else far.title


def _all_far(address: FarAddress, links: Links) -> list[FarAddress]:
    return links.addresses_like(address) if is_pattern(address.path) else [address]


def _all_meant(address: str, runs: Path) -> list[Path]:
    if is_pattern(address) and not is_run(Path(os.path.expanduser(address))):
        return [settled(each) for each in find_like(address, runs)]
    folder = _expected(address, runs)
    if folder.is_file():
        # A shell puts every file in the place of an open pattern.
        instead = folder.parent / "*"
        raise UsageError(
            f"{address} is a file, no run; leave it out, or let vaemon look for runs: '{instead}', in quotes"
        )
    return [settled(folder)]


def _expected(address: str | None, runs: Path) -> Path:
    """The folder that an address means, whether or not there is a run in it."""
    if address is None or address == LATEST:
        return find_run(address, runs)
    if is_path(address):
        return Path(os.path.expanduser(address))
    if not is_run(runs / check_name(address)) and nearest(address, [each.name for each in list_runs(runs)]):
        find_run(address, runs)
    return runs / address


def open_all(
    runs: str | Path | None = None, patterns: Sequence[str] = (), thresholds: Given = None
) -> list[tuple[str, Source]]:
    """The name and the source of the runs below RUNS that fit one of the patterns, by default all; newest first."""
    folders = select(list_runs(runs_folder(runs)), patterns or ["*"])
    return [(folder.name, LazySource(partial(_open_local, folder, False, thresholds))) for folder in folders]


def open_directory(
    runs: str | Path | None = None,
    thresholds: Given = None,
    addresses: Sequence[str] = (),
    links: Links | None = None,
) -> Directory:
    """Where more runs are, to be listed again and again.

    Args:
        runs: the folder of runs of this machine; default $VAEMON_RUNS, else `runs/`.
        thresholds: as of `open_source`, for all of them.
        addresses: of the runs that are watched: those beside them on other machines are listed, too; where all of them
            are on other machines, those of this one are not.
        links: as of `open_source`.
    """
    links = links or Links()
    far = dict.fromkeys((each.place, each.folder) for each in map(FarAddress.parse, addresses) if each is not None)
    places: list[Directory] = [links.directory(*each, thresholds) for each in far]
    if not addresses or None in map(FarAddress.parse, addresses):
        places.insert(0, LocalDirectory(runs, thresholds))
    return places[0] if len(places) == 1 else Directories(places)


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
