"""The thread that asks the source, folds its answers into a view, and hands views on. Touches no widget."""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

from vaemon.errors import NeedsPerson, SourceLost, VaemonError
from vaemon.source.protocol import Source
from vaemon.view.facts import looks_back
from vaemon.view.fold import fold, heard, source_lost
from vaemon.view.state import RunView
from vaemon.watch.asked import GLANCE, Asked, look_closer
from vaemon.watch.news import can_wait, is_news, only_news

Answer = TypeVar("Answer")

LONGEST_WAIT = 10.0
"""Seconds between two questions to a source that does not answer, at most."""
WAIT_WHEN_OVER = 2.0
"""Seconds between two questions about a run that is over: it may be resumed."""
WAIT_WHEN_ASIDE = 3.0
"""Seconds between two questions about a run that is not the one shown."""
LONGEST_NAP, LONG_NAP = 0.1, 0.4
"""Seconds that pass, at most, before the end is noticed; of a run that is over, on which nobody waits, the second."""


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
        self.asked = Asked()
        """What a person wants to see."""
        self.is_watched = True
        """Whether it is the run that is shown."""
        self._nudged = threading.Event()
        self._errands: queue.SimpleQueue[Callable[[bool], None]] = queue.SimpleQueue()
        self._ends = threading.Lock()
        self.is_over = False
        """Whether it asks no more."""
        self._let_go = threading.Event()

    def errand(self, job: Callable[[Source], Answer]) -> "Future[Answer]":
        """Have something else asked of the source, between two polls. Safe from any thread.

        Once nobody asks the source any more, the answer is SourceLost: whoever waits for it must not wait for ever.
        """
        answer: Future[Answer] = Future()

        def run(in_time: bool) -> None:
            if not answer.set_running_or_notify_cancel():
                return
            try:
                if not in_time:
                    raise SourceLost("the run is no longer asked")
                answer.set_result(job(self._source))
            except Exception as error:  # it is for whoever asked
                answer.set_exception(error)

        with self._ends:
            if self.is_over:
                run(False)
            else:
                self._errands.put(run)
        self._nudged.set()
        return answer

    def _run_errands(self) -> None:
        # One a turn, or a long list of them would keep the picture from moving.
        with suppress(queue.Empty):
            self._errands.get_nowait()(True)
        if not self._errands.empty():
            self._nudged.set()

    def reach(self) -> None:
        """Make anew what leads to the run, whatever it takes; ask at once. Safe from any thread. Raises SourceLost."""
        self._source.reach()
        self.nudge()

    def hang_up(self) -> None:
        """Wait for no answer any more. Safe from any thread."""
        self._source.hang_up()

    def let_go(self) -> None:
        """Ask no more, and close the source, in the thread that has asked it. Safe from any thread."""
        self._let_go.set()
        self._nudged.set()

    def nudge(self) -> None:
        """Ask at once. Safe from any thread."""
        self._nudged.set()

    def ask_for(self, asked: Asked) -> None:
        """From now on, ask for this. Safe from any thread."""
        if asked != self.asked:
            self.asked = asked
            self._nudged.set()

    def run(self, cancelled: threading.Event) -> None:
        """Ask until cancelled, or let go."""
        try:
            self._ask_on(cancelled)
        finally:
            with self._ends:
                self.is_over = True
            while not self._errands.empty():
                self._errands.get_nowait()(False)
            if self._let_go.is_set():
                self._source.close()

    def _ask_on(self, cancelled: threading.Event) -> None:
        view, stage, failures = RunView(), self.asked.stage, 0
        waits = False  # whether further rows can wait for this once
        while not self._ended(cancelled):
            waits = waits and not self._nudged.is_set()
            self._nudged.clear()
            self._run_errands()
            asked = self.asked
            if waits and not self._has_news(view, asked):
                waits = False
                self._pause(cancelled, self._wait)
                continue
            if stage != asked.stage:
                view, stage = replace(RunView(), info=view.info), asked.stage
            before, view = view, self.ask(view, asked)
            failures = failures + 1 if view.lost else 0
            if differs(before, view):
                self._post(view)
            wait = self.pace(view, failures)
            waits = can_wait(view, wait)
            self._pause(cancelled, wait)

    def _has_news(self, view: RunView, asked: Asked) -> bool:
        try:
            return is_news(view, self._source.poll(view.cursor, only_news(asked)))
        except (VaemonError, OSError, RuntimeError):
            return True  # the question for all will tell what is wrong

    def ask(self, view: RunView, asked: Asked) -> RunView:
        """The view after one question."""
        try:
            batch = self._source.poll(view.cursor, asked.want)
            view = look_closer(heard(view, fold(view, batch), self._clock()), asked, self._source.excerpt)
            view = self._look_ahead(view)
            return replace(view, images=self._source.images()) if asked.images else view
        except NeedsPerson as error:
            return source_lost(view, f"{error}: press r")
        except (VaemonError, OSError, RuntimeError) as error:
            # Whatever goes wrong on the way to the run must not take the screen down.
            return source_lost(view, str(error) or type(error).__name__)

    def _look_ahead(self, view: RunView) -> RunView:
        """The view, beside an older stage with the newest one: of that is asked how the run fares."""
        if not looks_back(view):
            return view if view.ahead is None else replace(view, ahead=None)
        before = view.ahead or RunView()
        ahead = heard(before, fold(before, self._source.poll(before.cursor, GLANCE)), self._clock())
        return replace(view, ahead=ahead if differs(before, ahead) else before)

    def pace(self, view: RunView, failures: int) -> float:
        """Seconds until the next question, after so many in a row without an answer."""
        if failures:
            return min(self._wait * 2.0 ** min(failures, 16), LONGEST_WAIT)
        if view.loading:
            return 0.0
        over = view.info is not None and view.info.state.over
        return max(self._wait, WAIT_WHEN_OVER if over else 0.0, 0.0 if self.is_watched else WAIT_WHEN_ASIDE)

    def _pause(self, cancelled: threading.Event, seconds: float) -> None:
        # In short waits, for there are several things to be woken by.
        nap = LONGEST_NAP if seconds < WAIT_WHEN_OVER else LONG_NAP
        while seconds > 0 and not self._nudged.wait(min(nap, seconds)) and not self._ended(cancelled):
            seconds -= nap

    def _ended(self, cancelled: threading.Event) -> bool:
        return cancelled.is_set() or self._let_go.is_set()


def differs(before: RunView, after: RunView) -> bool:
    """Whether there is anything new to be seen."""
    beside = before.near is not after.near or before.portrait is not after.portrait or before.ahead is not after.ahead
    return beside or before.images != after.images or _told(before) != _told(after)


def _told(view: RunView) -> tuple[object, ...]:
    info, latest = view.info, view.latest
    who = (info.name, info.address, info.state, info.reason, info.stages) if info is not None else None
    newest = (latest.step, latest.time) if latest is not None else None
    columns = (len(view.columns), view.columns.width)
    return who, view.stage, view.rows, columns, newest, view.events, view.lost, view.loading
