"""The dashboard: a source is handed in, and shown until a person, or the end of the run, closes it."""

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any, ClassVar

from textual import events, work
from textual.app import App
from textual.binding import BindingType
from textual.screen import Screen
from textual.theme import Theme
from textual.timer import Timer
from textual.worker import Worker, WorkerState, get_current_worker

from vaemon.errors import VaemonError
from vaemon.source.protocol import Source
from vaemon.view.lookout import Lookout
from vaemon.view.state import RunView
from vaemon.view.status import status
from vaemon.watch.messages import StageAsked, ViewChanged
from vaemon.watch.poller import Poller
from vaemon.watch.render.palette import Palette, choose
from vaemon.watch.screens.bindings import APP_KEYS
from vaemon.watch.screens.run import RunScreen
from vaemon.watch.widgets.pen import Pen

FAST, OVER_SSH = 2.0, 1.0
"""Frames a second."""
LOOK_SECONDS = 1.0
"""A run that brings nothing new is looked at so often, for it may stall."""
NOTICE_SECONDS = 10.0
"""An alert stands at the bottom for so long."""


class WatchApp(App[None]):
    """One run, live or over."""

    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [*APP_KEYS]

    def __init__(
        self,
        source: Source,
        *,
        hz: float | None = None,
        ascii: bool = False,
        lookout: Lookout | None = None,
        linger: float = 5.0,
        light: bool | None = None,
        clock: Callable[[], float] = time.time,
        title: str = "",
        **options: Any,
    ) -> None:
        """Show what `source` tells.

        Args:
            source: where the run is read from; used by the poller's thread alone, and not closed here.
            hz: frames a second; by default 2, or 1 over ssh.
            ascii: no signs beyond ASCII.
            lookout: is shown every view; the dashboard closes by itself when it is done, unless a key is pressed.
            linger: seconds between that and closing.
            light: whether the terminal's background is light; by default what $COLORFGBG says, else dark.
            clock: the time, seconds since 1970.
            title: the run's name until it tells its own.
            options: those of a Textual app.
        """
        # No colour here is one of the terminal's own sixteen, so that no filter need look for them; and with
        # NO_COLOR this leaves the terminal its colours, where Textual would else send shades of grey.
        super().__init__(ansi_color=True, **options)
        self.animation_level = "none"
        hz = hz or (OVER_SSH if "SSH_CONNECTION" in os.environ else FAST)
        light = _is_light(os.environ.get("COLORFGBG", "")) if light is None else light
        palette = choose(dark=not light, colours=not self.no_color, depth=self.console.color_system)
        self.register_theme(_theme(palette))
        self.theme = palette.name
        self.poller = Poller(source, lambda view: self.post_message(ViewChanged(view)), hz=hz, clock=clock)
        self.run_screen = RunScreen(Pen(palette, ascii_only=ascii), title=title, hz=hz, clock=clock)
        self._lookout = lookout
        self._now = clock
        self._newest = RunView()
        self._stays = False
        """Whether a key has been pressed since it began to close."""
        self._silence: Timer | None = None
        self._linger = linger
        self._closes: float | None = None
        self.failure: BaseException | None = None
        """What ended it, where that was no fault of the source."""

    def get_default_screen(self) -> Screen[Any]:
        """The run's screen is the first and lowest."""
        return self.run_screen

    def on_mount(self) -> None:
        """Begin to ask the source; leave the terminal in order when told to end."""
        self.poll()
        if self._lookout is not None:
            self.set_interval(LOOK_SECONDS, self._look_out)
        if threading.current_thread() is threading.main_thread():
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGHUP):
                loop.add_signal_handler(number, self.exit)

    @work(thread=True, exclusive=True, exit_on_error=False)
    def poll(self) -> None:
        """Ask the source until the app ends."""
        self.poller.run(get_current_worker().cancelled_event)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Close where the reading has ended by a fault of its own: a picture that stands still would deceive."""
        if event.state is WorkerState.ERROR:
            self.failure = event.worker.error
            self.exit()

    def on_view_changed(self, message: ViewChanged) -> None:
        """Show the newer view."""
        self._newest = message.view
        if self._lookout is None:
            self.run_screen.show(self._newest)
        else:
            self._look_out(new=True)

    def _look_out(self, new: bool = False) -> None:
        """Show the view to the lookout, and do as it says."""
        assert self._lookout is not None
        try:
            seen = self._lookout.see(self._newest, status(self._newest, self._now()))
        except VaemonError as error:
            self.failure = error
            self.exit()
            return
        if new or seen.alerts:
            self.run_screen.show(seen.view)
        for text in (*seen.troubles, *(f"alert: {alert.text}" for alert in seen.alerts)):
            self._tell(text)
        if seen.escapes and self._driver is not None:
            self._driver.write(seen.escapes)
            self._driver.flush()
        if seen.done and self._closes is None and not self._stays:
            self._closes = self._linger
            self._count_down()

    def _tell(self, text: str) -> None:
        """Put a few words at the bottom for a while."""
        self.run_screen.say(text)
        if self._silence is not None:
            self._silence.stop()
        self._silence = self.set_timer(NOTICE_SECONDS, lambda: self.run_screen.say(""))

    def on_stage_asked(self, message: StageAsked) -> None:
        """Ask the source for another stage."""
        self.poller.ask_for(message.stage)

    def _count_down(self) -> None:
        if self._closes is None:
            return
        if self._closes <= 0:
            self.exit()
            return
        self.run_screen.say(f"closes in {self._closes:.0f} s, any key keeps it open")
        wait = min(self._closes, 1.0)
        self._closes -= wait
        self.set_timer(wait, self._count_down)

    async def on_event(self, event: events.Event) -> None:
        """Take any key as a wish to stay."""
        if isinstance(event, events.Key) and self._closes is not None:
            self._closes, self._stays = None, True
            self.run_screen.say("")
        await super().on_event(event)


def watch(source: Source, **options: Any) -> None:
    """Show the run until the dashboard is closed; options as of `WatchApp`. The source is left open.

    Raises:
        VaemonError: the dashboard had to close.
    """
    app = WatchApp(source, **options)
    app.run()
    if isinstance(app.failure, VaemonError):
        raise app.failure
    if app.failure is not None:
        what = f"{type(app.failure).__name__}: {app.failure}"
        raise VaemonError(
            f"the dashboard closed, for it could not read on ({what}); this is a fault in vaemon"
        ) from app.failure


def _is_light(colorfgbg: str) -> bool:
    """Whether $COLORFGBG, "foreground;background" by number, tells of a light background."""
    background = colorfgbg.rpartition(";")[2]
    return background in ("7", "15")


def _theme(palette: Palette) -> Theme:
    return Theme(
        name=palette.name,
        dark=palette.dark,
        primary=palette["accent"],
        foreground=palette["text"],
        background=palette["ground"],
        surface=palette["ground"],
        panel=palette["ground"],
        warning=palette["warn"],
        error=palette["bad"],
        success=palette["good"],
        accent=palette["accent"],
    )
