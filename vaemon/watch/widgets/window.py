"""The rows of a stage that are in sight: how a person comes closer, goes further off, and moves along. Pure."""

from dataclasses import dataclass

LEAST = 16
"""Rows that are in sight at least."""


@dataclass(frozen=True, slots=True)
class Window:
    """A range of rows: a power of two of them, so that going closer halves and going further off doubles it."""

    first: int
    size: int
    follows: bool = False
    """Whether it goes along with a run that grows."""

    @property
    def last(self) -> int:
        """The row after the last one."""
        return self.first + self.size


def closer(window: Window | None, rows: int, at: int | None) -> Window | None:
    """Half of what is in sight.

    Args:
        window: what is in sight; None: all rows.
        rows: rows of the stage.
        at: the row that keeps its place on the screen; None: the middle of a window that does not follow, else the
            newest, which is then followed.
    """
    whole = _power(rows)
    size = (window.size if window is not None else whole) // 2
    if size < LEAST or not rows:
        return window
    if at is None and window is not None and not window.follows:
        at = window.first + size
    if at is None:
        return Window(_grid(rows - size * 3 // 4, size, rows), size, follows=True)
    first, seen = (window.first, window.size) if window is not None else (0, rows)
    share = (at - first) / seen
    return Window(_grid(at - min(round(share * size), size - 1), size, rows), size)


def further(window: Window | None, rows: int, at: int | None = None) -> Window | None:
    """Twice what is in sight, in the end all of it; arguments as of `closer`."""
    if window is None or window.size * 2 >= _power(rows):
        return None
    size = window.size * 2
    centre = window.first + window.size // 2 if at is None else at
    share = (centre - window.first) / window.size
    return Window(_grid(centre - round(share * size), size, rows), size, window.follows)


def moved(window: Window, by: float, rows: int) -> Window:
    """The window moved by so many times its size; it stays where there are rows."""
    return Window(_grid(window.first + round(by * window.size), window.size, rows), window.size)


def around(window: Window | None, row: int, rows: int) -> Window | None:
    """A window that has that row in sight: the same one, or one of its size with the row in the middle."""
    if window is None or window.first <= row < window.last:
        return window
    return Window(_grid(row - window.size // 2, window.size, rows), window.size)


def following(window: Window | None, rows: int) -> Window | None:
    """The window after the run has grown: one that goes along leaps on by half once it is full.

    It leaps back where there are no rows any more: a resumed run replaces some, a replay is wound back.
    """
    if window is None or not window.follows or window.first < rows <= window.last:
        return window
    return Window(_grid(rows - window.size // 2, window.size, rows), window.size, follows=True)


def _grid(first: int, size: int, rows: int) -> int:
    # On a grid that the columns of every width in use share; never beyond what there is by more than a half.
    step = max(size // 512, 1)
    first = min(max(first, 0), max(rows - size // 2, 0))
    return first // step * step


def _power(rows: int) -> int:
    return 1 << max(rows - 1, 1).bit_length()
