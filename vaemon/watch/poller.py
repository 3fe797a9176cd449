"""The thread that asks the source, folds its answers into a view, and hands views on. Touches no widget."""

import threading
from collections.abc import Callable
from dataclasses import replace

from vaemon.batch import Want
from vaemon.errors import VaemonError
from vaemon.source.protocol import Source
from vaemon.view.fold import fold, heard, source_lost
from vaemon.view.state import CHART_CHANNELS, WALL_CHANNELS, RunView

LONGEST_WAIT = 10.0
"""Seconds between two questions to a source that does not answer, at most."""
WAIT_WHEN_OVER = 2.0
"""Seconds between two questions about a run that is over: it may be resumed."""
LONGEST_NAP = 0.1
"""Seconds that pass, at most, before another stage is asked for."""


class Poller:
    """Asks a source again and again."""

    def __init__(
        self, source: Source, post: Callable[[RunView], object], *, hz: float, clock: Callable[[], float]
    ) -> None:
        """Ask `source` up to `hz` times a second and give what is new to `post`, from this thread.

        Args:
            source: used by no other thread while this runs.
            post: takes a view; must be safe to call from a thread.
            hz: questions a second.
            clock: the time, seconds since 1970.
        """
        self._source = source
        self._post = post
        self._clock = clock
        self._wait = 1.0 / hz
        self.stage: int | None = None
        """The stage asked for; None: the newest."""
        self._nudged = threading.Event()

    def ask_for(self, stage: int | None) -> None:
        """From now on, ask for that stage; None: the newest. Safe from any thread."""
        self.stage = stage
        self._nudged.set()

    def run(self, cancelled: threading.Event) -> None:
        """Ask until cancelled."""
        view, asked, failures = RunView(), self.stage, 0
        while not cancelled.is_set():
            self._nudged.clear()
            if asked != self.stage:
                view, asked = replace(RunView(), info=view.info), self.stage
            before, view = view, self.ask(view, asked)
            failures = failures + 1 if view.lost else 0
            if differs(before, view):
                self._post(view)
            self._pause(cancelled, self.pace(view, failures))

    def ask(self, view: RunView, stage: int | None = None) -> RunView:
        """The view after one question."""
        want = Want(channels=(*WALL_CHANNELS, *CHART_CHANNELS), stage=stage)
        try:
            batch = self._source.poll(view.cursor, want)
        except (VaemonError, OSError, RuntimeError) as error:
            # Whatever goes wrong on the way to the run must not take the screen down.
            return source_lost(view, str(error) or type(error).__name__)
        return heard(view, fold(view, batch), self._clock())

    def pace(self, view: RunView, failures: int) -> float:
        """Seconds until the next question, after so many in a row without an answer."""
        if failures:
            return min(self._wait * 2.0 ** min(failures, 16), LONGEST_WAIT)
        if view.loading:
            return 0.0
        over = view.info is not None and view.info.state.over
        return max(self._wait, WAIT_WHEN_OVER) if over else self._wait

    def _pause(self, cancelled: threading.Event, seconds: float) -> None:
        # In short waits, so that another stage is asked for at once.
        while seconds > 0 and not self._nudged.is_set() and not cancelled.wait(min(LONGEST_NAP, seconds)):
            seconds -= LONGEST_NAP


def differs(before: RunView, after: RunView) -> bool:
    """Whether there is anything new to be seen."""
    return _told(before) != _told(after)


def _told(view: RunView) -> tuple[object, ...]:
    info, latest = view.info, view.latest
    who = (info.name, info.address, info.state, info.reason, info.stages) if info is not None else None
    newest = (latest.step, latest.time) if latest is not None else None
    columns = (len(view.columns), view.columns.width)
    return who, view.stage, view.rows, columns, newest, view.events, view.lost, view.loading
