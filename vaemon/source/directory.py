"""The runs of a folder of this machine, told at a glance. What takes long to load is loaded when it is needed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from vaemon.errors import SourceLost, VaemonError
from vaemon.runfile import manifest
from vaemon.runfile.find import list_runs, runs_folder, touched
from vaemon.runfile.selection import settled

if TYPE_CHECKING:
    from vaemon.batch import Listed
    from vaemon.source.protocol import Source


class LocalDirectory:
    """A folder of runs. A run that is over is read once, and again only when its files have changed."""

    def __init__(self, runs: str | Path | None = None, thresholds: Mapping[str, float] | None = None) -> None:
        """List the runs below `runs`; default $VAEMON_RUNS, else `runs/`. It need not exist.

        Args:
            runs: see there.
            thresholds: those by which the runs are to be looked at, by name, where not by their own.
        """
        self._thresholds = thresholds
        self._folder = settled(runs_folder(runs))
        self._known: dict[Path, tuple[float, Listed]] = {}
        self._opened: list[Source] = []

    def runs(self, seconds: float) -> tuple[Listed, ...]:
        """Every run, the one written to last first. Raises SourceLost."""
        try:
            folders = list_runs(self._folder)
        except VaemonError as error:
            raise SourceLost(str(error)) from error
        deadline = time.monotonic() + seconds
        self._known = {each: self._known[each] for each in folders if each in self._known}
        return tuple(self._listed(each, time.monotonic() < deadline) for each in folders)

    def _listed(self, folder: Path, in_time: bool) -> Listed:
        from vaemon.batch import Listed

        changed = max(touched(folder), _written(folder / manifest.FILE))
        held = self._known.get(folder)
        if held is not None and (not in_time or (held[0] == changed and _is_settled(held[1]))):
            return held[1]
        if not in_time:
            return Listed(folder.name, str(folder), changed)
        self._known[folder] = changed, _glance(folder, changed, self._thresholds)
        return self._known[folder][1]

    def open(self, address: str) -> Source:
        """The run of an address that was listed; it is closed with the directory."""
        from vaemon.source.local import LocalSource

        self._opened.append(LocalSource(Path(address), thresholds=self._thresholds))
        return self._opened[-1]

    def close(self) -> None:
        """Close what was opened."""
        for each in self._opened:
            each.close()
        self._opened.clear()


def _glance(folder: Path, changed: float, thresholds: Mapping[str, float] | None) -> Listed:
    from vaemon.batch import Cursor, Listed, Want
    from vaemon.source.local import LocalSource

    source = LocalSource(folder, thresholds=thresholds)
    try:
        return Listed(folder.name, str(folder), changed, source.poll(Cursor(), Want((), columns=0)))
    except (VaemonError, OSError) as error:
        return Listed(folder.name, str(folder), changed, reason=str(error))
    finally:
        source.close()


def _is_settled(listed: Listed) -> bool:
    return listed.batch is None or listed.batch.info.state.over


def _written(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
