"""Wakes and falls asleep as events, found while a run is recorded; a resumed run goes on where it stopped."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from vaemon.batch import Event
from vaemon.latents import WakeTracker
from vaemon.recorder.table import Past

Array = npt.NDArray[Any]


class WakeLog:
    """The wake tracker of a stage, with the steps and times of the rows it may still report."""

    def __init__(self, stage: int, latents: int, first_step: int, past: Past) -> None:
        """Begin at `first_step`; what the run has of the stage before it is taken into account."""
        self.stage = stage
        self.latents = latents
        self._tracker = WakeTracker(latents)
        self._steps = np.zeros(0, np.int64)
        self._times = np.zeros(0, np.float64)
        recent = past.recent
        if recent is not None and recent["mean_variance"].shape[1:] == (latents,):
            self._tracker.prime(_awake(past.events, stage, latents, first_step), recent["mean_variance"])
            self._steps, self._times = recent["step"], recent["time"]

    def update(self, steps: Array, times: Array, mean_variance: Array) -> list[Event]:
        """Take further rows, mean_variance (n, k); the events that they settle."""
        # A passage is reported when it has held, at a row that may lie that far back.
        keep = self._tracker.at.hold
        self._steps = np.concatenate([self._steps[-keep:], steps])
        self._times = np.concatenate([self._times[-keep:], times])
        passages = self._tracker.update(mean_variance)
        first = self._tracker.rows - len(self._steps)
        return [
            Event(
                step=int(self._steps[passage.row - first]),
                time=float(self._times[passage.row - first]),
                stage=self.stage,
                kind="wake" if passage.woke else "sleep",
                latent=passage.latent,
            )
            for passage in passages
        ]


def _awake(events: Iterable[Event], stage: int, latents: int, before: int) -> Array:
    awake = np.zeros(latents, bool)
    for event in events:
        if event.stage == stage and event.step < before and 0 <= event.latent < latents:
            awake[event.latent] = event.kind == "wake"
    return awake
