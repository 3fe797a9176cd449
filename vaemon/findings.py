"""What is found in the rows of a stage and told as events: wakes, falls asleep, failures of the latents as a whole.

The writer finds them while a run is recorded; with other thresholds a source finds them anew.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from vaemon.batch import Event
from vaemon.failures import JUDGED_BY, SPAN, FailureTracker, Turn
from vaemon.latents import Failure, WakeTracker, vacant
from vaemon.thresholds import DEFAULT, Thresholds

Array = npt.NDArray[Any]

RESTORED = "restored"
"""The kind of event by which a failure is over."""
FOUND = ("wake", "sleep", str(Failure.COLLAPSE), str(Failure.IGNORED), RESTORED)
"""The kinds of events that are found in rows."""
CHANNELS = ("step", "time", *JUDGED_BY)
"""The channels that they are found in."""


def rows_to_recall(at: Thresholds, row: int) -> int:
    """How many of the last rows before a row of a stage are to be read to go on from there."""
    # Within the grace it matters whether the latents had been well before.
    return row if row < at.grace else max(int(10 * at.smoothing), at.hold, at.lasting + 2 * SPAN)


class Findings:
    """The events of one stage, as its rows come."""

    def __init__(self, stage: int, latents: int, at: Thresholds = DEFAULT, row: int = 0) -> None:
        """Begin at a row of the stage."""
        self.stage = stage
        self.latents = latents
        self._at = at
        self._wakes = WakeTracker(latents, at)
        self._failures = FailureTracker(latents, at, row)
        self._keep = max(at.hold, 1)  # a passage is told when it has held, at a row that may lie so far back
        self._steps = np.zeros(0, np.int64)
        self._times = np.zeros(0, np.float64)

    def recall(self, events: Iterable[Event], before: int, recent: Mapping[str, Array]) -> None:
        """Go on with a stage.

        Args:
            events: of the run so far.
            before: the step of the row that comes next.
            recent: channels of the last rows before it, `rows_to_recall` of them.
        """
        told = [event for event in events if event.stage == self.stage and event.step < before]
        self._wakes.prime(_awake(told, self.latents), recent["mean_variance"])
        self._failures = FailureTracker(self.latents, self._at, self._failures.row - len(recent["step"]))
        self._failures.prime(newest_failure(told, self.stage), recent)
        self._steps, self._times = recent["step"], recent["time"]

    def update(self, rows: Mapping[str, Array]) -> list[Event]:
        """Take further rows of `CHANNELS`; the events that they settle."""
        self._steps = np.concatenate([self._steps[-self._keep :], rows["step"]])
        self._times = np.concatenate([self._times[-self._keep :], rows["time"]])
        passages = self._wakes.update(rows["mean_variance"])
        turns = self._failures.update(rows)
        first = self._wakes.rows - len(self._steps)
        found = [self._event(p.row - first, "wake" if p.woke else "sleep", p.latent) for p in passages]
        first = self._failures.row - len(self._steps)
        found += [self._event(turn.row - first, turn.failure or RESTORED, text=self._said(turn)) for turn in turns]
        return found

    def _event(self, row: int, kind: str, latent: int = -1, text: str = "") -> Event:
        return Event(int(self._steps[row]), float(self._times[row]), self.stage, str(kind), latent, text)

    def _said(self, turn: Turn) -> str:
        if turn.failure is Failure.NONE:
            return "the latents do what they should"
        return failure_words(turn.failure, *turn.means, self._at)


def newest_failure(events: Iterable[Event], stage: int, before: Failure = Failure.NONE) -> Failure:
    """How the latents of a stage fare as a whole, by the newest event that tells; `before` these events."""
    found = before
    for event in events:
        if event.stage == stage and event.kind in FOUND[2:]:
            found = Failure.NONE if event.kind == RESTORED else Failure(event.kind)
    return found


def failure_words(failure: Failure, mean_variance: Array, kl: Array, mu_squared: Array, at: Thresholds) -> str:
    """How many latents fail, and by what rule; arrays as of `latents.failure`."""
    if failure is Failure.COLLAPSE:
        count, rule = int(vacant(mean_variance, kl, at).sum()), f"E[σ²] ≥ {at.inactive:g}, KL < {at.collapsed_kl:g}"
        return f"{count} of {len(mean_variance)} latents tell nothing of the data ({rule})"
    off = float(np.abs(mu_squared + mean_variance - 1.0).mean())
    count = int((mean_variance < at.ignored).sum())
    return f"{count} of {len(mean_variance)} latents have E[σ²] < {at.ignored:g}, the variance law is {off:.1f} off"


def _awake(events: Iterable[Event], latents: int) -> Array:
    awake = np.zeros(latents, bool)
    for event in events:
        if event.kind in ("wake", "sleep") and 0 <= event.latent < latents:
            awake[event.latent] = event.kind == "wake"
    return awake
