"""A run, and a folder of runs, on another machine: each question goes over a link, each answer comes back whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from vaemon.batch import Array, Batch, Columns, Cursor, Excerpt, ImageSet, Listed, RunInfo, Series, Want, Window
    from vaemon.source.far.link import Link
    from vaemon.wire.questions import Run

Value = TypeVar("Value")


class RemoteSource:
    """Asks an agent about one run. What takes long to load is loaded with the first question."""

    def __init__(
        self,
        link: Link,
        address: str,
        *,
        thresholds: Mapping[str, float] | None = None,
        exists: bool = False,
        let_go: Callable[[], None] = lambda: None,
    ) -> None:
        """Ask about a run.

        Args:
            link: to the agent; may be shared.
            address: of the run, as it is said there.
            thresholds: those by which it is to be looked at, by name, where not by its own.
            exists: whether it must be there already; else it is waited for.
            let_go: called once when it is closed.
        """
        self._link = link
        self._address = address
        self._thresholds = dict(thresholds or {})
        self._exists = exists
        self._let_go: Callable[[], None] | None = let_go

    def info(self) -> RunInfo:
        """Who the run is and how it fares. Raises SourceLost."""
        from vaemon.batch import RunInfo
        from vaemon.wire.questions import Info

        return self._placed(self._link.ask(Info(self._run()), RunInfo))

    def poll(self, since: Cursor, want: Want) -> Batch:
        """What is new since `since`. Raises SourceLost."""
        from vaemon.batch import Batch
        from vaemon.wire.questions import Poll

        batch = self._link.ask(Poll(self._run(), since, want), Batch)
        return replace(batch, info=self._placed(batch.info))

    def excerpt(self, asked: Excerpt) -> Columns:
        """A range of rows of a stage as finished columns. Raises SourceLost."""
        from vaemon.batch import Columns
        from vaemon.wire.questions import Part

        return self._link.ask(Part(self._run(), asked), Columns)

    def series(self, channel: str, window: Window, points: int) -> Series:
        """One channel over a window. Raises UnknownName, SourceLost."""
        from vaemon.batch import Series
        from vaemon.wire.questions import Line

        return self._link.ask(Line(self._run(), channel, window, points), Series)

    def images(self) -> tuple[ImageSet, ...]:
        """The sets of images recorded so far. Raises SourceLost."""
        from vaemon.batch import ImageSet
        from vaemon.wire.questions import Sets

        return self._link.ask(Sets(self._run()), tuple[ImageSet, ...])

    def image(self, which: ImageSet) -> Array:
        """The images of a set. Raises SourceLost."""
        import numpy as np

        from vaemon.wire.questions import Image

        return self._link.ask(Image(self._run(), which), np.ndarray)

    def reach(self) -> None:
        """Make the link anew, with a person at the terminal. Raises SourceLost."""
        self._link.connect()

    def hang_up(self) -> None:
        """Wait no longer for an answer; safe from any thread."""
        self._link.hang_up()

    def close(self) -> None:
        """Let go of the link."""
        if self._let_go is not None:
            self._let_go()
            self._let_go = None

    def _run(self) -> Run:
        from vaemon.wire.questions import Run

        return Run(self._address, self._thresholds, self._exists)

    def _placed(self, info: RunInfo) -> RunInfo:
        place = self._link.far.place
        return replace(info, address=place.address(info.address), place=place.host)


class RemoteDirectory:
    """The runs of a folder on another machine."""

    def __init__(
        self,
        link: Link,
        folder: str = "",
        *,
        thresholds: Mapping[str, float] | None = None,
        let_go: Callable[[], None] = lambda: None,
    ) -> None:
        """List runs.

        Args:
            link: to the agent; may be shared.
            folder: where they are, as it is said there; "": where runs are by default.
            thresholds: those by which they are to be looked at, by name, where not by their own.
            let_go: called once when it is closed.
        """
        self._link = link
        self._folder = folder
        self._thresholds = dict(thresholds or {})
        self._let_go: Callable[[], None] | None = let_go
        self._held: dict[str, str] = {}

    def runs(self, seconds: float) -> tuple[Listed, ...]:
        """Every run, the one written to last first. Raises SourceLost."""
        from vaemon.batch import Listed
        from vaemon.wire.questions import Runs

        told = self._link.ask(Runs(self._folder, seconds, self._thresholds), tuple[Listed, ...])
        placed = [self._placed(each) for each in told]
        # Kept of runs that are gone, too: what was listed before may still be seen, and be opened.
        self._held |= {new.address: old.address for old, new in zip(told, placed, strict=True)}
        return tuple(placed)

    def open(self, address: str) -> RemoteSource:
        """The run of an address that was listed."""
        return RemoteSource(self._link, self._held[address], thresholds=self._thresholds)

    def close(self) -> None:
        """Let go of the link."""
        if self._let_go is not None:
            self._let_go()
            self._let_go = None

    def _placed(self, listed: Listed) -> Listed:
        place, batch = self._link.far.place, listed.batch
        if batch is not None:
            info = replace(batch.info, address=place.address(batch.info.address), place=place.host)
            batch = replace(batch, info=info)
        return replace(listed, address=place.address(listed.address), batch=batch)
