"""The dashboard: sources are handed in, and shown until a person, or the end of the run, closes it.

Whatever takes long to load is imported where it is first used: the first frame does not wait for it.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import SystemCommand
from textual.binding import BindingType
from textual.screen import Screen
from textual.worker import Worker, WorkerState

from vaemon.errors import VaemonError
from vaemon.watch.names import COMPARE, FOR_A_WHILE, HOME
from vaemon.watch.render.palette import Palette, choose
from vaemon.watch.screens.bindings import APP_KEYS
from vaemon.watch.screens.curtain import Curtain
from vaemon.watch.terminal import AtTerminal
from vaemon.watch.themes import is_light, theme_of

if TYPE_CHECKING:
    from textual.command import Provider

    from vaemon.playback import Playback
    from vaemon.source.protocol import Directory, Source
    from vaemon.view.lookout import Lookout
    from vaemon.view.state import RunView
    from vaemon.watch.memory import Memory
    from vaemon.watch.messages import ViewChanged
    from vaemon.watch.screens.run import RunScreen
    from vaemon.watch.seat import Seat
    from vaemon.watch.widgets.pen import Pen

FAST, OVER_SSH, REPLAYED = 2.0, 1.0, 4.0
"""Frames a second."""
THREADS = 256
"""Runs that can be watched at once: each takes a thread, of which asyncio by itself has but four more than there are
cores; they are begun when they are needed."""
TERMINAL_SECONDS = 2.0
"""It is looked so often whether the terminal is still there."""
EXIT_HANGUP = 129
"""128 and the number of the signal that a terminal sends when it goes."""
LOOK_SECONDS = 1.0
"""A run that brings nothing new is looked at so often, for it may stall."""


def _commands() -> type[Provider]:
    from vaemon.watch.commands import RunCommands

    return RunCommands


class WatchApp(AtTerminal):
    """One run, or several: live, over, or replayed."""

    # Textual's own have the terminal's colours, which need not be those of the screen, and a ground of their own.
    CSS = """
    Input:ansi, Input:ansi:focus { color: $foreground; background: $background; background-tint: $foreground 0%; }
    CommandPalette > Vertical { background: $background; }
    CommandPalette SearchIcon { color: $foreground; }
    CommandPalette #--input { border-top: hkey $accent; }
    CommandPalette CommandList { border-bottom: hkey $accent; }
    """
    COMMANDS: ClassVar = {_commands}
    BINDINGS: ClassVar[list[BindingType]] = [*APP_KEYS]

    failure: BaseException | None = None
    """What ended it, where that was no fault of a source."""

    def __init__(
        self,
        source: Source,
        *,
        others: Sequence[tuple[str, Source]] = (),
        directory: Directory | None = None,
        hz: float | None = None,
        ascii: bool = False,
        lookouts: Sequence[Lookout] = (),
        linger: float = 5.0,
        light: bool | None = None,
        true_pictures: Callable[[], bool] | None = None,
        clock: Callable[[], float] = time.time,
        title: str = "",
        playback: Playback | None = None,
        memory: Callable[[], Memory] | None = None,
        curtain: bool = False,
        **options: Any,
    ) -> None:
        """Show what `source` tells.

        Args:
            source: where the run is read from; used by the poller's thread alone, and not closed here.
            others: further runs, each with its name; where there are any, all are compared at first.
            directory: where more runs are, to be listed and opened; not closed here.
            hz: frames a second; by default 2, of a replay 4, or 1 over ssh.
            ascii: no signs beyond ASCII.
            lookouts: one for each run, is shown every view; the dashboard closes by itself when all are done, unless a
                key is pressed.
            linger: seconds between that and closing.
            light: whether the terminal's background is light; by default what $COLORFGBG says, else dark.
            true_pictures: tells, from a thread, whether the terminal draws pictures by Kitty's protocol; None: no.
            clock: the time, seconds since 1970.
            title: the run's name until it tells its own.
            playback: what winds the source on and back, where it is a replay.
            memory: gives that in which it is kept how runs are looked at; None: it is not kept.
            curtain: show a first frame before what fills it is loaded.
            options: those of a Textual app.
        """
        # No colour here is one of the terminal's own sixteen, so that no filter need look for them; and with
        # NO_COLOR this leaves the terminal its colours, where Textual would else send shades of grey.
        super().__init__(ansi_color=True, **options)
        self.animation_level = "none"
        self._hz = hz or (OVER_SSH if "SSH_CONNECTION" in os.environ else REPLAYED if playback is not None else FAST)
        light = is_light(os.environ.get("COLORFGBG", "")) if light is None else light
        self._colours = self._palette(light=light)
        self.register_theme(theme_of(self._colours))
        self.theme = self._colours.name
        self._sources = ((title, source), *others)
        self._directory = directory
        self._lookouts = lookouts
        self._playback = playback
        self._ascii = ascii
        self._true_pictures = true_pictures
        self._open_memory = memory
        self._curtain = curtain
        self._now = clock
        self.linger = linger

    @cached_property
    def pen(self) -> Pen:
        """What is drawn with."""
        from vaemon.watch.widgets.pen import Pen

        return Pen(self._colours, ascii_only=self._ascii)

    @cached_property
    def _memory(self) -> Memory | None:
        return self._open_memory() if self._open_memory is not None else None

    @cached_property
    def run_screen(self) -> RunScreen:
        """The screen on which a run is shown."""
        from vaemon.watch.screens.run import RunScreen

        return RunScreen(
            self.pen,
            title=self._sources[0][0],
            hz=self._hz,
            clock=self._now,
            beside=lambda number: self.roster.tell(number, self.seat),
            number=COMPARE if len(self._sources) > 1 else HOME,
        )

    def get_default_screen(self) -> Screen[Any]:
        """The first and lowest: the run's screen, or what stands in its place until it is loaded."""
        title = self._sources[0][0]
        return Curtain(title, self._colours, ascii_only=self._ascii) if self._curtain else self.run_screen

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """None of Textual's own: `RunCommands` has what there is."""
        return ()

    def on_mount(self) -> None:
        """Leave the terminal in order when told to end; begin."""
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(THREADS))
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGHUP):
                loop.add_signal_handler(number, self.exit)
        if not self.is_headless and os.isatty(0):
            self.set_interval(TERMINAL_SECONDS, self._leave_without_terminal)
        if self._curtain:
            # Not in the curtain's own time, or it would wait for itself to go.
            self.call_after_refresh(lambda: self.run_worker(self._open(), exit_on_error=False))
        else:
            self._begin()

    def _leave_without_terminal(self) -> None:
        """Close where the terminal is gone and nobody was told: its input would be read for ever, at full speed."""
        if not os.isatty(0):
            self._remember()
            # Textual's way out waits for the terminal, which takes nothing any more.
            os._exit(EXIT_HANGUP)

    async def _open(self) -> None:
        """Load what the first frame did without, in a thread so that keys are heard; then raise the curtain."""
        await asyncio.to_thread(import_module, "vaemon.watch.screens.run")
        self._begin()
        await self.push_screen(self.run_screen)  # over the curtain: a stack must not be empty
        gc.freeze()
        gc.enable()

    def _begin(self) -> None:
        """Ask the sources from now on."""
        if self._true_pictures is not None:
            self.choose_pictures(self._true_pictures)
        for seat in self.seats:
            self.poll(seat.key)
        if any(seat.lookout is not None for seat in self.seats):
            self.set_interval(LOOK_SECONDS, self._look_again)
        self._turn_to_seat()

    def on_unmount(self) -> None:
        """Remember how each run was looked at; wait for no answer."""
        self._remember()
        self.hang_up()

    def _remember(self) -> None:
        if "run_screen" not in vars(self):  # it was closed before the curtain rose
            return
        self._leave()
        for seat in self.seats:
            self.remember(seat)

    def remember(self, seat: Seat) -> None:
        """Remember how a run was looked at."""
        from vaemon.watch.memory import look_to_dict

        if seat.address and seat.known and self._memory is not None:
            self._memory.remember(seat.address, look_to_dict(seat.look, seat.number))

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Close where the reading has ended by a fault of its own: a picture that stands still would deceive."""
        if event.state is WorkerState.ERROR:
            self.failure = event.worker.error
            self.exit()

    def _print_error_renderables(self) -> None:
        # Textual would show a traceback with the locals of every call; `watch` tells of the failure in a line.
        self._exit_renderables.clear()

    def on_view_changed(self, message: ViewChanged) -> None:
        """Show the newer view."""
        seat = self.seat_of(message.seat)
        if seat is None:
            return
        self._look_out(seat, message.view)
        seat.name = seat.name or (seat.view.info.title if seat.view.info is not None else "")
        self._recall(seat)
        if seat is not self.seat:
            self.run_screen.show_beside()
            return
        self._align()
        self._tell_playing()
        self.run_screen.show(seat.view)

    def _look_again(self) -> None:
        for seat in self.seats:
            if self._look_out(seat, seat.read) and seat is self.seat:
                self.run_screen.show(seat.view)

    def _look_out(self, seat: Seat, view: RunView) -> bool:
        """Do what the lookout of a run says to a view; whether there was an alert."""
        try:
            seen = seat.take(view, self._now())
        except VaemonError as error:
            self.failure = error
            self.exit()
            return False
        whose = f"{seat.name}: " if len(self.seats) > 1 else ""
        for text in (*seen.troubles, *(f"{whose}alert: {alert.text}" for alert in seen.alerts)):
            self.run_screen.say(text, FOR_A_WHILE)
        if seen.escapes:
            self.tell_terminal(seen.escapes)
        # A run that was opened from the list has nobody who looks out, and is not waited for.
        awaited = [each for each in self.seats if each.lookout is not None]
        if awaited and all(each.done for each in awaited):
            self.close_soon()
        return bool(seen.alerts)

    def _recall(self, seat: Seat) -> None:
        """Look at a run as it was looked at before, as soon as it is known which one it is."""
        if seat.known or not seat.address or not seat.view.rows:
            return
        from vaemon.watch.memory import dict_to_look

        seat.known = True
        told = self._memory.recall(seat.address) if self._memory is not None else {}
        if told and seat is self.seat:
            # Several runs are compared first, whatever one of them was last looked at by.
            self.run_screen.look_differently(dict_to_look(told), told.get("view") if len(self.seats) == 1 else None)
        elif told:
            seat.look = dict_to_look(told)

    def use_light(self, light: bool) -> None:
        """Colours for a light background, or for a dark one."""
        palette = self._palette(light=light)
        self.pen.use(palette)
        if palette.name not in self.available_themes:
            self.register_theme(theme_of(palette))
        self.theme = palette.name
        for screen in self.screen_stack:
            screen.styles.background = palette["ground"]
            screen.refresh(layout=True)
            screen.refresh()
            for widget in screen.query("*"):
                widget.refresh()

    def _palette(self, *, light: bool) -> Palette:
        return choose(dark=not light, colours=not self.no_color, depth=self.console.color_system)


def _of_user() -> Memory:
    from vaemon.watch.memory import Memory

    return Memory.of_user()


def watch(source: Source, **options: Any) -> None:
    """Show the run until the dashboard is closed; options as of `WatchApp`. The source is left open.

    Raises:
        VaemonError: the dashboard had to close.
    """
    app = WatchApp(source, curtain=True, memory=_of_user, **options)
    app.run()
    failure = app.failure or app._exception  # The latter by Textual: what a widget has raised.
    if isinstance(failure, VaemonError):
        raise failure
    if failure is not None:
        what = " ".join(f"{type(failure).__name__}: {failure}".split())
        doing = "read" if app.failure is not None else "draw"
        raise VaemonError(
            f"the dashboard closed, for it could not {doing} on ({what}); this is a fault in vaemon: "
            "VAEMON_DEBUG=1 tells where"
        ) from failure
