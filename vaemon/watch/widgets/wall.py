"""The latent wall: every latent over time as a strip of heat, sorted so that the wakes make a staircase."""

import numpy as np
from textual import events
from textual.app import ComposeResult
from textual.widget import Widget

from vaemon.batch import Array
from vaemon.view.order import KL_SLACK, VARIANCE_SLACK, settle, sort_latents
from vaemon.watch.render.axis import axis_row
from vaemon.watch.render.cells import BLANK, Row, cut, fit, join, length, said, spread
from vaemon.watch.render.span import TimeSpan
from vaemon.watch.render.wall import Shelf, arrange, legend
from vaemon.watch.widgets.latent import latent_row, values
from vaemon.watch.widgets.lines import LinesWidget
from vaemon.watch.widgets.pen import Pen
from vaemon.watch.widgets.picture import Picture
from vaemon.watch.widgets.shelves import WIDE, Shelves
from vaemon.watch.widgets.time import ruler_of, span_of, steps_per_column

WHEEL = 3
"""Rows that a turn of the wheel scrolls."""


class Wall(Widget, can_focus=True):
    """All latents of the run; one of them is chosen, and told in full below."""

    DEFAULT_CSS = """
    Wall { layout: vertical; }
    Wall > LinesWidget { height: 1; }
    """

    def __init__(self, pen: Pen, **options: str | None) -> None:
        """Draw with `pen`; the options are those of a Textual widget."""
        super().__init__(**options)  # type: ignore[arg-type]
        self.picture = Picture()
        self.order: Array = np.zeros(0, np.int64)
        """The latents in the order shown."""
        self.top = 0
        """First shelf in sight."""
        self._pen = pen
        self._picked: int | None = None
        self._settled: tuple[Array, Array] = (np.zeros(0), np.zeros(0))
        self._all: list[Shelf] = []
        self._shelves = Shelves(pen)
        self._title, self._axis, self._detail = (LinesWidget(pen) for _ in range(3))

    def compose(self) -> ComposeResult:
        """Title, shelves, time axis, the chosen latent."""
        yield self._title
        yield self._shelves
        yield self._axis
        yield self._detail

    @property
    def chosen(self) -> int:
        """The latent that a person has chosen, else the first in the list; -1 while there is none."""
        if self._picked is not None and self._picked < len(self.order):
            return self._picked
        return int(self.order[0]) if len(self.order) else -1

    @property
    def cells(self) -> int:
        """Width of the strips."""
        return self._shelves.cells(self.size.width)

    @property
    def span(self) -> TimeSpan:
        """The time axis shown."""
        return span_of(self.picture, self.cells)

    @property
    def _height(self) -> int:
        # All but title, time axis and the chosen latent.
        return max(self.size.height - 3, 0)

    def show(self, picture: Picture) -> None:
        """Draw the picture."""
        if picture.view.stage != self.picture.view.stage:
            self._picked, self.top, self._settled = None, 0, (np.zeros(0), np.zeros(0))
        self.picture = picture
        if self.display and self.size.area:
            self._sort()
            self._draw()

    def on_resize(self) -> None:
        """Draw the same picture at another size, once the parts have theirs."""
        self.call_after_refresh(lambda: self.show(self.picture))

    def watch_has_focus(self, focused: bool) -> None:
        """Show by a mark whether keys go here."""
        super().watch_has_focus(focused)
        self._draw_title()

    def _sort(self) -> None:
        variance, kl = values(self.picture.view)
        held, held_kl = self._settled
        self._settled = settle(held, variance, VARIANCE_SLACK), settle(held_kl, kl, KL_SLACK)
        self.order = sort_latents(self.picture.look.order, self.picture.view.woke, *self._settled)

    def _draw(self) -> None:
        size, height = self.size, self._height
        self._all = arrange(self.order.tolist(), height, single=self._pen.shaded)
        self.top = max(min(self.top, len(self._all) - height), 0)
        if self._shelves.measure(self._all, len(self.order), size.width, height):
            self.call_after_refresh(self._draw)
        self._shelves.draw(self._all[self.top : self.top + height], self.chosen, self.picture.view, self.span)
        self._draw_title()
        self._axis.publish([self._axis_row()])
        self._detail.publish([latent_row(self.picture, self.chosen, size.width)])

    def _draw_title(self) -> None:
        width, focused = self.size.width, self.has_focus
        mark = said("▸" if focused else " ", "accent", bold=True)
        name = said("latents  ", "accent" if focused else "text", bold=True)
        right = (*legend(8 if width < WIDE else 16, shaded=self._pen.shaded), said(" ")) if len(self.order) else ()
        room = width - length((mark, name)) - length(right) - 2
        told = join([(said(fact, "muted"),) for fact in self._facts()], said(" · ", "faint"), room)
        self._title.publish([spread((mark, name, *told), right, width)])

    def _facts(self) -> list[str]:
        facts = [f"{len(self.order)} by {self.picture.look.order}"] if len(self.order) else []
        each = round(steps_per_column(self.picture.view) * self.span.total / max(self.cells, 1))
        return [*facts, f"1 column = {each:,} step{'s' if each != 1 else ''}"] if each else facts

    def _axis_row(self) -> Row:
        axis, left = self.picture.look.axis, self._shelves.indent
        ruler = ruler_of(self.picture.view, axis)
        if ruler is None:
            return BLANK
        row = fit(axis_row(ruler, self.span.total, self.cells), self.cells)
        if (at := self._at_cell()) is not None:
            row = (*cut(row, 0, at), said("▲", "cursor", bold=True), *cut(row, at + 1, self.cells - at - 1))
        return spread((said(f"{axis:>{left - 1}} ", "muted"), *row), self._beyond(), self.size.width)

    def _beyond(self) -> Row:
        """How many rows there are above and below those in sight."""
        below = max(len(self._all) - self.top - self._height, 0)
        if not self.top and not below:
            return BLANK
        return (said(f"↑ {self.top}  ↓ {below} " if self.top else f"↓ {below} more ", "muted"),)

    def _at_cell(self) -> int | None:
        """The cell under the crosshair, None while the newest is followed."""
        columns, at = self.picture.view.columns, self.picture.look.at
        if at is None or not len(columns) or not self.cells:
            return None
        return self.span.cell(min(at / columns.width, len(columns) - 1), self.cells)

    def move(self, by: int) -> None:
        """Choose another latent, `by` places further down the list."""
        if len(self.order):
            place = int(np.flatnonzero(self.order == self.chosen)[0])
            self.choose(int(self.order[min(max(place + by, 0), len(self.order) - 1)]))

    def choose(self, latent: int) -> None:
        """Choose a latent and scroll it into sight."""
        self._picked = latent
        places = [y for y, shelf in enumerate(self._all) if latent in shelf.latents]
        if places:
            self.top = max(min(self.top, places[0]), places[-1] + 1 - self._height)
        self._draw()

    def scroll(self, by: int) -> None:
        """Show what is further down; the choice stays."""
        self.top += by
        self._draw()

    def on_mouse_scroll_down(self) -> None:
        """Scroll down."""
        self.scroll(WHEEL)

    def on_mouse_scroll_up(self) -> None:
        """Scroll up."""
        self.scroll(-WHEEL)

    def on_click(self, event: events.Click) -> None:
        """Choose the latent that was clicked on; a second click on a shared row chooses its other one."""
        row = event.screen_y - self._shelves.region.y
        if 0 <= row < self._shelves.size.height and self.top + row < len(self._all):
            latents = self._all[self.top + row].latents
            self.choose(latents[-1] if self.chosen == latents[0] else latents[0])
