"""The first frame: the panels with their titles and nothing in them, while what fills them is being loaded.

Imports neither numpy nor anything that does: they take as long as the rest of the start.
"""

from collections.abc import Iterator
from typing import Self

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.screen import Screen
from textual.strip import Strip

from vaemon.view.signs import safe, to_ascii
from vaemon.watch.names import PANELS
from vaemon.watch.render.palette import Palette

NARROW, LOW = 72, 18
"""Below these columns or rows there are no panels at the right."""
SIDES = ((170, 72), (110, 44), (0, 32))
"""The width of the panels at the right, by the least width of the screen."""

Word = tuple[int, int, str, str]
"""Row, column, text, colour."""


class Curtain(Screen[None]):
    """Stands until the screen of the run is there."""

    def __init__(self, title: str, palette: Palette, *, ascii_only: bool = False) -> None:
        """Say that the run of this name is being opened."""
        super().__init__()
        self._title = title
        self._ascii_only = ascii_only
        self._palette = palette

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        """Have it painted: by being laid out, and not once more by itself."""
        if layout:
            super().refresh(repaint=False, layout=True)
        return self

    def render_lines(self, crop: Region) -> list[Strip]:
        """The rows of that part of the frame."""
        # The part may be larger than the screen, which learns of another size later than the terminal.
        width, height = max(self.size.width, crop.right), max(self.size.height, crop.bottom)
        ground = Style(bgcolor=self._palette["ground"])
        rows: list[list[tuple[int, str, Style]]] = [[] for _ in range(height)]
        for row, column, text, colour in frame(self._title, width, height):
            if row < height:
                style = Style(color=self._palette[colour], bgcolor=self._palette["ground"], bold=colour != "muted")
                rows[row].append((column, to_ascii(text) if self._ascii_only else text, style))
        return [_strip(words, width, ground).crop(crop.x, crop.right) for words in rows[crop.y : crop.bottom]]


def frame(title: str, width: int, height: int) -> Iterator[Word]:
    """The words of the first frame, those of a row from left to right."""
    head = f" {safe(title)}  " if title else " "
    yield 0, 0, head, "text"
    yield 0, cell_len(head), "… opening", "muted"
    if height < 5:
        return
    yield 3, 1, PANELS[0], "text"
    if width < NARROW or height < LOW:
        return
    side = width - next(cells for least, cells in SIDES if width >= least)
    charts, events = PANELS[1:-1], 16 if height >= 52 else 8 if height >= 34 else 3
    room = height - 4 - events - 1
    for place, name in enumerate(charts):
        yield 3 + place * room // len(charts), side + 1, name, "muted"
    yield height - 1 - events, side + 1, PANELS[-1], "muted"
    yield height - 1, 1, "q", "accent"
    yield height - 1, 3, "quit", "muted"


def _strip(words: list[tuple[int, str, Style]], width: int, ground: Style) -> Strip:
    segments, end = [], 0
    for column, text, style in words:
        segments += [Segment(" " * (column - end), ground), Segment(text, style)]
        end = column + cell_len(text)
    segments.append(Segment(" " * max(width - end, 0), ground))
    return Strip(segments).crop(0, width)
