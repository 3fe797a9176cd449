"""How the dashboard does what a person asks of the run that is shown: to wind a replay, fetch images, write a file.

Whatever takes long to load is imported where it is first used, as in `app`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import work

from vaemon.errors import VaemonError
from vaemon.watch.names import FOR_A_WHILE, SHORTLY
from vaemon.watch.several import Several

if TYPE_CHECKING:
    from vaemon.view.state import RunView
    from vaemon.watch.messages import ImagesAsked, ReplayAsked, WriteAsked
    from vaemon.watch.poller import Poller
    from vaemon.watch.widgets.window import Window

PATIENCE = 30.0
"""Seconds that images may take to come."""


class Answering(Several):
    """An app that answers what is asked of the run that is shown; what takes long, from a thread."""

    def on_replay_asked(self, message: ReplayAsked) -> None:
        """Wind a replay on or back, change its speed, hold it."""
        playback = self.seat.playback
        if playback is None:
            self.run_screen.say("this is no replay; `vaemon replay RUN` winds a run on and back", SHORTLY)
            return
        if message.hold is not None:
            playback.hold(message.hold)
        playback.pace(message.times)
        playback.wind(message.share)
        self._tell_playing()
        self.seat.poller.nudge()
        self.run_screen.draw()

    def on_images_asked(self, message: ImagesAsked) -> None:
        """Fetch images of the run that is shown now: when they come, another one may be."""
        self._fetch(message, self.seat.poller)

    @work(thread=True, exit_on_error=False)
    def _fetch(self, message: ImagesAsked, poller: Poller) -> None:
        which = message.which
        try:
            images = poller.errand(lambda source: source.image(which)).result(PATIENCE)
        except (VaemonError, OSError, TimeoutError) as error:
            self.call_from_thread(message.fail, which, str(error) or "no answer")
        else:
            self.call_from_thread(message.take, which, images)

    def on_write_asked(self, message: WriteAsked) -> None:
        """Write a file of what is seen now, and say where it is."""
        self._write(message, self.seat.poller, self.run_screen.shown, self.run_screen.look.window)

    @work(thread=True, exit_on_error=False)
    def _write(self, message: WriteAsked, poller: Poller, view: RunView, window: Window | None) -> None:
        from vaemon.watch.writing import path_for, write_numbers, write_picture

        path = path_for(view, message.data.name, message.suffix)
        try:
            if message.frame is not None:
                written = write_picture(message.frame, path)
            else:
                written = write_numbers(poller, view, window, message.data, path)
            told = f"written: {written}"
        except VaemonError as error:
            told = str(error)
        self.call_from_thread(self.run_screen.say, told, FOR_A_WHILE)
