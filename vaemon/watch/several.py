"""What the dashboard does about its runs: which are watched, which is shown, which more there are.

Whatever takes long to load is imported where it is first used, as in `app`.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from itertools import count
from typing import TYPE_CHECKING

from textual import work
from textual.app import App
from textual.timer import Timer
from textual.worker import get_current_worker

from vaemon.errors import VaemonError
from vaemon.watch.names import COMPARE, HOME, RUNS, SHORTLY

if TYPE_CHECKING:
    from vaemon.playback import Playback
    from vaemon.source.protocol import Directory, Source
    from vaemon.view.lookout import Lookout
    from vaemon.view.state import RunView
    from vaemon.watch.messages import RunsListed, SourceAsked
    from vaemon.watch.poller import Poller
    from vaemon.watch.roster import Roster
    from vaemon.watch.screens.run import RunScreen
    from vaemon.watch.seat import Seat
    from vaemon.watch.widgets.gestures import RunAsked, RunOpened
    from vaemon.watch.widgets.picture import Look

OPENED = 4
"""Runs of the list that are watched beside the one shown, at most; those named at first are so for good."""
BETWEEN_LISTINGS = 3.0
"""Seconds between two questions which runs there are, once all have been read."""


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """While another program has the terminal, Ctrl-C is meant for that one; ignored, it would be so there, too."""
    before = signal.signal(signal.SIGINT, lambda number, frame: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class Several(App[None]):
    """An app that watches runs, and shows one of them."""

    place = 0
    """Which of the runs is shown."""
    _sources: Sequence[tuple[str, Source]]
    _directory: Directory | None
    _lookouts: Sequence[Lookout]
    _playback: Playback | None
    _hz: float
    _now: Callable[[], float]
    _listing = False
    """Whether the directory is being asked."""
    _again: Timer | None = None
    """When it is to be asked next."""
    _gone: Sequence[Poller] = ()
    """Of runs that were let go, and may still be asked."""

    @cached_property
    def _keys(self) -> Iterator[int]:
        return count()

    @cached_property
    def run_screen(self) -> RunScreen:
        """The screen on which a run is shown."""
        raise NotImplementedError

    @cached_property
    def seats(self) -> list[Seat]:
        """The runs that are watched."""
        seats: list[Seat] = []
        for name, source in self._sources:
            seats.append(self._seat(name, source, None if seats else self._playback))
        for seat, lookout in zip(seats, self._lookouts, strict=False):
            seat.lookout = lookout
        return seats

    def _seat(self, name: str, source: Source, playback: Playback | None = None) -> Seat:
        from vaemon.watch.messages import ViewChanged
        from vaemon.watch.seat import Seat

        key = next(self._keys)

        def post(view: RunView) -> None:
            self.post_message(ViewChanged(view, key))

        return Seat(key, name, source, post, hz=self._hz, clock=self._now, playback=playback)

    @cached_property
    def roster(self) -> Roster:
        """The runs together."""
        from vaemon.watch.roster import Roster

        return Roster(self.seats, self._directory, self._now)

    @property
    def seat(self) -> Seat:
        """The run that is shown."""
        return self.seats[self.place]

    @property
    def poller(self) -> Poller:
        """Who asks the source of the run that is shown."""
        return self.seat.poller

    def seat_of(self, key: int) -> Seat | None:
        """The seat of a key; None where it was let go."""
        return next((seat for seat in self.seats if seat.key == key), None)

    @work(thread=True, exit_on_error=False)
    def poll(self, key: int) -> None:
        """Ask a source until the app ends, or it is let go."""
        if (seat := self.seat_of(key)) is not None:
            seat.poller.run(get_current_worker().cancelled_event)

    def remember(self, seat: Seat) -> None:
        """Remember how a run was looked at."""
        raise NotImplementedError

    def action_reach(self) -> None:
        """Make anew the link to the run that is shown; the terminal is lent to whoever asks for a password."""
        if not self.seat.read.lost:
            self.run_screen.say("the run answers; there is no link to be made anew", SHORTLY)
            return
        with self.suspend(), _deaf_to_interrupts():
            try:
                self.seat.poller.reach()
                told = ""
            except VaemonError as error:
                told = str(error)
        self.run_screen.say(told, SHORTLY)

    def on_source_asked(self, message: SourceAsked) -> None:
        """Ask the source for what the person wants to see."""
        self.seat.poller.ask_for(message.asked)
        self._align()
        self.list_runs()

    def _align(self) -> None:
        self.roster.align(self.seat, compares=self.run_screen.number == COMPARE)

    def list_runs(self) -> None:
        """Ask which runs there are, while the list is seen."""
        if self._directory is not None and self.run_screen.number == RUNS and not self._listing:
            self._listing = True
            if self._again is not None:  # each key asks, too, and must not begin a second round of questions
                self._again.stop()
            self.ask_directory()

    @work(thread=True, exit_on_error=False)
    def ask_directory(self) -> None:
        """Ask once."""
        self.post_message(self.roster.ask())

    def on_runs_listed(self, message: RunsListed) -> None:
        """Show the list, and ask again: at once where some were not read yet."""
        self._listing = False
        self.roster.take(message)
        if message.why:
            self.run_screen.say(message.why, SHORTLY)
        self.run_screen.show_beside()
        self._again = self.set_timer(BETWEEN_LISTINGS if self.roster.is_whole else 0.05, self.list_runs)

    def on_run_asked(self, message: RunAsked) -> None:
        """Show another run."""
        places = [i for i, seat in enumerate(self.seats) if message.name and seat.name == message.name]
        self._go_to(places[0] if places else (self.place + message.by) % len(self.seats))

    async def on_run_opened(self, message: RunOpened) -> None:
        """Show a run of the list by itself, watched from now on."""
        place = self.roster.place_of(message.name, message.address)
        if place is None and message.address and self._directory is not None:
            name = self.roster.name_for(message.name, message.address)
            place, seat = len(self.seats), self._seat(name, self._directory.open(message.address))
            seat.opened = True
            self.seats.append(seat)
            self.poll(seat.key)
        if place is not None:
            self._go_to(place)
            self._let_go()
            await self.run_screen.action_view(HOME)

    def _go_to(self, place: int) -> None:
        if place == self.place:
            return
        self._leave()
        self.place = place
        self.run_screen.forget(self.seat.name, self._look_on())
        self._turn_to_seat()
        self._tell_playing()
        self.run_screen.show(self.seat.view)

    def _let_go(self) -> None:
        """Ask no more about the runs of the list that were looked at longest ago: each takes a thread and files."""
        opened = [seat for seat in self.seats if seat.opened and seat is not self.seat]
        opened.sort(key=lambda seat: seat.left)
        shown = self.seat
        for seat in opened[: max(len(opened) - OPENED, 0)]:
            self.remember(seat)
            seat.poller.let_go()
            self.seats.remove(seat)
            self._gone = [*(each for each in self._gone if not each.is_over), seat.poller]
        self.place = self.seats.index(shown)
        self._turn_to_seat()

    def hang_up(self) -> None:
        """Wait for no answer any more: not from those either that were let go while they were asked."""
        for poller in (*(seat.poller for seat in self.seats), *self._gone):
            poller.hang_up()

    def _look_on(self) -> Look:
        """How the next run is looked at: among many, as the one before; else as it was looked at last."""
        look, before = self.seat.look.of_stage(self.seat.view.stage), self.run_screen.look
        if self.run_screen.number not in (COMPARE, RUNS):
            return look
        kept = {name: getattr(before, name) for name in ("axis", "log_time", "log", "weight", "filters")}
        return replace(look, **kept)

    def _leave(self) -> None:
        self.seat.left = next(self._keys)
        self.seat.look = replace(self.run_screen.look, paused=False)
        if self.run_screen.number not in (COMPARE, RUNS):  # those are of no single run
            self.seat.number = self.run_screen.number

    def _turn_to_seat(self) -> None:
        for place, seat in enumerate(self.seats):
            seat.poller.is_watched = place == self.place
        self.seat.poller.nudge()
        several = len(self.seats) > 1
        self.run_screen.runs = tuple(seat.name for seat in self.seats) if several else ()

    def _tell_playing(self) -> None:
        from vaemon.watch.widgets.picture import Playing

        playback = self.seat.playback
        self.run_screen.playing = Playing(playback.speed, playback.held, playback.share) if playback else None
