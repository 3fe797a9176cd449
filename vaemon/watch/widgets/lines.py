"""The base of everything on the screen: rows of cells, of which only those that changed are painted again."""

from collections.abc import Sequence
from itertools import zip_longest

from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from vaemon.watch.render.cells import BLANK, Row, length
from vaemon.watch.widgets.focus import QuietFocus
from vaemon.watch.widgets.pen import Pen
from vaemon.watch.widgets.picture import Picture


class LinesWidget(Widget):
    """Shows the rows that were published last."""

    def __init__(self, pen: Pen, **options: str | None) -> None:
        """Draw with `pen`; the options are those of a Textual widget: id, classes."""
        super().__init__(**options)  # type: ignore[arg-type]
        self.pen = pen
        self._rows: list[Row] = []

    def publish(self, rows: Sequence[Row]) -> None:
        """Show these rows; the screen is asked to paint those that differ from what it shows."""
        before, self._rows = self._rows, list(rows)
        if before == self._rows:
            return
        width = self.size.width
        pairs = enumerate(zip_longest(before, self._rows, fillvalue=BLANK))
        changed = [(y, *_changed(old, new, width)) for y, (old, new) in pairs if old != new]
        if changed:
            self.refresh(*(Region(first, y, last - first, 1) for y, first, last in changed))

    def render_line(self, y: int) -> Strip:
        """One row of the screen."""
        row = self._rows[y] if 0 <= y < len(self._rows) else BLANK
        return self.pen.strip(row, self.size.width)


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
