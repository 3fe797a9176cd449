"""One run on the screen: its head, one of nine views of it, and the keys; when each of them is drawn."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.reactive import Reactive
from textual.timer import Timer
from textual.widget import Widget

from vaemon.view.filters import latents_that
from vaemon.view.order import Ranking
from vaemon.view.state import RunView, looked_into
from vaemon.view.status import Kind, Status, status
from vaemon.view.words import speed as speed_words
from vaemon.watch.messages import ReplayAsked
from vaemon.watch.names import COMPARE, HOME, RUNS
from vaemon.watch.screens.backlog import writer_backlog
from vaemon.watch.screens.bindings import APP_KEYS, RUN_KEYS, footer
from vaemon.watch.screens.filter import FilterLine
from vaemon.watch.screens.going import Going
from vaemon.watch.screens.help import HelpScreen
from vaemon.watch.screens.write import Writing
from vaemon.watch.views.catalogue import VIEWS
from vaemon.watch.widgets.bare import BareScreen, Column
from vaemon.watch.widgets.header import Banner, Counts, Figures, Header, Progress
from vaemon.watch.widgets.keys import Keys
from vaemon.watch.widgets.notice import Notice
from vaemon.watch.widgets.pen import Pen
from vaemon.watch.widgets.picture import Beside, Look, Picture, Playing

WIDTHS = [(0, "-narrow"), (72, "-usual"), (110, "-wide"), (170, "-huge")]
HEIGHTS = [(0, "-flat"), (5, "-short"), (18, "-medium"), (34, "-tall"), (52, "-towering")]
AT_ONCE = 0.5
"""Seconds within which most sources answer: so long, there is no notice that it is waited for them."""
RETRY = 0.03
"""Seconds after which a frame is tried again that the terminal was not ready for."""


class RunScreen(Going, Writing, BareScreen):
    """Draws a view only when it is new, the screen is in front, and the terminal has taken the last frame."""

    DEFAULT_CSS = """
    RunScreen {
        layout: vertical;
        Header, Banner, Counts, Figures, Progress, Keys { height: 1; }
        Banner, Figures, Notice { display: none; }
        #body, Notice { height: 1fr; }

        &.-wide #side { width: 44; }
        &.-huge #side { width: 72; }
        &.-tall HomeView Events { height: 8; }
        &.-towering HomeView Events { height: 16; }

        &.-narrow HomeView #side, &.-short HomeView #side, &.-flat HomeView #side { display: none; }
        &.-narrow HomeView.-solo-side #side, &.-short HomeView.-solo-side #side { display: block; }
        &.-narrow Roll, &.-usual Roll { display: none; }
        &.-narrow LatentView.-seen, &.-usual LatentView.-seen { layout: vertical; }
        &.-narrow #aside, &.-usual #aside { width: 1fr; height: auto; margin: 0; }
        &.-narrow LatentCard, &.-usual LatentCard { height: 3; }
        &.-narrow Traversal, &.-usual Traversal { height: 9; }
        &.-medium.-usual Traversal, &.-narrow Traversal, &.-short Traversal, &.-flat Traversal { display: none; }
        &.-narrow BalanceView.-seen { grid-size: 1; }
        &.-narrow LatentView #charts { grid-size: 1 4; }
        &.-narrow BalanceView.-solo, &.-narrow LatentView.-solo #charts { grid-size: 1 1; }
        &.-narrow Figures, &.-short Figures { display: block; }
        &.-narrow Wall, &.-short Wall, &.-flat Wall { margin-right: 0; }
        &.-short Progress, &.-short Keys, &.-flat Progress, &.-flat Keys, &.-flat Counts { display: none; }

        &.-several Counts, &.-several Figures, &.-several Progress { display: none; }

        &.-reason Banner { display: block; }
        &.-empty #body, &.-empty Counts, &.-empty Figures, &.-empty Progress { display: none; }
        &.-empty Notice { display: block; }
        &.-several Notice { display: none; }
        &.-several #body { display: block; }
    }
    """
    HORIZONTAL_BREAKPOINTS = WIDTHS
    VERTICAL_BREAKPOINTS = HEIGHTS
    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [*RUN_KEYS]
    # Textual's own paints the whole screen anew whenever another panel is gone to.
    focused: Reactive[Widget | None] = Reactive(None, repaint=False)

    def __init__(
        self,
        pen: Pen,
        *,
        title: str = "",
        hz: float = 2.0,
        clock: Callable[[], float] = time.time,
        beside: Callable[[int], tuple[Beside, ...]] = lambda number: (),
        number: int = HOME,
    ) -> None:
        """Draw with `pen`.

        Args:
            pen: colours and signs.
            title: the run's name until it tells its own.
            hz: frames a second, at most.
            clock: the time, seconds since 1970.
            beside: the runs that the view of a number tells of, where it tells of several.
            number: which of the views is seen first.
        """
        super().__init__()
        self.pen = pen
        self._beside = beside
        self._held: tuple[int, tuple[Beside, ...]] = 0, ()
        """The runs that are told of, and the view that they were asked for by."""
        self.look = Look()
        self.shown = RunView()
        self.runs: tuple[str, ...] = ()
        """The names of the runs that are watched, where there are several."""
        self.playing: Playing | None = None
        self._title = title
        self._period = 1.0 / hz
        self._clock = clock
        self._newest = RunView()
        self._late = False
        """Whether a newer view waits to be drawn."""
        self._rises = True
        """Whether the screen has only just come up."""
        self._retry: Timer | None = None
        """When it is tried again, where the terminal is behind."""
        self._told: Status | None = None
        """How the run fares as it is on the screen; it grows old by itself."""
        self._notice = ""
        self._ranking = Ranking()
        self._header = Header(pen)
        self._above = [self._header, Banner(pen), Counts(pen), Figures(pen), Progress(pen), Notice(pen)]
        self._views = {number: VIEWS[number](pen)}
        self.number = number
        self._filter = FilterLine()
        self._below = Keys(pen, footer((*APP_KEYS, *RUN_KEYS)))

    def compose(self) -> ComposeResult:
        """Header and counts above, the view, the keys below."""
        yield from self._above
        with Column(self.pen, id="body"):
            yield from self._views.values()
        yield self._filter
        yield self._below

    def on_mount(self) -> None:
        """Look, now and then, at what grows old by itself or could not be drawn before."""
        self.styles.background = self.pen.palette["ground"]
        # Textual finds these out only after it has laid out, and painted, everything without them. It styles everything
        # as the screen comes to the front, which is next.
        for sizes, cells in ((WIDTHS, self.app.size.width), (HEIGHTS, self.app.size.height)):
            self.add_class(max(each for each in sizes if each[0] <= cells)[1], update=False)
        self.view.add_class("-seen", update=False)
        self.focus_first()
        self.set_interval(max(self._period, 0.5), self._tick)
        self.set_timer(AT_ONCE, self._has_risen)

    def _has_risen(self) -> None:
        self._rises = False
        if self.shown.info is None:
            self.draw_soon()

    def on_resize(self) -> None:
        """Draw at another size, once the parts have theirs."""
        self.call_after_refresh(self.draw)

    def on_screen_resume(self) -> None:
        """Draw what has come while another screen was in front."""
        self.call_after_refresh(self.draw)

    def show(self, view: RunView) -> None:
        """Take a newer view, and draw it unless the picture is paused."""
        self._newest = view
        if self.look.paused:
            self.shown = looked_into(self.shown, view)
        else:
            self.see(view)
            self.go_to_sought()
        self.draw_soon()

    def say(self, notice: str, seconds: float | None = None) -> None:
        """Put a few words at the bottom: for so many seconds, or (None) until there are others."""
        self._notice = notice
        self.draw_soon()
        if seconds is not None:
            self.set_timer(seconds, lambda: self.say("") if self._notice == notice else None)

    def draw_soon(self) -> None:
        """Draw, at once if the screen is in front and the terminal has taken the last frame."""
        # On a slow link the writer's queue would fill and the keys with it stand still, also by what keys change.
        waits = writer_backlog(self.app) > 0
        self._late = waits or not self.is_active
        if not self._late:
            self.draw()
        elif waits and self._retry is None:
            self._retry = self.set_timer(RETRY, self._draw_late)

    def _draw_late(self) -> None:
        self._retry = None
        if self._late:
            self.draw_soon()

    def _tick(self) -> None:
        if self._late:
            self.draw_soon()
        elif self.is_active and not writer_backlog(self.app) and self._status() != self._told:
            picture = self.picture()
            self._told = picture.status
            self._header.show(picture)

    def picture(self) -> Picture:
        """The frame that is due now."""
        order = self._ranking.of(self.shown, self.look.order, self.look.pins)
        if text := self.look.filters.get("latents", ""):
            order = order[latents_that(text, self.shown, self.look.pins)[0][order]]
        return Picture(
            view=self.shown,
            status=self._status(),
            look=self.look,
            order=order,
            title=self._title,
            newest=self._newest,
            notice=self._notice,
            number=self.number,
            playing=self.playing,
            runs=self.runs,
            beside=self._several(),
        )

    def _several(self) -> tuple[Beside, ...]:
        if not self.look.paused or self._held[0] != self.number:
            self._held = self.number, self._beside(self.number)
        return self._held[1]

    def show_beside(self) -> None:
        """Draw what is new of the other runs."""
        if self.number in (COMPARE, RUNS):
            self.draw_soon()

    def _status(self) -> Status:
        fares = status(self._newest, self._clock())
        if self.playing is None or not (fares.live or fares.kind is Kind.STALLED):
            return fares
        how = "held" if self.playing.held else speed_words(self.playing.speed)
        return Status(Kind.REPLAY, f"replay {how}", fares.age, fares.reason, fares.alarm)

    def draw(self) -> None:
        """Draw what is not up to date."""
        if not self.is_mounted:
            return
        picture = self.picture()
        self._told = picture.status
        # A notice for the moment before the first answer would have everything laid out and painted twice more.
        at_once = self._rises and picture.view.info is None and not picture.view.lost
        empty, was_empty = not len(picture.view.columns) and not at_once, self.has_class("-empty")
        self.set_class(empty, "-empty")
        if was_empty and not empty and not self._filter.has_class("-open"):
            self.call_after_refresh(self.focus_first)  # Textual took the focus from a panel that could not be seen.
        self.set_class(self.number in (COMPARE, RUNS), "-several")
        self.set_class(bool(picture.status.reason) and not empty, "-reason")
        for panel in (*self._above, self._below):
            panel.show(picture)
        self.view.show(picture)

    def action_help(self) -> None:
        """Show the keys and the signs."""
        self.app.push_screen(HelpScreen(self.pen, self.shown.thresholds))

    def action_pause(self) -> None:
        """Let the picture stand still, or go on with the newest; a replay itself stands still."""
        if self.playing is not None:
            self.post_message(ReplayAsked(hold=not self.playing.held))
            return
        if self.look.paused:
            self.see(self._newest)
        self.look_so(paused=not self.look.paused)

    def action_filter(self) -> None:
        """Type what the list is to be narrowed to."""
        self._filter.begin(self.view.lists, self.look.filters.get(self.view.lists, ""))

    def on_filter_line_typed(self, message: FilterLine.Typed) -> None:
        """Narrow the list while it is typed."""
        self.look_so(filters={**self.look.filters, message.lists: message.text})
        unknown = latents_that(message.text, self.shown)[1] if message.lists == "latents" else ""
        self._filter.complain(f"“{unknown}” is not understood" if unknown else "")

    def on_filter_line_left(self) -> None:
        """Let the keys go to the list again."""
        self.focus_first()

    def forget(self, title: str, look: Look) -> None:
        """Begin with another run."""
        self._title, self.look, self.shown, self._newest = title, look, RunView(), RunView()
        self._ranking, self.sought, self.stage = Ranking(), None, None
        self.ask()

    def look_differently(self, look: Look, number: object) -> None:
        """Look as somebody did before, if possible at the same view."""
        self.look = replace(look, paused=False).of_stage(self.shown.stage)
        self.ask()
        if type(number) is int and number in VIEWS and number != self.number:
            self.run_worker(self.action_view(number))
