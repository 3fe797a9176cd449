"""The latent wall: every latent over time as a strip of heat, sorted so that the wakes make a staircase."""

import numpy as np
from textual import events
from textual.app import ComposeResult

from vaemon.view.state import WALL_CHANNELS
from vaemon.watch.render.axis import axis_row, marked
from vaemon.watch.render.cells import BLANK, Row, fit, join, length, said, spread
from vaemon.watch.render.fold import Fold, fold
from vaemon.watch.render.span import TimeSpan
from vaemon.watch.render.wall import Shelf, arrange, legend
from vaemon.watch.widgets.bare import Bare
from vaemon.watch.widgets.data import Numbers, PanelData
from vaemon.watch.widgets.focus import QuietFocus
from vaemon.watch.widgets.gestures import ChosenLatent, TimeMouse
from vaemon.watch.widgets.latent import latent_row, strip_row
from vaemon.watch.widgets.lines import LinesWidget
from vaemon.watch.widgets.pen import Pen
from vaemon.watch.widgets.picture import Picture
from vaemon.watch.widgets.shelves import WIDE, Shelves
from vaemon.watch.widgets.time import ruler_of, span_of, steps_per_column

FRAME = 3
"""Rows around the strips."""
WHEEL = 3
"""Rows that a turn of the wheel scrolls."""


