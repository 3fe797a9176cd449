"""One run on the screen: the latent wall, charts, events, and what the keys do to them."""

import time
from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from typing import Any, ClassVar, TypeVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widget import Widget

from vaemon.view.state import RunView
from vaemon.view.status import status
from vaemon.watch.messages import StageAsked
from vaemon.watch.screens.backlog import writer_backlog
from vaemon.watch.screens.bindings import APP_KEYS, RUN_KEYS, display
from vaemon.watch.screens.help import HelpScreen
from vaemon.watch.widgets.chart import QUANTITIES, Chart, ChartAxis
from vaemon.watch.widgets.events import Events
from vaemon.watch.widgets.header import Banner, Counts, Figures, Header, Progress
from vaemon.watch.widgets.keys import Keys
from vaemon.watch.widgets.notice import Notice
from vaemon.watch.widgets.pen import Pen
from vaemon.watch.widgets.picture import Look, Picture, other_stage
from vaemon.watch.widgets.time import span_of
from vaemon.watch.widgets.wall import Wall

WIDTHS = [(0, "-narrow"), (72, "-usual"), (110, "-wide"), (170, "-huge")]
HEIGHTS = [(0, "-flat"), (5, "-short"), (18, "-medium"), (34, "-tall"), (52, "-towering")]

Choice = TypeVar("Choice", bound=StrEnum)


