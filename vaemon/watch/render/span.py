"""Which columns of a run stand in which cell of the screen, and their figures pooled into cells.

Time grows, it does not scroll: a cell of a live run stands for a whole number of columns, and is painted once
they are all there; when the axis is full, cells take more columns each. A run that is over fills the width.
On a logarithmic axis early columns are wide, and late ones share a cell.
"""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

FROM = 0.5
"""A logarithmic axis begins at so many columns: the first one is an octave wide."""
ROUNDING = 1e-6
"""Columns, or cells, that logarithm and exponential may be off by."""


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """The time axis of a picture, counted in columns of the run."""

    total: int
    """Columns that the whole axis stands for, at least 1."""
    filled: int
    """Columns that are there."""
    log: bool = False
    """Whether it is logarithmic: equal ratios of columns, counted from the beginning of the stage, are equally wide."""
    first: int = 0
    """Columns of the stage before the first one here."""

    @classmethod
    def live(cls, columns: int, cells: int, least: int = 1) -> "TimeSpan":
        """The axis of a run that goes on, in a picture `cells` wide: room for what comes is left free.

        Args:
            columns: columns that are there.
            cells: width of the picture.
            least: columns a cell, at least: where cells fill too fast, each tick paints many.
        """
        cells = max(cells, 1)
        return cls(total=_grown(max(-(-columns // cells), least, 1)) * cells, filled=columns)

    @classmethod
    def over(cls, columns: int) -> "TimeSpan":
        """The axis of a run that is over: its columns fill the width."""
        return cls(total=max(columns, 1), filled=columns)

    def share(self, columns: Array) -> Array:
        """Where places, counted in columns, are on the axis: 0 at its left end, 1 at its right end."""
        if not self.log:
            return np.asarray(columns, np.float64) / self.total
        return np.asarray(np.log(np.maximum(self.first + columns, FROM) / self._base) / np.log(self._ratio))

    def column(self, share: Array) -> Array:
        """The place, counted in columns, of a share of the axis."""
        if not self.log:
            return np.asarray(share, np.float64) * self.total
        # By expm1, for far into a long run the ratio is near 1.
        return np.asarray(self._base * np.expm1(share * np.log(self._ratio)) + (self._base - self.first))

    @property
    def _base(self) -> float:
        return max(float(self.first), FROM)

    @property
    def _ratio(self) -> float:
        return (self.first + self.total) / self._base

    def _bounds(self, cells: int) -> Array:
        """The column at each edge between cells, (cells + 1,)."""
        if not self.log:
            return np.arange(cells + 1) * self.total // max(cells, 1)
        return np.floor(self.column(np.arange(cells + 1) / max(cells, 1)) + ROUNDING).astype(np.int64)

    def starts(self, cells: int) -> Array:
        """First column of each cell, shape (cells,)."""
        return self._bounds(cells)[:-1]

    def ends(self, cells: int) -> Array:
        """Column after the last of each cell, shape (cells,); where columns are wider than cells, they share one."""
        bounds = self._bounds(cells)
        return np.asarray(np.maximum(bounds[1:], bounds[:-1] + 1))

    def seen(self, cells: int) -> int:
        """Of the columns that are there, those that are painted.

        On a logarithmic axis the last cells stand for many columns: the newest need not wait until all of them are
        there, but as many come into sight at once as a cell of a linear axis has.
        """
        if not self.log or not cells:
            painted = self.painted(cells)
            return int(self.ends(cells)[painted - 1]) if painted else 0
        return self.filled if self.filled >= self.total else self.filled - self.filled % max(self.total // cells, 1)

    def painted(self, cells: int) -> int:
        """How many cells, from the left, are painted: those that have all their columns; of a logarithmic axis, any."""
        if self.log:
            return int(np.searchsorted(self.starts(cells), self.seen(cells))) if cells else 0
        return int(np.searchsorted(self.ends(cells), self.filled, side="right"))

    def whole(self, cells: int) -> "TimeSpan":
        """The axis without columns that are not painted yet, for pictures with several dots a cell."""
        return replace(self, filled=self.seen(cells) if cells else 0)

    def cell(self, column: float, cells: int) -> int:
        """The cell that a column falls into."""
        return int(self.cells_of(np.array([column]), cells)[0])

    def cells_of(self, columns: Array, cells: int) -> Array:
        """The cell that each of some columns falls into, (n,)."""
        places = self.share(columns) * cells + ROUNDING if self.log else columns * cells / self.total
        return np.clip(places.astype(np.int64), 0, max(cells - 1, 0))

    def beside(self, column: int, by: int, cells: int) -> int:
        """The column a cell before (`by` -1) or after (1) one, where there is such; `total` after the last."""
        if not self.log:
            return column + by * max(self.total // max(cells, 1), 1)
        starts = np.unique(self.starts(cells))
        if by < 0:
            return int(starts[max(int(np.searchsorted(starts, column)) - 1, 0)])
        after = int(np.searchsorted(starts, column, side="right"))
        return int(starts[after]) if after < len(starts) else self.total


def _grown(least: int) -> int:
    """The first of 1, 2, 3, 4, 6, 8, 12, 16, … that is not below `least`.

    At each of these steps all of the picture is painted anew: there must be few of them. No more than a third of the
    width is left free.
    """
    power = 1 << (least - 1).bit_length()
    return power * 3 // 4 if power >= 4 and power * 3 // 4 >= least else power


class Pooled(NamedTuple):
    """Figures of the painted cells, each of shape (painted, ...)."""

    mean: Array
    low: Array
    high: Array
    bad: Array


def pool_mean(values: Array, span: TimeSpan, cells: int, weights: Array | None = None) -> Array:
    """Mean of each painted cell's columns, NaN where none has a value.

    Args:
        values: shape (n, ...), NaN where nothing finite stands behind a column.
        span: the time axis.
        cells: width of the picture.
        weights: how many values stand behind each column, shape (n,); one each where not given.
    """
    starts, end = _groups(span, cells)
    values = values[:end]
    if not len(starts):
        return np.full((0, *values.shape[1:]), np.nan)
    weights = np.ones(end) if weights is None else np.asarray(weights[:end], np.float64)
    weight = np.where(np.isnan(values), 0.0, weights.reshape(-1, *(1,) * (values.ndim - 1)))
    total = np.add.reduceat(weight, starts, axis=0)
    parts = np.add.reduceat(np.where(weight > 0, values, 0.0) * weight, starts, axis=0)
    return np.asarray(parts / np.where(total > 0, total, np.nan))


def pool_strict(values: Array, span: TimeSpan, cells: int) -> Array:
    """Mean of each painted cell's columns, NaN where any of them has no value: what is not finite must be seen.

    Args:
        values: shape (n, ...), NaN where nothing finite stands behind a column.
        span: the time axis.
        cells: width of the picture.
    """
    starts, end = _groups(span, cells)
    mean = pool_mean(values, span, cells)
    if len(starts):
        mean[np.logical_or.reduceat(np.isnan(values[:end]), starts, axis=0)] = np.nan
    return mean


def pool(columns: Pooled, span: TimeSpan, cells: int, rows: Array) -> Pooled:
    """Mean, smallest, largest and count of non-finite values of each painted cell of a scalar channel.

    Args:
        columns: the figures of each column, each of shape (n,).
        span: the time axis.
        cells: width of the picture.
        rows: how many rows of each column have the channel, shape (n,).
    """
    starts, end = _groups(span, cells)
    if not len(starts):
        none = np.full(0, np.nan)
        return Pooled(none, none, none, np.zeros(0, np.int64))
    return Pooled(
        mean=pool_mean(columns.mean, span, cells, rows - columns.bad),
        low=np.fmin.reduceat(columns.low[:end], starts),
        high=np.fmax.reduceat(columns.high[:end], starts),
        bad=np.add.reduceat(columns.bad[:end], starts).astype(np.int64),
    )


def _groups(span: TimeSpan, cells: int) -> tuple[Array, int]:
    painted = span.painted(cells)
    return span.starts(cells)[:painted], span.seen(cells) if painted else 0
