"""A source that is opened when it is first asked: what reads files takes longer to load than a screen to appear."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vaemon.batch import Array, Batch, Columns, Cursor, Excerpt, ImageSet, RunInfo, Series, Want, Window
    from vaemon.source.protocol import Source


class LazySource:
    """Does what the source does that it opens."""

    def __init__(self, open_source: Callable[[], Source]) -> None:
        """Open with `open_source`, in the thread that asks first."""
        self._open = open_source
        self._source: Source | None = None

    @property
    def source(self) -> Source:
        """The source, opened if need be."""
        if self._source is None:
            self._source = self._open()
        return self._source

    def info(self) -> RunInfo:
        """Who the run is and how it fares. Raises SourceLost."""
        return self.source.info()

    def poll(self, since: Cursor, want: Want) -> Batch:
        """What is new since `since`. Raises SourceLost."""
        return self.source.poll(since, want)

    def excerpt(self, asked: Excerpt) -> Columns:
        """A range of rows. Raises SourceLost."""
        return self.source.excerpt(asked)

    def series(self, channel: str, window: Window, points: int) -> Series:
        """One channel over a window. Raises UnknownName, SourceLost."""
        return self.source.series(channel, window, points)

    def images(self) -> tuple[ImageSet, ...]:
        """The sets of images recorded so far. Raises SourceLost."""
        return self.source.images()

    def image(self, which: ImageSet) -> Array:
        """The images of a set. Raises SourceLost."""
        return self.source.image(which)

    def reach(self) -> None:
        """Make anew what leads to the run. Raises SourceLost."""
        if self._source is not None:
            self._source.reach()

    def hang_up(self) -> None:
        """Wait no longer for an answer."""
        if self._source is not None:
            self._source.hang_up()

    def close(self) -> None:
        """Close what was opened."""
        if self._source is not None:
            self._source.close()
