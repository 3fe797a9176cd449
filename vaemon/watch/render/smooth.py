"""The debiased exponential mean of a line, as TensorBoard's: a weight for each recorded row. Pure: arrays to arrays.

With a weight w, s = w s + (1 - w) x for each row x, from s = 0 on, and what is drawn is s / (1 - wⁿ) after n rows. A
column of m rows is taken for m rows of its mean, which changes s by wᵐ s + (1 - wᵐ) x at once: exact where a column
is one row.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from vaemon.watch.render.span import TimeSpan

Array = npt.NDArray[Any]

WEIGHTS = (0.0, 0.6, 0.9, 0.99)
"""The weights to choose from; 0: the line as it is."""


def smooth(means: Array, rows: Array, weight: float) -> Array:
    """The debiased exponential mean at the end of each column; gaps stay gaps and take no part.

    Args:
        means: of each column, shape (n, ...), NaN where none of its rows is finite.
        rows: how many finite rows stand behind each, shape (n,).
        weight: of what came before, a row, 0 to 1.

    Returns:
        The shape of `means`.
    """
    if means.ndim == 1:
        return _smooth_one(means, rows, weight)
    result = np.full(means.shape, np.nan)
    total = mass = np.zeros(means.shape[1:])
    known = np.isfinite(means)
    for i, kept in enumerate((weight**rows).tolist()):
        here = known[i]
        total = np.where(here, kept * total + (1.0 - kept) * np.where(here, means[i], 0.0), total)
        mass = np.where(here, kept * mass + (1.0 - kept), mass)
        np.divide(total, mass, out=result[i], where=here & (mass > 0))
    return result


def _smooth_one(means: Array, rows: Array, weight: float) -> Array:
    result = np.full(len(means), np.nan)
    total = mass = 0.0
    for i, (mean, kept) in enumerate(zip(means.tolist(), (weight**rows).tolist(), strict=True)):
        if kept < 1.0 and np.isfinite(mean):
            total = kept * total + (1.0 - kept) * mean
            mass = kept * mass + (1.0 - kept)
            result[i] = total / mass
    return result


def at_ends(values: Array, span: TimeSpan, cells: int) -> Array:
    """The last known value of each painted cell, (n, ...) to (painted, ...), NaN where it has none; of none, none."""
    painted = span.painted(cells) if len(values) else 0
    if not painted:
        return np.full((0, *values.shape[1:]), np.nan)
    seen = values[: span.seen(cells)]
    places = np.arange(len(seen)).reshape(-1, *(1,) * (values.ndim - 1))
    known = np.where(np.isfinite(seen), places, -1)
    last = np.maximum.reduceat(known, span.starts(cells)[:painted], axis=0)
    return np.where(last >= 0, np.take_along_axis(seen, np.maximum(last, 0), axis=0), np.nan)
