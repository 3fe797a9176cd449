"""The latents of a run at one moment: now, or as they were in rows of before."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from vaemon import latents
from vaemon.batch import Array, Columns
from vaemon.view.fold import woke_at
from vaemon.view.state import RunView, values

SETTLED = 5
"""Of the smoothing, so many windows back: what came before has no weight."""


@dataclass(frozen=True, eq=False, slots=True)
class Moment:
    """What is known of each latent, arrays of shape (k,)."""

    variance: Array
    """E[σ²], NaN where it is not known."""
    kl: Array
    states: Array
    """`LatentState` values."""
    step: int | None = None
    """When; None: now."""


@lru_cache(maxsize=2)  # several panels of a frame ask for the same
def moment(view: RunView, columns: Columns, at: int | None) -> Moment:
    """The latents at a row of the stage, or (None) at the newest.

    Of a row of before, variance and KL are those of its column, as everywhere under the crosshair. The states are
    judged as they were then: by the columns up to it, smoothed as rows are, and the wakes that had been found.

    Args:
        view: the run.
        columns: those in sight, in which the row is looked for.
        at: the row.
    """
    if at is None or not len(columns) or "mean_variance" not in columns.mean:
        return Moment(*values(view), view.states)
    place = columns.place(at)
    step = int(columns.step[place])
    unknown = np.full((len(columns), view.latents), np.nan)
    variance, kl = columns.mean["mean_variance"], columns.mean.get("latent_kl", unknown)
    rows = view.thresholds.smoothing
    window = 1.0 / (1.0 - (1.0 - 1.0 / rows) ** columns.width)  # in columns
    seen = slice(max(place + 1 - math.ceil(SETTLED * rows / columns.width), 0), place + 1)
    smoothed = latents.smooth(variance[seen], window), latents.smooth(kl[seen], window)
    past = tuple(event for event in view.events if event.step <= step)
    awake = woke_at(past, view.stage, view.latents) >= 0
    return Moment(variance[place], kl[place], latents.states(*smoothed, awake, view.thresholds), step)
