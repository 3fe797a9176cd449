"""The body of the wall: labels, strips of heat, present values, row by row.

The strips are cut into slabs side by side, each a widget: Textual repaints a changed row from the left edge of its
widget, and what changes is the newest column.
"""

from collections.abc import Sequence

import numpy as np
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message

from vaemon.batch import Array
from vaemon.latents import LatentState
from vaemon.view.moment import Moment, moment
from vaemon.view.order import settle
from vaemon.watch.render.cells import Grid, Row
from vaemon.watch.render.fold import Fold, strip_label_row, strip_label_width, strip_value_row, strip_value_width
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
ROOMY = 100
"""From this width on, a strip of several latents tells of how many it is even where two share a row."""
READING_SLACK = 0.01
"""A value at the right changes once it has moved by more: a last digit that jitters cannot be read."""


class Slab(LinesWidget):
    """Some of the strips' cells."""

    class Relaid(Message):
        """It has another size, and so have those beside it."""

    def on_resize(self) -> None:
        """Tell of it: what was drawn was for another size."""
        self.post_message(self.Relaid())


class Shelves(Horizontal, Bare):
    """The rows of the wall that are in sight."""

    DEFAULT_CSS = """
    Shelves LinesWidget { height: 1fr; }
    Shelves Slab { width: 1fr; }
    """

    def __init__(self, pen: Pen) -> None:
        """Draw with `pen`."""
        super().__init__()
        self.pen = pen
        self._labels, self._values = LinesWidget(pen), LinesWidget(pen)
        self._slabs = [Slab(pen) for _ in range(SLABS)]
        self._read: tuple[Array, Array] = (np.zeros(0), np.zeros(0))
        self._total = False
        """Whether strips of several latents tell of how many they are."""
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

    def measure(self, shelves: Sequence[Shelf], count: int, width: int, height: int, folded: Fold | None) -> None:
        """Make room for the labels and values of these shelves, all of them, of `count` latents.

        Where the parts are laid out anew for it, they tell so, and must be drawn again.
        """
        if folded is None:
            self._margins = (label_width(shelves, count), value_width(shelves, width >= WIDE))
        else:
            shared = any(len(shelf.latents) > 1 for shelf in shelves)
            self._total = width >= (ROOMY if shared else WIDE)
            self._margins = (strip_label_width(folded, count), strip_value_width(folded, shelves, self._total))
        laid = (*self._margins, min(len(shelves), height))
        if laid != self._laid:
            self._laid = laid
            self._labels.styles.width, self._values.styles.width = self._margins
            self.styles.height = laid[-1]

    def draw(self, seen: Sequence[Shelf], picture: Picture, span: TimeSpan, folded: Fold | None) -> None:
        """Draw the shelves in sight, the chosen latent marked; of a folded wall, its strips in place of latents."""
        seen = list(seen)
        self._draw_labels(seen, picture, folded)
        self._draw_values(seen, picture, folded)
        widths = [slab.size.width for slab in self._slabs]
        # A cell is painted once, when it is complete: as long as none is added, the strips are as they were.
        painted = (span.whole(sum(widths)), picture.origin, folded.key if folded is not None else None)
        if (drawn := (seen, painted, widths)) != self._drawn:
            self._drawn = drawn
            self._draw_strips(seen, picture, span, widths, folded)

    def _draw_labels(self, seen: list[Shelf], picture: Picture, folded: Fold | None) -> None:
        chosen, pins, left = picture.chosen, picture.look.pins, self._margins[0]
        key = folded.key if folded is not None else None
        if (labelled := (seen, chosen, pins, left, key)) == self._labelled:
            return
        self._labelled = labelled
        if folded is None:
            self._labels.publish([label_row(shelf, chosen, pins, left, picture.view.latents) for shelf in seen])
        else:
            strip = folded.strip(chosen)
            self._labels.publish([strip_label_row(shelf, folded, strip, pins, left) for shelf in seen])

    def _draw_values(self, seen: list[Shelf], picture: Picture, folded: Fold | None) -> None:
        right = self._margins[1]
        then = moment(picture.view, picture.columns, picture.look.at)
        variance, kl = self._settled(then)
        key = (folded.key, folded.strip(picture.chosen), self._total) if folded is not None else None
        told = (seen, right, variance.tobytes(), kl.tobytes(), then.states.tobytes(), key)
        if told == self._told:
            return
        self._told = told
        if folded is None:
            self._values.publish([value_row(shelf, variance, kl, then.states, right) for shelf in seen])
            return
        mean, active = folded.mean(variance), folded.count(then.states == LatentState.ACTIVE)
        chosen = folded.strip(picture.chosen)
        rows: list[Row] = [
            strip_value_row(shelf, folded, mean, active, then.states, chosen, right, self._total) for shelf in seen
        ]
        self._values.publish(rows)

    def _settled(self, then: Moment) -> tuple[Array, Array]:
        """Variance and KL as they are written; those of a moment of before do not move."""
        if then.step is not None:
            return then.variance, then.kl
        held, held_kl = self._read
        self._read = settle(held, then.variance, READING_SLACK), settle(held_kl, then.kl, READING_SLACK)
        return self._read

    def _draw_strips(
        self, seen: Sequence[Shelf], picture: Picture, span: TimeSpan, widths: list[int], folded: Fold | None
    ) -> None:
        variance = picture.columns.mean.get("mean_variance", np.zeros((0, 0)))
        if folded is not None and variance.size:
            variance = folded.mean(variance)
        grid = heat_grid(seen, variance, span, sum(widths), shaded=self.pen.shaded)
        first = 0
        for number, (slab, width) in enumerate(zip(self._slabs, widths, strict=True)):
            part = grid.part(first, first + width)
            before = self._parts[number]
            if before is None or not part.same(before):
                self._parts[number] = part
                slab.publish(part.rows(INKS))
            first += width
