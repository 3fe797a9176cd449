"""Exponential means of many columns at once, the same to the last bit however the rows are cut into calls.

The mean of a column is s / w, where each finite x makes s ← d s + x and w ← d w + 1, with d = 1 - 1 / window. Rows are
taken in blocks of 32, counted from the first ever. Of a whole block only the sums at its end are made, by one product
of a fixed shape. Means within a block are made for the columns asked for, step by step from the sums at its start. So
nothing depends on rows that come later, or on how many come at once.
"""

import math
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

BLOCK = 32
"""Rows."""


class RunningMeans:
    """The exponential means of a stream of rows; non-finite values are passed over."""

    def __init__(self, columns: int, window: float) -> None:
        """Begin with nothing.

        Args:
            columns: values a row.
            window: rows over which a value's weight falls by e, at least 1.
        """
        self._decay = 1.0 - 1.0 / window
        self._falls = self._decay ** np.arange(BLOCK + 1.0)  # of a sum over so many finite values
        self._weights = self._falls[BLOCK - 1 :: -1].copy()
        self._ones = np.matmul(self._weights, np.ones((1, BLOCK, columns)))
        self._mean = np.full(columns, np.nan)  # where the open block starts
        self._sums = np.zeros((1, 2, columns))  # of values and of ones where each block starts, the open one last
        self._blocks = np.zeros((0, BLOCK, columns))  # the rows taken last, with those of their first block before them
        self._room, self._spare = self._blocks, np.empty(0)  # memory is kept, because to get it takes long
        self._held, self._end = 0, 0  # where in the blocks those rows begin and end
        self._alike = bool((self._ones == self._ones[:, :1]).all())  # the sums of ones of all columns, so far
        self._now = np.zeros(columns)  # the sum of values after the last row,
        self._known = np.zeros(columns, bool)  # where it has been asked for;
        self._before, self._knew = self._now, self._known  # the same before the rows taken last

    def take(self, rows: Array) -> tuple[Array, Array]:
        """Take further rows, shape (n, k), n at least 1.

        Returns:
            Two bounds, (k,), beyond which no mean after any of these rows lies but by rounding; inf and -inf where
            nothing is finite.
        """
        whole = self._end // BLOCK
        self._join(_flat(self._blocks)[whole * BLOCK : self._end], rows)
        low, high, finite = _bounds(self._blocks)
        low, high = np.fmin(low, self._mean), np.fmax(high, self._mean)
        self._alike &= finite is None
        self._sums = self._sums[-1:]
        if whole := self._end // BLOCK:
            self._add_blocks(self._blocks[:whole], None if finite is None else finite[:whole])
            with np.errstate(invalid="ignore"):
                self._mean = self._sums[-1, 0] / self._sums[-1, 1]
        self._before, self._knew = self._now, self._known
        self._now, self._known = np.empty_like(self._now), np.zeros_like(self._known)
        return low, high

    def means(self, columns: Array) -> Array:
        """The mean after each of the rows taken last, (n, c); NaN where nothing finite has come yet.

        Args:
            columns: which, (c,).

        Returns:
            An array that may be written to, and is written to when this is called again.
        """
        first, sums = 0, self._sums[: len(self._blocks), 0]
        if self._alike and self._held and len(self._blocks) == 1 and self._knew[columns].all():
            first, sums = self._held, self._before[None]  # the same steps need not be taken again
        taken = self._copied(self._blocks[:, first:], columns)
        rows = taken.swapaxes(0, 1)
        if self._alike:
            _add_up(rows, sums[:, columns], [np.asarray(self._decay)] * len(rows))
            ones = _ones_added_up(self._sums[: len(self._blocks), 1, 0], self._decay)[first : first + len(rows)]
            self._now[columns] = rows[(self._end - 1) % BLOCK - first, -1]
            self._known[columns] = True
        else:
            ones = _add_up_with_gaps(rows, sums[:, columns], self._sums[: len(sums), 1, columns], self._decay)
            ones[ones == 0] = np.nan
        rows /= ones
        return _flat(taken)[self._held - first : self._end - first]

    def _copied(self, blocks: Array, columns: Array) -> Array:
        shape = (*blocks.shape[:2], len(columns))
        if math.prod(shape) > len(self._spare):
            self._spare = np.empty(math.prod(shape))
        return np.take(blocks, columns, axis=2, out=self._spare[: math.prod(shape)].reshape(shape), mode="clip")

    def _join(self, held: Array, rows: Array) -> None:
        """Make blocks of the rows of the open block and of further ones."""
        self._held, self._end = len(held), len(held) + len(rows)
        if self._end <= BLOCK:
            self._blocks = np.concatenate([held, rows], dtype=np.float64)[None]
            return
        count, open_rows = -(-self._end // BLOCK), held.copy()
        if count > len(self._room):
            self._room = np.empty((count, BLOCK, held.shape[1]))
        self._blocks = self._room[:count]
        flat = _flat(self._blocks)
        flat[: self._held], flat[self._held : self._end] = open_rows, rows
        flat[self._end :] = flat[self._end - 1]  # bounds and finiteness stay those of the rows

    def _add_blocks(self, blocks: Array, finite: Array | None) -> None:
        """Go on from the sums where the first of these whole blocks starts to those where the last ends."""
        sums = np.empty((len(blocks) + 1, *self._sums.shape[1:]))
        sums[0] = self._sums[0]
        sums[1:, 0] = np.matmul(self._weights, blocks if finite is None else np.where(finite, blocks, 0.0))
        sums[1:, 1] = self._ones
        falls = np.full((len(blocks), blocks.shape[2]), self._falls[BLOCK])
        if finite is not None:
            block, column = np.nonzero(~finite.all(axis=1))
            gappy = blocks[block, :, column].T.copy()
            ones = _add_up_with_gaps(gappy, np.zeros(1), np.zeros(1), self._decay)
            sums[block + 1, 0, column], sums[block + 1, 1, column] = gappy[-1], ones[-1]
            falls[block, column] = self._falls[finite[block, :, column].sum(axis=1)]
        for before, after, fall in zip(sums, sums[1:], falls, strict=False):
            after += fall * before
        self._sums = sums


def _flat(blocks: Array) -> Array:
    return blocks.reshape(blocks.shape[0] * blocks.shape[1], blocks.shape[2])


def _add_up(rows: Array, before: Array, steps: Iterable[Array]) -> None:
    """Make of rows, (n, ...), in place, the decayed sums after each of them: sum ← row + step · sum before."""
    for row, step in zip(rows, steps, strict=True):
        row += step * before
        before = row


def _add_up_with_gaps(rows: Array, sums: Array, ones: Array, decay: float) -> Array:
    """The same for those values that are finite. The sums of ones, (n, ...), which go on from `ones`."""
    finite = np.isfinite(rows)
    rows[~finite] = 0.0
    steps = np.where(finite, decay, 1.0)
    weights = finite.astype(np.float64)
    _add_up(rows, sums, steps)
    _add_up(weights, ones, steps)
    return weights


def _ones_added_up(before: Array, decay: float) -> Array:
    """The sums of ones after each row of some blocks, (32, blocks or 1, 1); before: where each starts, (blocks,)."""
    starts = before.tolist()
    if len(set(starts)) > 1:
        return np.concatenate([_ones_from(each, decay) for each in starts], axis=1)
    return _ones_from(starts[0], decay)  # always, after some 40 windows of rows


@lru_cache(maxsize=256)
def _ones_from(before: float, decay: float) -> Array:
    ones = [1.0 + decay * before]
    while len(ones) < BLOCK:
        ones.append(1.0 + decay * ones[-1])
    return np.array(ones).reshape(-1, 1, 1)


def _bounds(blocks: Array) -> tuple[Array, Array, Array | None]:
    """Smallest and largest finite value of each column, and which are finite: None where all are."""
    low, high = _reduced(np.minimum, blocks), _reduced(np.maximum, blocks)
    if np.isfinite(low).all() and np.isfinite(high).all():
        return low, high, None
    finite = np.isfinite(blocks)
    low = _reduced(np.minimum, np.where(finite, blocks, np.inf))
    return low, _reduced(np.maximum, np.where(finite, blocks, -np.inf)), finite


def _reduced(function: np.ufunc, blocks: Array) -> Array:
    # All columns of a block at once first: rows of 64 values alone would leave numpy little to do at a time.
    block = function.reduce(blocks, axis=0) if len(blocks) > 1 else blocks[0]
    return np.asarray(function.reduce(block, axis=0))
