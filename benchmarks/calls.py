"""Calls of a recorder, timed one by one, and the recorded run read back and compared with what was logged."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from workload import DIFFERENT_ROWS, Workload

from vaemon import open_run

Took = Any
"""Nanoseconds a call, one a step; every page of it touched before, so that no growth of memory hides in it."""


def untimed(steps: int) -> Took:
    return np.ones(steps, np.int64)


def time_log(log: Callable[..., None], load: Workload, first: int, took: Took) -> None:
    """Log so many steps, `first` the first, with the keywords written out as a training loop writes them."""
    (_time_one if load.vectors == 1 else _time_four)(log, load.rows, first, took)


def _time_one(log: Callable[..., None], rows: list[dict[str, Any]], first: int, took: Took) -> None:
    now = time.perf_counter_ns
    for i in range(len(took)):
        step = first + i
        mse, kl, gamma, loss, lr, variance = rows[step % DIFFERENT_ROWS].values()
        began = now()
        log(step, mse=mse, kl=kl, gamma=gamma, loss=loss, lr=lr, mean_variance=variance)
        took[i] = now() - began


def _time_four(log: Callable[..., None], rows: list[dict[str, Any]], first: int, took: Took) -> None:
    now = time.perf_counter_ns
    for i in range(len(took)):
        step = first + i
        mse, kl, gamma, loss, lr, variance, mu, squared, each_kl = rows[step % DIFFERENT_ROWS].values()
        began = now()
        log(
            step,
            mse=mse,
            kl=kl,
            gamma=gamma,
            loss=loss,
            lr=lr,
            mean_variance=variance,
            mean_mu=mu,
            mu_squared=squared,
            latent_kl=each_kl,
        )
        took[i] = now() - began


class Control:
    """The least that a recorder can do: copy each vector into a row of an array that is there already."""

    ROWS = 4096

    def __init__(self, load: Workload) -> None:
        self._load = load
        self._rings = [np.ones((self.ROWS, load.size), np.float32) for _ in range(load.vectors)]

    def time(self, first: int, took: Took) -> None:
        (self._time_one if self._load.vectors == 1 else self._time_four)(first, took)

    def _time_one(self, first: int, took: Took) -> None:
        now, rows, (ring,) = time.perf_counter_ns, self._load.rows, self._rings
        for i in range(len(took)):
            j = (first + i) % self.ROWS
            vector = rows[(first + i) % DIFFERENT_ROWS]["mean_variance"]
            began = now()
            ring[j] = vector
            took[i] = now() - began

    def _time_four(self, first: int, took: Took) -> None:
        now, rows, (ring_0, ring_1, ring_2, ring_3) = time.perf_counter_ns, self._load.rows, self._rings
        for i in range(len(took)):
            j = (first + i) % self.ROWS
            *_, variance, mu, squared, each_kl = rows[(first + i) % DIFFERENT_ROWS].values()
            began = now()
            ring_0[j] = variance
            ring_1[j] = mu
            ring_2[j] = squared
            ring_3[j] = each_kl
            took[i] = now() - began


def time_rows(log: Callable[[int, dict[str, Any]], None], load: Workload, first: int, took: Took) -> None:
    """Give a peer so many rows."""
    now = time.perf_counter_ns
    for i in range(len(took)):
        step = first + i
        row = load.rows[step % DIFFERENT_ROWS]
        began = now()
        log(step, row)
        took[i] = now() - began


def read_back(folder: Path, load: Workload, steps: int, *, whole: bool = True) -> dict[str, Any]:
    """Read a run whose steps are 1 to `steps`; the seconds, the rows that are missing, and what else is wrong.

    Args:
        folder: the run's.
        load: what was logged.
        steps: the last step logged.
        whole: whether every channel is read; otherwise the mse alone, which has every step.
    """
    began = time.perf_counter()
    with open_run(str(folder)) as run:
        found = {name: run.series(name) for name in (load.names if whole else ("mse",))}
        took = time.perf_counter() - began
        told = [f"{event.kind}: {event.text}" for event in run.events() if event.kind in ("drop", "error")]
    there = found["mse"].step
    missing = steps - len(np.unique(there))
    if not missing and not np.array_equal(there, np.arange(1, steps + 1)):
        told.append("the steps are not 1, 2, 3, …")
    for name, series in found.items():
        if name in load.names[5:] and not np.array_equal(series.mean, load.table(name)[there % DIFFERENT_ROWS]):
            told.append(f"{name} is not what was logged")
    return {"read": took, "missing": missing, "told": told}
