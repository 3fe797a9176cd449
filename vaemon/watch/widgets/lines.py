"""The base of everything on the screen: rows of cells, of which only those that changed are painted again."""

from collections.abc import Sequence
from itertools import zip_longest

from textual.geometry import Region
from textual.strip import Strip

from vaemon.watch.render.cells import BLANK, Row, length
from vaemon.watch.widgets.bare import Bare
from vaemon.watch.widgets.focus import QuietFocus
from vaemon.watch.widgets.pen import Pen
from vaemon.watch.widgets.picture import Picture


class LinesWidget(Bare):
    """Shows the rows that were published last."""

    def __init__(self, pen: Pen, **options: str | None) -> None:
        """Draw with `pen`; the options are those of a Textual widget: id, classes."""
        super().__init__(**options)  # type: ignore[arg-type]
        self.pen = pen
        self._rows: list[Row] = []
        self._inked: dict[int, tuple[Row, Strip]] = {}
        """The strips of the rows that have been asked for."""
        self._inked_with: object = None

    def publish(self, rows: Sequence[Row]) -> None:
        """Show these rows; the screen is asked to paint those that differ from what it shows."""
        before = self._rows
        if before == (rows := list(rows)):
            return
        width = self.size.width
        # A row that is as it was stays the same object, of which there is a strip.
        self._rows = [old if old == new else new for old, new in zip_longest(before, rows)][: len(rows)]
        pairs = enumerate(zip_longest(before, self._rows, fillvalue=BLANK))
        changed = [(y, *_changed(old, new, width)) for y, (old, new) in pairs if old is not new and old != new]
        if changed:
            self.refresh(*(Region(first, y, last - first, 1) for y, first, last in changed))

    def bare_lines(self, crop: Region) -> list[Strip]:
        """The rows of that part, each drawn once."""
        width = self.size.width
        if self._inked_with != (inked_with := (width, self.pen.palette)):
            self._inked_with = inked_with
            self._inked.clear()
        strips = [self._ink(y, width) for y in crop.line_range]
        return strips if (crop.x, crop.right) == (0, width) else [strip.crop(crop.x, crop.right) for strip in strips]

    def render_line(self, y: int) -> Strip:
        """One row of the screen."""
        return self._ink(y, self.size.width)

    def _ink(self, y: int, width: int) -> Strip:
        row = self._rows[y] if 0 <= y < len(self._rows) else BLANK
        held = self._inked.get(y)
        if held is None or held[0] is not row:
            held = self._inked[y] = (row, self.pen.strip(row, width))
        return held[1]


def _changed(old: Row, new: Row, width: int) -> tuple[int, int]:
    """First and last cell, the last not included, between which two rows differ."""
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    first = min(length(new[:head]), max(width - 1, 0))
    if length(old) != length(new):
        return first, width
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    return first, max(width if not tail else min(length(new[:-tail]), width), first + 1)


class Panel(LinesWidget, QuietFocus):
    """A widget that makes its rows from a picture, anew for each picture and each size."""

    picture = Picture()

    def show(self, picture: Picture) -> None:
        """Draw the picture."""
        self.picture = picture
        width, height = self.size
        if self.display and width and height:
            self.publish(self.rows(picture, width, height))

    def rows(self, picture: Picture, width: int, height: int) -> Sequence[Row]:
        """The rows of a picture at that size; each panel says its own."""
        raise NotImplementedError(type(self).__name__)

    def on_resize(self) -> None:
        """Draw the same picture at another size."""
        self.show(self.picture)

    def watch_has_focus(self, focused: bool) -> None:
        """Show by a mark whether keys go here."""
        super().watch_has_focus(focused)
        self.show(self.picture)
