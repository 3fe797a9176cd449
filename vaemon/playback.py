"""Where a replay of a run is: a moment that moves on by a clock, is wound on and back, and stands still.

Pure but for the clock that it is given. Used by two threads: the one that reads, and the one that has the keys.
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from vaemon.batch import Array, Columns

LENGTH = 75.0
"""Seconds that a run takes where no speed is asked for."""
LONGEST_GAP = 20.0
"""A break between two columns is played as so many times their usual distance, at most: nobody watches a night pass."""
SLOWEST, FASTEST = 0.01, 1e7


class Moment(NamedTuple):
    """A place in a run."""

    stage: int
    rows: int
    """Rows of the stage that have been by then, at least 1."""
    over: bool
    """Whether it is the end of the run."""


class Playback:
    """A moment of a run that moves."""

    def __init__(
        self, speed: float | None = None, first_step: int = 0, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Begin at a step of the first stage.

        Args:
            speed: seconds of the run in a second; by default, so that the run takes `LENGTH` seconds.
            first_step: where to begin.
            clock: seconds.
        """
        self._asked_speed, self._first_step, self._clock = speed, first_step, clock
        self._lock = threading.Lock()
        self._speed = speed or 1.0
        self._held = False
        self._place, self._since = 0.0, clock()
        self._tracks: list[tuple[int, Array, Array]] = []
        self._length = 0.0

    @property
    def loaded(self) -> bool:
        """Whether the run's times are known."""
        return bool(self._tracks)

    def load(self, stages: Sequence[tuple[int, Columns]]) -> None:
        """Take the times of a run: for each stage its number and columns of it, in the order of time."""
        with self._lock:
            self._tracks, begin = [], 0.0
            for number, columns in stages:
                if len(columns):
                    ends = begin + _played(columns.time)
                    rows = (columns.first + 1 + np.arange(len(columns))) * columns.width
                    self._tracks.append((number, ends, rows))
                    begin = float(ends[-1])
            self._length = begin
            if self._asked_speed is None:
                self._speed = max(begin / LENGTH, SLOWEST)
            if self._tracks and self._first_step:
                steps = stages[0][1].step
                place = min(int(np.searchsorted(steps, self._first_step)), len(self._tracks[0][1]) - 1)
                self._place = float(self._tracks[0][1][place])
            self._since = self._clock()

    def moment(self) -> Moment:
        """The present moment."""
        with self._lock:
            now = self._now()
            for number, ends, rows in self._tracks:
                if now < ends[-1] or number == self._tracks[-1][0]:
                    row = np.interp(now, np.concatenate([[ends[0]], ends]), np.concatenate([[1], rows]))
                    return Moment(number, max(int(row), 1), now >= self._length)
            return Moment(1, 1, True)

    def wind(self, share: float) -> None:
        """Go on (or, below 0, back) by a share of the run."""
        with self._lock:
            self._place = min(max(self._now() + share * self._length, 0.0), self._length)
            self._since = self._clock()

    def pace(self, times: float) -> None:
        """Go on so many times as fast."""
        with self._lock:
            self._place, self._since = self._now(), self._clock()
            self._speed = min(max(self._speed * times, SLOWEST), FASTEST)

    def hold(self, held: bool) -> None:
        """Stand still, or go on; at the end of the run, go on from its beginning."""
        with self._lock:
            self._place, self._since = self._now(), self._clock()
            self._held = held
            if not held and self._place >= self._length:
                self._place = 0.0

    @property
    def speed(self) -> float:
        """Seconds of the run in a second."""
        return self._speed

    @property
    def held(self) -> bool:
        """Whether it stands still."""
        return self._held

    @property
    def share(self) -> float:
        """How far it has come, 0 to 1."""
        with self._lock:
            return self._now() / self._length if self._length > 0 else 0.0

    def _now(self) -> float:
        passed = 0.0 if self._held or not self._tracks else (self._clock() - self._since) * self._speed
        return min(self._place + passed, self._length)


def _played(times: Array) -> Array:
    """When each column ends, in seconds of the replay."""
    passed = np.diff(times, prepend=times[0])
    usual = float(np.median(passed[1:])) if len(passed) > 1 else 0.0
    return np.cumsum(np.clip(passed, 0.0, LONGEST_GAP * usual if usual > 0 else np.inf))
