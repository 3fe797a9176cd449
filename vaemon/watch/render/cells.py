"""Rows of cells: text with the names of its colours. Knows neither a palette nor a terminal.

A row is a tuple of spans, so that two rows are equal exactly when they look the same.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from rich.cells import cell_len, set_cell_size

from vaemon.view.signs import safe

Array = npt.NDArray[Any]


PICTURE = "picture "
"""With a number, 16 to 255: the ink of placeholders, in whose place the terminal draws a picture."""


class Ink(NamedTuple):
    """How a stretch of text is coloured, by names that a palette knows, or "#rrggbb"."""

    fg: str = "text"
    bg: str = "ground"
    bold: bool = False


class Span(NamedTuple):
    """A stretch of text in one ink."""

    text: str
    ink: Ink = Ink()


Row = tuple[Span, ...]

BLANK: Row = ()


def said(text: str, fg: str = "text", *, bold: bool = False, bg: str = "ground") -> Span:
    """Text in the colour of that name, without signs that a terminal obeys."""
    return Span(safe(text), Ink(fg, bg, bold))


def plain(row: Row) -> str:
    """The text of a row."""
    return "".join(span.text for span in row)


def length(row: Row) -> int:
    """Cells that a row takes."""
    return sum([_width(span.text) for span in row])


def _width(text: str) -> int:
    return len(text) if text.isascii() and text.isprintable() else cell_len(text)


def fit(row: Row, width: int) -> Row:
    """The row cut or padded to exactly `width` cells."""
    room = max(width, 0)
    kept = []
    for span in row:
        taken = _width(span.text)
        if taken > room:
            kept.append(Span(set_cell_size(span.text, room), span.ink))
            room = 0
            break
        kept.append(span)
        room -= taken
    if room:
        kept.append(Span(" " * room))
    return tuple(span for span in kept if span.text)


def cut(row: Row, start: int, width: int) -> Row:
    """`width` cells of a row from `start` on; every character must be one cell wide."""
    spans = []
    for span in row:
        text = span.text[max(start, 0) : max(start + width, 0)]
        start -= len(span.text)
        if text:
            spans.append(Span(text, span.ink))
    return tuple(spans)


def spread(left: Row, right: Row, width: int) -> Row:
    """`left` at the left end and `right` at the right end; `right` is left out where both do not fit."""
    gap = width - length(left) - length(right)
    if not right or gap < 1:
        return fit(left, width)
    return (*left, Span(" " * gap), *right)


def join(parts: Sequence[Row], between: Span, width: int) -> Row:
    """As many of the parts, from the first on, as fit the width, with `between` between them."""
    row: Row = ()
    for part in parts:
        longer = (*row, between, *part) if row else part
        if length(longer) > width:
            break
        row = longer
    return row


class Grid(NamedTuple):
    """A picture of single cells, before it is rows."""

    codes: Array
    """Code points, each one cell wide, shape (height, width)."""
    inks: Array
    """Index of each cell's ink in a table, shape (height, width)."""

    def part(self, first: int, last: int) -> "Grid":
        """The columns from `first` to `last`, the last not included."""
        return Grid(self.codes[:, first:last], self.inks[:, first:last])

    def same(self, other: "Grid") -> bool:
        """Whether both look the same."""
        return np.array_equal(self.codes, other.codes) and np.array_equal(self.inks, other.inks)

    def rows(self, table: Sequence[Ink]) -> list[Row]:
        """The grid as rows, neighbours of one ink in one span."""
        return [_runs(line, ink, table) for line, ink in zip(self.codes, self.inks, strict=True)]


def _runs(codes: Array, inks: Array, table: Sequence[Ink]) -> Row:
    text = codes.astype("<u4").tobytes().decode("utf-32-le")
    if not text:
        return BLANK
    starts = [0, *(np.flatnonzero(np.diff(inks)) + 1).tolist()]
    ends = [*starts[1:], len(text)]
    return tuple(Span(text[a:b], table[inks[a]]) for a, b in zip(starts, ends, strict=True))
