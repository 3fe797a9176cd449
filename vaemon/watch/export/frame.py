"""A screen, or a part of it, as cells: what every picture file is made from."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from rich.cells import cell_len
from rich.color import Color, blend_rgb
from rich.color_triplet import ColorTriplet
from rich.segment import Segment
from rich.style import Style

from vaemon.watch.export.shapes import QUARTERS, SHADES

HALF = 0.5
"""How much of its colour a dim text keeps."""


class Cell(NamedTuple):
    """One character and its colours, #rrggbb."""

    sign: str
    """With the marks that are put over it; empty for the second cell of a wide one."""
    fg: str
    bg: str
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Frame:
    """Rows of cells, equally long."""

    rows: tuple[tuple[Cell, ...], ...]
    ground: str
    """The colour around them."""

    @property
    def width(self) -> int:
        """Cells across."""
        return len(self.rows[0]) if self.rows else 0

    @property
    def height(self) -> int:
        """Rows."""
        return len(self.rows)

    def part(self, x: int, y: int, width: int, height: int) -> "Frame":
        """The rectangle with that corner and size, as far as it lies inside."""
        rows = (row[max(x, 0) : max(x + width, 0)] for row in self.rows[max(y, 0) : max(y + height, 0)])
        return replace(self, rows=tuple(_halved(row) for row in rows))

    def over(self, below: "Frame") -> "Frame":
        """This frame and another under it, the narrower one padded at the right."""
        width = max(self.width, below.width)
        blank = Cell(" ", self.ground, self.ground)
        return replace(self, rows=_padded((*self.rows, *below.rows), width, blank))


def _padded(rows: Iterable[Sequence[Cell]], width: int, blank: Cell) -> tuple[tuple[Cell, ...], ...]:
    return tuple((*row, *[blank] * (width - len(row))) for row in rows)


def _halved(row: tuple[Cell, ...]) -> tuple[Cell, ...]:
    # Of a wide sign at the left edge only its second cell may be left.
    return (row[0]._replace(sign=" "), *row[1:]) if row and not row[0].sign else row


def frame_of(strips: Iterable[Iterable[Segment]], *, ground: str, ink: str = "#808080") -> Frame:
    """The cells of a screen.

    Args:
        strips: its rows, as a Textual compositor's `render_strips()` gives them.
        ground: the colour of what has no background of its own, #rrggbb.
        ink: the colour of text that has none of its own.
    """
    rows = [list(_cells(strip, ground, ink)) for strip in strips]
    width = max(map(len, rows), default=0)
    return Frame(_padded(rows, width, Cell(" ", ink, ground)), ground)


def _cells(strip: Iterable[Segment], ground: str, ink: str) -> Iterator[Cell]:
    last: Cell | None = None
    for text, style, control in strip:
        if control:
            continue
        fg, bg, bold = _colours(style or Style.null(), ground, ink)
        for sign in text:
            taken = cell_len(sign)
            if taken == 0:  # a mark over the character before it
                last = last._replace(sign=last.sign + sign) if last is not None else None
                continue
            if last is not None:
                yield from _whole(last)
            last = Cell(sign, fg, bg, bold)
    if last is not None:
        yield from _whole(last)


def _whole(cell: Cell) -> Iterator[Cell]:
    yield cell
    if cell_len(cell.sign[0]) == 2:
        yield cell._replace(sign="")


def _colours(style: Style, ground: str, ink: str) -> tuple[str, str, bool]:
    fg, bg = _hex(style.color, ink), _hex(style.bgcolor, ground)
    if style.reverse:
        fg, bg = bg, fg
    if style.dim:
        fg = _mixed(fg, bg, HALF)
    return fg, bg, bool(style.bold)


def _hex(color: Color | None, otherwise: str) -> str:
    return otherwise if color is None or color.is_default else color.get_truecolor().hex


def quarter_colours(cell: Cell) -> tuple[str, ...]:
    """The colour of each quarter of a cell, what a font or a shape puts on it left out: two above, two below."""
    if cell.sign in SHADES:
        return (_mixed(cell.fg, cell.bg, SHADES[cell.sign]),) * 4
    return tuple(cell.fg if which == "f" else cell.bg for which in QUARTERS.get(cell.sign, "bbbb"))


def _mixed(fg: str, bg: str, share: float) -> str:
    return blend_rgb(_triplet(bg), _triplet(fg), share).hex


def _triplet(colour: str) -> ColorTriplet:
    return ColorTriplet(*(int(colour[i : i + 2], 16) for i in (1, 3, 5)))
