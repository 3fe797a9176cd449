"""The body of the wall: labels, strips of heat, present values, row by row.

The strips are cut into slabs side by side, each a widget: Textual repaints a changed row from the left edge of its
widget, and what changes is the newest column.
"""

from collections.abc import Sequence

import numpy as np
from textual.app import ComposeResult
from textual.containers import Horizontal

from vaemon.batch import Array, Columns
from vaemon.view.order import settle
from vaemon.view.state import values
from vaemon.watch.render.cells import Grid
from vaemon.watch.render.heat import INKS
from vaemon.watch.render.span import TimeSpan
from vaemon.watch.render.wall import Shelf, heat_grid, label_row, label_width, value_row, value_width
from vaemon.watch.widgets.bare import Bare
from vaemon.watch.widgets.lines import LinesWidget
from vaemon.watch.widgets.pen import Pen
from vaemon.watch.widgets.picture import Picture

SLABS = 6
"""More of them would cost more time at each paint than they save in bytes."""
WIDE = 64
"""From this width of the wall on, states are told by word too."""
READING_SLACK = 0.01
"""A value at the right changes once it has moved by more: a last digit that jitters cannot be read."""


class Shelves(Horizontal, Bare):
    """The rows of the wall that are in sight."""

    DEFAULT_CSS = """
    Shelves LinesWidget { height: 1fr; }
    Shelves .-slab { width: 1fr; }
    """

    def __init__(self, pen: Pen) -> None:
        """Draw with `pen`."""
        super().__init__()
        self.pen = pen
        self._labels, self._values = LinesWidget(pen), LinesWidget(pen)
        self._slabs = [LinesWidget(pen, classes="-slab") for _ in range(SLABS)]
        self._read: Array = np.zeros(0)
        self._read_kl: Array = np.zeros(0)
        self._labelled: object = None
        self._told: object = None
        self._margins = (0, 0)
        self._laid: object = None
        self._drawn: object = None
        self._parts: list[Grid | None] = [None] * SLABS

    def compose(self) -> ComposeResult:
        """Labels, slabs, values, from left to right."""
        yield self._labels
        yield from self._slabs
        yield self._values

    def cells(self, width: int) -> int:
        """Width of the strips in a wall of that width."""
        return max(width - sum(self._margins), 0)

    @property
    def indent(self) -> int:
        """Cells left of the strips."""
        return self._margins[0]

    def measure(self, shelves: Sequence[Shelf], count: int, width: int, height: int) -> bool:
        """Make room for the labels and values of these shelves, all of them, of `count` latents.

        Returns:
            Whether the parts must be laid out anew before they can be drawn.
        """
        self._margins = (label_width(shelves, count), value_width(shelves, width >= WIDE))
        laid = (*self._margins, min(len(shelves), height))
        if laid == self._laid:
            return False
        self._laid = laid
        self._labels.styles.width, self._values.styles.width = self._margins
        self.styles.height = laid[-1]
        return True

    def draw(self, seen: Sequence[Shelf], chosen: int, picture: Picture, span: TimeSpan) -> None:
        """Draw the shelves in sight, the chosen latent marked."""
        seen, columns = list(seen), picture.columns
        self._draw_edges(seen, chosen, picture)
        widths = [slab.size.width for slab in self._slabs]
        # A cell is painted once, when it is complete: as long as none is added, the strips are as they were.
        painted = (span.total, span.painted(sum(widths)), picture.origin)
        if (drawn := (seen, painted, widths)) != self._drawn:
            self._drawn = drawn
            self._draw_strips(seen, columns, span, widths)

    def _draw_edges(self, seen: list[Shelf], chosen: int, picture: Picture) -> None:
        view, pins = picture.view, picture.look.pins
        variance, kl = values(view)
        self._read = settle(self._read, variance, READING_SLACK)
        self._read_kl = settle(self._read_kl, kl, READING_SLACK)
        left, right = self._margins
        if (labelled := (seen, chosen, pins, left)) != self._labelled:
            self._labelled = labelled
            self._labels.publish([label_row(shelf, chosen, pins, left, view.latents) for shelf in seen])
        told = (seen, right, self._read.tobytes(), self._read_kl.tobytes(), view.states.tobytes())
        if told != self._told:
            self._told = told
            self._values.publish([value_row(shelf, self._read, self._read_kl, view.states, right) for shelf in seen])

    def _draw_strips(self, seen: Sequence[Shelf], columns: Columns, span: TimeSpan, widths: list[int]) -> None:
        variance = columns.mean.get("mean_variance", np.zeros((0, 0)))
        grid = heat_grid(seen, variance, span, sum(widths), shaded=self.pen.shaded)
        first = 0
        for number, (slab, width) in enumerate(zip(self._slabs, widths, strict=True)):
            part = grid.part(first, first + width)
            before = self._parts[number]
            if before is None or not part.same(before):
                self._parts[number] = part
                slab.publish(part.rows(INKS))
            first += width