class RunScreen(Screen[None]):
    """Draws a view only when it is new, the screen is in front, and the terminal has taken the last frame."""

    DEFAULT_CSS = """
    RunScreen {
        layout: vertical;
        Header, Banner, Counts, Figures, Progress, Keys, ChartAxis { height: 1; }
        Banner, Figures, Notice { display: none; }
        #body, Notice { height: 1fr; }
        Wall { width: 1fr; height: 1fr; margin-right: 1; }
        #side { width: 32; height: 1fr; }
        Chart { height: 1fr; }
        Events { height: 3; }

        &.-wide #side { width: 44; }
        &.-huge #side { width: 72; }
        &.-tall Events { height: 8; }
        &.-towering Events { height: 16; }

        &.-narrow #side, &.-short #side, &.-flat #side { display: none; }
        &.-narrow Figures, &.-short Figures { display: block; }
        &.-narrow Wall, &.-short Wall, &.-flat Wall { margin-right: 0; }
        &.-short Progress, &.-short Keys, &.-flat Progress, &.-flat Keys, &.-flat Counts { display: none; }

        &.-reason Banner { display: block; }
        &.-empty #body, &.-empty Counts, &.-empty Figures, &.-empty Progress { display: none; }
        &.-empty Notice { display: block; }

        &.-solo .-pane, &.-solo ChartAxis { display: none; }
        &.-solo .-pane.-shown { display: block; height: 1fr; margin-right: 0; }
        &.-solo-wall #side { display: none; }
        &.-solo-side #side { display: block; width: 1fr; }
    }
    """
    HORIZONTAL_BREAKPOINTS = WIDTHS
    VERTICAL_BREAKPOINTS = HEIGHTS
    AUTO_FOCUS = "Wall"
    BINDINGS: ClassVar[list[BindingType]] = [*RUN_KEYS]

    def __init__(self, pen: Pen, *, title: str = "", hz: float = 2.0, clock: Callable[[], float] = time.time) -> None:
        """Draw with `pen`.

        Args:
            pen: colours and signs.
            title: the run's name until it tells its own.
            hz: frames a second, at most.
            clock: the time, seconds since 1970.
        """
        super().__init__()
        self._pen = pen
        self._title = title
        self._period = 1.0 / hz
        self._clock = clock
        self._newest = RunView()
        self._shown = RunView()
        self._look = Look()
        self._late = False
        """Whether a newer view waits to be drawn."""
        self._notice = ""
        shown = [(display(key), key.id) for key in (*APP_KEYS, *RUN_KEYS) if key.show and key.id]
        self._header, self._wall, self._events = Header(pen), Wall(pen, classes="-pane"), Events(pen, classes="-pane")
        self._charts = [Chart(pen, quantity, classes="-pane") for quantity in QUANTITIES]
        self._above = [self._header, Banner(pen), Counts(pen), Figures(pen), Progress(pen), Notice(pen)]
        self._beside = [*self._charts, ChartAxis(pen), self._events]
        self._below = Keys(pen, shown)

    def compose(self) -> ComposeResult:
        """Header and counts above, the wall with its charts and events, the keys below."""
        yield from self._above
        with Horizontal(id="body"):
            yield self._wall
            with Vertical(id="side"):
                yield from self._beside
        yield self._below

    def on_mount(self) -> None:
        """Look, now and then, at what grows old by itself or could not be drawn before."""
        self.styles.background = self._pen.palette["ground"]
        self.set_interval(max(self._period, 0.5), self._tick)

    def on_resize(self) -> None:
        """Draw at another size, once the parts have theirs."""
        self.call_after_refresh(self.draw)

    def on_screen_resume(self) -> None:
        """Draw what has come while another screen was in front."""
        self.call_after_refresh(self.draw)

    def show(self, view: RunView) -> None:
        """Take a newer view, and draw it unless the picture is paused."""
        self._newest = view
        if not self._look.paused:
            self._shown = view
        self._draw_soon()

    def say(self, notice: str) -> None:
        """Put a few words at the bottom."""
        self._notice = notice
        self._draw_soon()

    def _draw_soon(self) -> None:
        # On a slow link the writer's queue would fill and the keys with it stand still: skip, the tick comes back.
        self._late = not self.is_active or writer_backlog(self.app) > 0
        if not self._late:
            self.draw()

    def _tick(self) -> None:
        if self._late:
            self._draw_soon()
        elif self.is_active and not writer_backlog(self.app):
            self._header.show(self.picture())

    def picture(self) -> Picture:
        """The frame that is due now."""
        return Picture(
            view=self._shown,
            status=status(self._newest, self._clock()),
            look=self._look,
            title=self._title,
            newest=self._newest,
            notice=self._notice,
        )

    def draw(self) -> None:
        """Draw what is not up to date."""
        picture = self.picture()
        empty = not len(picture.view.columns)
        self.set_class(empty, "-empty")
        self.set_class(bool(picture.status.reason) and not empty, "-reason")
        self._wall.show(picture)
        if self._wall.display and self._wall.cells:
            picture = replace(picture, span=self._wall.span)
        for panel in (*self._above, *self._beside, self._below):
            panel.show(picture)

    def _look_so(self, **changes: Any) -> None:
        self._look = replace(self._look, **changes)
        self.draw()

    def action_help(self) -> None:
        """Show the keys and the signs."""
        self.app.push_screen(HelpScreen(self._pen, self._shown.thresholds))

    def action_pause(self) -> None:
        """Let the picture stand still, or go on with the newest."""
        if self._look.paused:
            self._shown = self._newest
        self._look_so(paused=not self._look.paused)

    def action_other_stage(self) -> None:
        """Show the next stage of the run; the newest one is then followed."""
        asked = other_stage(self._newest)
        if asked is None or self._newest.info is None:
            return
        newest = max(stage.number for stage in self._newest.info.stages)
        self._look_so(at=None, paused=False)
        self.post_message(StageAsked(None if asked == newest else asked))

    def action_order(self) -> None:
        """Sort the latents by something else."""
        self._look_so(order=_next(self._look.order))

    def action_axis(self) -> None:
        """Count time in something else."""
        self._look_so(axis=_next(self._look.axis))

    def action_log(self) -> None:
        """Charts logarithmic, or linear."""
        self._look_so(log=not self._look.log)

    def action_smooth(self) -> None:
        """Charts smoothed, or raw."""
        self._look_so(smoothed=not self._look.smoothed)

    def action_move(self, by: int) -> None:
        """Up and down in the list that the keys go to."""
        (self._events if self.focused is self._events else self._wall).move(by)

    def action_cross(self, by: int) -> None:
        """Move the crosshair by a cell; beyond the newest column it is off."""
        columns, wall = self._shown.columns, self._wall
        if not len(columns):
            return
        cells = wall.cells if wall.display and wall.cells else self.size.width
        stride = max(span_of(self.picture(), cells).total // cells, 1)
        at = self._look.at
        column = (len(columns) if at is None else at // columns.width) + by * stride
        self._look_so(at=None if column >= len(columns) else max(column, 0) * columns.width)

    def action_follow(self) -> None:
        """Crosshair off."""
        self._look_so(at=None)

    def action_enlarge(self) -> None:
        """Give the panel that the keys go to the whole screen, or take it back."""
        if self.has_class("-solo"):
            self._shrink()
        elif self.focused is not None:
            self.add_class("-solo", "-solo-wall" if self.focused is self._wall else "-solo-side")
            self.focused.add_class("-shown")
            self._stand_alone(self.focused)

    def action_back(self) -> None:
        """One step back: from an enlarged panel, from the crosshair, from a pause."""
        if self.has_class("-solo"):
            self._shrink()
        elif self._look.at is not None:
            self.action_follow()
        elif self._look.paused:
            self.action_pause()

    def _shrink(self) -> None:
        self.remove_class("-solo", "-solo-wall", "-solo-side")
        self.query(".-pane").remove_class("-shown")
        self._stand_alone(None)

    def _stand_alone(self, alone: Widget | None) -> None:
        for chart in self._charts:
            chart.alone = chart is alone
        self.call_after_refresh(self.draw)


def _next(choice: Choice) -> Choice:
    choices = list(type(choice))
    return choices[(choices.index(choice) + 1) % len(choices)]