class Wall(TimeMouse, QuietFocus, Bare, Numbers, can_focus=True):
    """All latents of the run; one of them is chosen, and told in full below."""

    DEFAULT_CSS = """
    Wall { layout: vertical; }
    Wall > LinesWidget { height: 1; }
    Wall.-bare > LinesWidget { display: none; }
    """

    def __init__(self, pen: Pen, **options: str | None) -> None:
        """Draw with `pen`; the options are those of a Textual widget."""
        super().__init__(**options)  # type: ignore[arg-type]
        self.picture = Picture()
        self.top = 0
        """First shelf in sight."""
        self.pen = pen
        self._all: list[Shelf] = []
        self._folded: Fold | None = None
        self._shelves = Shelves(pen)
        self._title, self._axis, self._detail = (LinesWidget(pen) for _ in range(3))

    def compose(self) -> ComposeResult:
        """Title, shelves, time axis, the chosen latent."""
        yield self._title
        yield self._shelves
        yield self._axis
        yield self._detail

    @property
    def time_cells(self) -> tuple[int, int]:
        """Where the strips begin, and their width."""
        return self._shelves.indent, self._shelves.cells(self.size.width)

    @property
    def span(self) -> TimeSpan:
        """The time axis shown."""
        return span_of(self.picture, self.time_cells[1])

    @property
    def _height(self) -> int:
        # All but title, time axis and the chosen latent, where those leave room for anything.
        return self.size.height - (FRAME if self.size.height > FRAME else 0)

    def show(self, picture: Picture) -> None:
        """Draw the picture."""
        before, self.picture = self.picture, picture
        if picture.view.stage != before.view.stage:
            self.top = 0
        if self.display and self.size.area:
            self._draw(picture.chosen != before.chosen)

    def on_resize(self) -> None:
        """Draw the same picture at another size, once the parts have theirs."""
        self.call_after_refresh(lambda: self.show(self.picture))

    def on_slab_relaid(self) -> None:
        """Draw the strips at the size that they have now."""
        if self.display and self.size.area:
            self._draw()

    def watch_has_focus(self, focused: bool) -> None:
        """Show by a mark whether keys go here."""
        super().watch_has_focus(focused)
        self._draw_title()

    def _draw(self, to_chosen: bool = False) -> None:
        size, height, picture = self.size, self._height, self.picture
        self.set_class(size.height <= FRAME, "-bare")
        was_folded, self._folded = self._folded is not None, self._fold()
        self._all = self._arranged()
        if was_folded and self._folded is None:
            self.top = self._place(picture.chosen)
        if to_chosen:
            self._bring(picture.chosen)
        self.top = max(min(self.top, len(self._all) - height), 0)
        self._shelves.measure(self._all, picture.view.latents, size.width, height, self._folded)
        self._shelves.draw(self._all[self.top : self.top + height], picture, self.span, self._folded)
        self._draw_title()
        self._axis.publish([self._axis_row()])
        self._detail.publish([self._detail_row(size.width)])

    def _fold(self) -> Fold | None:
        picture = self.picture
        if not picture.look.folded:
            return None
        pinned = int(np.isin(picture.order, sorted(picture.look.pins)).sum())
        return fold(picture.order, self._height, pinned, single=self.pen.shaded)

    def _arranged(self) -> list[Shelf]:
        if self._folded is not None:
            return self._folded.shelves(single=self.pen.shaded)
        return arrange(self.picture.order.tolist(), self._height, single=self.pen.shaded)

    def _detail_row(self, width: int) -> Row:
        folded, chosen = self._folded, self.picture.chosen
        if folded is None or not self.gathers:
            return latent_row(self.picture, chosen, width)
        strip = folded.strip(chosen)
        return strip_row(self.picture, folded.name(strip), folded.latents(strip), width)

    @property
    def gathers(self) -> bool:
        """Whether the chosen latent shares its strip with others."""
        strip = self._folded.strip(self.picture.chosen) if self._folded is not None else -1
        return self._folded is not None and strip >= 0 and len(self._folded.latents(strip)) > 1

    def _draw_title(self) -> None:
        width, focused, picture = self.size.width, self.has_focus, self.picture
        mark = said("▸" if focused else " ", "accent", bold=True)
        name = said("latents  ", "accent" if focused else "text", bold=True)
        right = (*legend(8 if width < WIDE else 16, shaded=self.pen.shaded), said(" ")) if picture.view.latents else ()
        facts = self._facts()
        # What changes the meaning of the picture must be told, if need be in the place of the colours' scale.
        least = sum(len(fact) + 3 for fact in facts[: self._must_be_told])
        if length((mark, name)) + least + length(right) + 1 > width:
            right = ()
        room = width - length((mark, name)) - length(right) - 2
        told = join([(said(fact, "muted"),) for fact in facts], said(" · ", "faint"), room)
        self._title.publish([spread((mark, name, *told), right, width)])

    @property
    def _must_be_told(self) -> int:
        """So many of the facts."""
        return (self.picture.look.at is not None) + (self._folded is not None)

    def _facts(self) -> list[str]:
        picture, folded = self.picture, self._folded
        facts = []
        if picture.look.at is not None and len(picture.columns):
            facts.append(f"at step {int(picture.columns.step[picture.columns.place(picture.look.at)]):,}")
        if folded is not None:
            facts.append(f"1 strip = {folded.each:,} latents")
        count, all_there_are = len(picture.order), picture.view.latents
        some = f"{count}" if count == all_there_are else f"{count} of {all_there_are}"
        facts += [f"{some} by {picture.look.order}"] if all_there_are else []
        if picture.look.log_time:
            return [*facts, "time is logarithmic"]
        # Where a step takes several cells, no column stands for less than one.
        cells = max(self.time_cells[1], 1)
        each = round(steps_per_column(picture.columns) * max(self.span.total / cells, 1))
        return [*facts, f"1 column = {each:,} step{'s' if each != 1 else ''}"] if each else facts

    def _axis_row(self) -> Row:
        axis, (left, cells) = self.picture.look.axis, self.time_cells
        ruler = ruler_of(self.picture)
        if ruler is None:
            return BLANK
        row = fit(axis_row(ruler, self.span, cells), cells)
        if (at := self._at_cell()) is not None:
            row = marked(row, at, said("▲", "cursor", bold=True))
        return spread((said(f"{axis:>{left - 1}} ", "muted"), *row), self._beyond(), self.size.width)

    def _beyond(self) -> Row:
        """How many rows there are above and below those in sight."""
        below = max(len(self._all) - self.top - self._height, 0)
        if not self.top and not below:
            return BLANK
        return (said(f"↑ {self.top}  ↓ {below} " if self.top else f"↓ {below} more ", "muted"),)

    def _at_cell(self) -> int | None:
        """The cell under the crosshair, None while the newest is followed."""
        columns, at, cells = self.picture.columns, self.picture.look.at, self.time_cells[1]
        return self.span.cell(columns.place(at), cells) if at is not None and len(columns) and cells else None

    def move(self, by: int) -> None:
        """Choose another latent, or strip, `by` places further down the list."""
        if self._folded is not None:
            strip = min(max(self._folded.strip(self.picture.chosen) + by, 0), len(self._folded) - 1)
            self.post_message(ChosenLatent(int(self._folded.latents(strip)[0])))
        elif (latent := self.picture.further(by)) >= 0:
            self.post_message(ChosenLatent(latent))

    def _place(self, latent: int) -> int:
        """The first shelf of a latent; 0 where it has none."""
        return next((y for y, shelf in enumerate(self._all) if latent in shelf.latents), 0)

    def _bring(self, latent: int) -> None:
        if self._folded is None and (places := [y for y, shelf in enumerate(self._all) if latent in shelf.latents]):
            self.top = max(min(self.top, places[0]), places[-1] + 1 - self._height)

    def scroll(self, by: int) -> None:
        """Show what is further down; the choice stays."""
        self.top += by
        self._draw()

    def data(self) -> PanelData:
        """The numbers shown."""
        return PanelData("latents", WALL_CHANNELS)

    def wheel(self, by: int) -> bool:
        """Scroll, where there is more than is in sight."""
        if len(self._all) <= self._height:
            return False
        self.scroll(by * WHEEL)
        return True

    def on_click(self, event: events.Click) -> None:
        """Choose the latent, or strip, that was clicked on; a second click on a shared row chooses its other one."""
        row = event.screen_y - self._shelves.region.y
        if not self.dragged and 0 <= row < self._shelves.size.height and self.top + row < len(self._all):
            there, folded = self._all[self.top + row].latents, self._folded
            chosen = folded.strip(self.picture.chosen) if folded is not None else self.picture.chosen
            found = there[-1] if chosen == there[0] else there[0]
            self.post_message(ChosenLatent(found if folded is None else int(folded.latents(found)[0])))
