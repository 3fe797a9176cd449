"""What a source of a run is, local, remote or replayed, and a directory of runs; a screen knows no more than this."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vaemon.batch import Array, Batch, Columns, Cursor, Excerpt, ImageSet, Listed, RunInfo, Series, Want, Window


class Source(Protocol):
    """Where one run is read from. Used by one thread; answers are values that the caller owns."""

    def info(self) -> RunInfo:
        """Who the run is and how it fares, asked anew.

        Raises:
            SourceLost: the place does not answer now; asking again later may help.
        """
        ...

    def poll(self, since: Cursor, want: Want) -> Batch:
        """What is new since `since`; may be empty. The first cursor is `Cursor()`.

        Stateless: equal questions to equal files have equal answers. Bounded by `want.columns` and
        `want.seconds`; where the time ran out, `Batch.more` is set.

        Raises:
            SourceLost: the place does not answer now.
        """
        ...

    def excerpt(self, asked: Excerpt) -> Columns:
        """A range of rows of a stage as finished columns; none where the stage has not begun.

        The first column begins at or before the first row asked for, the last one holds the last row asked for that
        there is in a finished column.

        Raises:
            SourceLost: the place does not answer now.
        """
        ...

    def series(self, channel: str, window: Window, points: int) -> Series:
        """One channel over a window, in at most `points` points; exact rows where they fit.

        A scalar that is in no row, for it comes up too seldom, has all its values, each a point.

        Raises:
            UnknownName: the run has no such channel.
            SourceLost: the place does not answer now.
        """
        ...

    def images(self) -> tuple[ImageSet, ...]:
        """The sets of images recorded so far, by stage, step and kind; cheap where none came since last asked.

        Raises:
            SourceLost: the place does not answer now.
        """
        ...

    def image(self, which: ImageSet) -> Array:
        """The images of a set, uint8, (n, h, w, c) with c 1 or 3.

        Raises:
            SourceLost: it is gone (a resumed run replaces what came after its beginning), or cannot be read.
        """
        ...

    def reach(self) -> None:
        """Make anew what leads to the run, where that can be lost. Safe from any thread.

        A person at the terminal may be asked for a password.

        Raises:
            SourceLost: the place does not answer now.
        """
        ...

    def hang_up(self) -> None:
        """Wait no longer for an answer, now or later: whoever waits gets SourceLost. Safe from any thread."""
        ...

    def close(self) -> None:
        """Let go of files and connections; safe to call twice."""
        ...


class Directory(Protocol):
    """Where many runs are. Used by one thread, but for `open`, which may be called from another."""

    def runs(self, seconds: float) -> Sequence[Listed]:
        """Every run, the one written to last first; reading stops after so long, and goes on at the next call.

        Raises:
            SourceLost: the place does not answer now.
        """
        ...

    def open(self, address: str) -> Source:
        """The source of a run that was listed. It is closed with the directory."""
        ...

    def close(self) -> None:
        """Let go of all that was opened; safe to call twice."""
        ...
