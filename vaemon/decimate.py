"""Many rows to few points: mean, smallest and largest of each run of rows.

Non-finite values take no part in the three figures and are counted beside them.
"""

import operator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from vaemon.errors import UsageError

Array = npt.NDArray[Any]


class Pooled(NamedTuple):
    """Rows pooled by groups; each array has shape (groups, ...)."""

    mean: Array
    low: Array
    high: Array
    bad: Array
    """Non-finite values in each group."""


def pool(values: Array, width: int) -> Pooled:
    """Pool consecutive groups of `width` rows.

    Args:
        values: shape (n, ...), n a multiple of `width`.
        width: rows a group, at least 1.

    Returns:
        Figures of shape (n / width, ...); NaN where a group has no finite value.
    """
    groups = np.asarray(values).reshape(len(values) // width, width, *values.shape[1:])
    with np.errstate(invalid="ignore"):  # of damaged rows, too, in which a NaN may be one that signals
        low, high = groups.min(axis=1).astype(np.float64), groups.max(axis=1).astype(np.float64)
        pooled = Pooled(groups.sum(axis=1, dtype=np.float64) / width, low, high, np.zeros(low.shape, np.int64))
    finite = np.isfinite(low) & np.isfinite(high)
    gappy = ~finite.all(axis=tuple(range(1, finite.ndim)))
    if gappy.any():
        with np.errstate(invalid="ignore"):
            parts = _pool_with_gaps(groups[gappy].astype(np.float64))
        for whole, part in zip(pooled, parts, strict=True):
            whole[gappy] = part
    return pooled


def _pool_with_gaps(groups: Array) -> Pooled:
    width = groups.shape[1]
    finite = np.isfinite(groups)
    count = finite.sum(axis=1)
    with np.errstate(invalid="ignore"):
        mean = np.where(finite, groups, 0.0).sum(axis=1) / np.where(count, count, np.nan)
    low = np.where(finite, groups, np.inf).min(axis=1)
    high = np.where(finite, groups, -np.inf).max(axis=1)
    empty = count == 0
    return Pooled(mean, np.where(empty, np.nan, low), np.where(empty, np.nan, high), width - count)


def pool_between(values: Array, places: Array, ends: Array) -> tuple[Pooled, Array]:
    """Pool values that lie anywhere by the columns that they lie in.

    Args:
        values: shape (m,).
        places: where each lies, shape (m,), in ascending order, none above the last of `ends`.
        ends: the last place in each column, shape (n,), in ascending order; all below the first belongs to the first.

    Returns:
        Figures of shape (n,), NaN where a column has no finite value; and how many values each column has, (n,).
    """
    columns = np.searchsorted(ends, places)
    merged = merge(pool(values, 1), np.ones(len(values)), columns)
    found = Pooled(*(np.full(len(ends), none) for none in (np.nan, np.nan, np.nan, 0)))
    for whole, part in zip(found, merged, strict=True):
        whole[np.unique(columns)] = part
    return found, np.bincount(columns, minlength=len(ends))


def width_for(rows: int, columns: int) -> int:
    """The smallest power of two that shows `rows` rows in at most `columns` columns.

    Raises:
        UsageError: that many columns there cannot be.
    """
    try:
        possible = operator.index(columns) > 0
    except TypeError:
        possible = False
    if not possible:
        raise UsageError(f"points={columns!r}: a whole number from 1 on")
    width = 1
    while rows > width * columns:
        width *= 2
    return width


def pair_mean(values: Array, weights: Array) -> Array:
    """Mean of neighbours (0, 1), (2, 3), …, weighted by how many finite values stand behind each.

    Args:
        values: shape (2n, ...), NaN where nothing finite stands behind a value.
        weights: shape (2n,) or (2n, ...), not negative.
    """
    shaped = np.broadcast_to(weights.reshape(weights.shape + (1,) * (values.ndim - weights.ndim)), values.shape)
    known = np.where(np.isnan(values), 0.0, shaped)
    total = known[0::2] + known[1::2]
    parts = np.where(known > 0, values, 0.0) * known
    with np.errstate(invalid="ignore"):
        return np.asarray((parts[0::2] + parts[1::2]) / np.where(total > 0, total, np.nan))


def merge(parts: Pooled, counts: Array, columns: Array, absent: Array | None = None) -> Pooled:
    """Merge consecutive bins that belong to the same column.

    Args:
        parts: bins, each array of shape (n, ...); NaN where a bin has no finite value.
        counts: rows that each bin stands for, shape (n,).
        columns: which column each bin belongs to, shape (n,), never falling.
        absent: how many of those rows have no value at all, finite or not, shape (n, ...); None: all have one.

    Returns:
        One bin for each column that has any, in order; NaN where it has no finite value.
    """
    if not len(columns):
        return parts
    starts = np.flatnonzero(np.concatenate([[True], columns[1:] != columns[:-1]]))
    weight = counts.reshape(-1, *(1,) * (parts.bad.ndim - 1)) - parts.bad.astype(np.float64)
    if absent is not None:
        weight -= absent
    total = np.add.reduceat(weight, starts, axis=0)
    with np.errstate(invalid="ignore", over="ignore"):  # sums near the largest number there is
        known = np.where(weight > 0, parts.mean, 0.0) * weight
        mean = np.add.reduceat(known, starts, axis=0) / np.where(total > 0, total, np.nan)
        low, high = np.fmin.reduceat(parts.low, starts, axis=0), np.fmax.reduceat(parts.high, starts, axis=0)
    return Pooled(mean, low, high, np.add.reduceat(parts.bad, starts, axis=0))
