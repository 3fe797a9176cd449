"""The base of everything on the screen: rows of cells, of which only those that changed are painted again."""

from collections.abc import Sequence
from itertools import zip_longest

from textual.geometry import Region
from textual.strip import Strip

from vaemon.watch.render.cells import BLANK, Ink, Row, Span, length
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
        self._painted: list[Strip] = []
        """The rows as they were painted last."""
        self._stale: set[int] = set()
        """Those that have changed since."""
        self._painted_for: object = None

    def publish(self, rows: Sequence[Row]) -> None:
        """Show these rows; the screen is asked to paint those that differ from what it shows."""
        before, self._rows = self._rows, list(rows)
        if before == self._rows:
            return
        width = self.size.width
        pairs = enumerate(zip_longest(before, self._rows, fillvalue=BLANK))
        changed = [(y, *_changed(old, new, width)) for y, (old, new) in pairs if not _same(old, new)]
        if changed:
            self._stale.update(y for y, _, _ in changed)
            self.refresh(*(Region(first, y, last - first, 1) for y, first, last in changed))

    def bare_lines(self, crop: Region) -> list[Strip]:
        """The rows of that part; what has not changed was made before."""
        # The part may be larger than the widget, which learns of another size a little later than the screen.
        width, height = max(self.outer_size.width, crop.right), max(self.outer_size.height, crop.bottom)
        if self._painted_for != (painted_for := (width, height, self.pen.palette)):
            self._painted_for = painted_for
            self._painted = [self._line(y, width) for y in range(height)]
        else:
            for y in self._stale.intersection(range(height)):
                self._painted[y] = self._line(y, width)
        self._stale.clear()
        if crop == (0, 0, width, height):
            return self._painted
        return [strip.crop(crop.x, crop.right) for strip in self._painted[crop.y : crop.bottom]]

    def render_line(self, y: int) -> Strip:
        """One row of the screen."""
        return self._line(y, self.size.width)

    def _line(self, y: int, width: int) -> Strip:
        row = self._rows[y] if 0 <= y < len(self._rows) else BLANK
        return self.pen.strip(row, width)


def _same(old: Row, new: Row) -> bool:
    """Whether two rows look the same: where there was nothing, blanks need not be painted."""
    return old == new or all(_is_blank(span) for span in (*old, *new))


def _is_blank(span: Span) -> bool:
    return span.text.isspace() and span.ink.bg == Ink().bg


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
    _made_of: object = None
    """What the rows that are shown were made of."""

    def show(self, picture: Picture) -> None:
        """Draw the picture."""
        self.picture = picture
        width, height = self.size
        if not (self.display and width and height):
            return
        depends = self.depends(picture)
        made_of = (depends, self.has_focus, width, height)
        if depends is None or self._made_of != made_of:
            self._made_of = made_of
            self.publish(self.rows(picture, width, height))

    def depends(self, picture: Picture) -> object:
        """All that the rows depend on beside their size: they are made anew when it changes; None: for each picture."""
        return None

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
