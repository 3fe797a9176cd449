"""Wakes and falls asleep as events, found while a run is recorded; a resumed run goes on where it stopped."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vaemon.batch import Event
from vaemon.errors import VaemonError
from vaemon.latents import DEFAULT, WakeTracker
from vaemon.runfile.read import RunReader

log = logging.getLogger("vaemon")
Array = npt.NDArray[Any]


class WakeLog:
    """The wake tracker of a stage, with the steps and times of the rows it may still report."""

    def __init__(self, folder: Path, stage: int, latents: int, first_step: int) -> None:
        """Begin at `first_step`; what the folder has of the stage before it is taken into account."""
        self.stage = stage
        self.latents = latents
        self._tracker = WakeTracker(latents)
        self._steps = np.zeros(0, np.int64)
        self._times = np.zeros(0, np.float64)
        self.resumed = False
        """Whether the stage has rows before `first_step`."""
        try:
            with RunReader(folder) as run:
                self._go_on(run, first_step)
        except VaemonError as error:
            log.warning("vaemon: which latents were awake before step %d is not known: %s", first_step, error)

    def _go_on(self, run: RunReader, first_step: int) -> None:
        rows = run.stage(self.stage)
        if rows is None or not len(rows):
            return
        end = rows.row_of(first_step)
        self.resumed = end > 0
        recent = rows.read(max(0, end - int(10 * DEFAULT.smoothing)), end, ("step", "time", "mean_variance"))
        if recent["mean_variance"].shape[1:] == (self.latents,):
            awake = _awake(run.events(), self.stage, self.latents, first_step)
            self._tracker.prime(awake, recent["mean_variance"])
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


def _awake(events: list[Event], stage: int, latents: int, before: int) -> Array:
    awake = np.zeros(latents, bool)
    for event in events:
        if event.stage == stage and event.step < before and 0 <= event.latent < latents:
            awake[event.latent] = event.kind == "wake"
    return awake
