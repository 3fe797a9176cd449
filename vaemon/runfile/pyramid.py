"""The multi-resolution pyramid of a segment: bins of 32, 512, … rows, made while the rows are written.

A window of any length, at any number of columns, is then read from about as many bins as it has columns. Bins begin
at multiples of their width within the stage, so that those of one segment go on where another's end, and one is made
only when all its rows are there: it is never changed afterwards. It is a function of its rows alone, bit for bit,
however they came: `vaemon check` makes it again and compares.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from vaemon.decimate import Pooled, merge, pool
from vaemon.runfile.schema import CLOCK, CLOCKS_PART, LEVELS, SCALARS_PART, Layout, latent_part

Array = npt.NDArray[Any]


class Bins(NamedTuple):
    """Consecutive bins of one level."""

    clock: Array
    """Of type CLOCK, (n,)."""
    parts: dict[str, Pooled]
    """By dataset: "scalars", of shape (n, scalars), and each latent channel, (n, k)."""

    def __len__(self) -> int:
        return len(self.clock)

    def datasets(self) -> Iterator[tuple[str, Array]]:
        """Dataset and what is to be appended to it."""
        yield CLOCKS_PART, self.clock
        for name, pooled in self.parts.items():
            dtype = np.float64 if name == SCALARS_PART else np.float32
            with np.errstate(over="ignore"):
                yield name, np.stack([each.astype(dtype) for each in pooled], axis=1)


class PyramidBuilder:
    """Makes the bins of a segment from its rows, in the order they come."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        # Rows before the first multiple of a bin's width belong to a bin that began in an earlier segment.
        self._skip = -layout.first_row % LEVELS[0]
        self._rows = np.zeros(0, layout.row)
        self._upper = [_Level(below, width, layout.first_row) for below, width in pairwise(LEVELS)]

    def add(self, rows: Array) -> dict[int, Bins]:
        """Take further rows of the layout's type; the bins that they complete, by width."""
        skipped = min(self._skip, len(rows))
        self._skip -= skipped
        self._rows = np.concatenate([self._rows, rows[skipped:]]) if len(self._rows) else rows[skipped:]
        whole = len(self._rows) // LEVELS[0] * LEVELS[0]
        if not whole:
            self._rows = self._rows.copy()
            return {}
        bins = _bins_of(self._layout, self._rows[:whole])
        self._rows = self._rows[whole:].copy()
        found = {LEVELS[0]: bins}
        for level in self._upper:
            bins = level.add(bins)
            if not len(bins):
                break
            found[level.width] = bins
        return found


class _Level:
    """Makes the bins of one level from those of the level below."""

    def __init__(self, below: int, width: int, first_row: int) -> None:
        self.below = below
        self.width = width
        self._skip = -(-first_row // width) * (width // below) + -first_row // below
        self._waiting: list[Bins] = []

    def add(self, bins: Bins) -> Bins:
        skipped = min(self._skip, len(bins))
        self._skip -= skipped
        self._waiting.append(_cut(bins, skipped, len(bins)))
        bins = _joined(self._waiting)
        group = self.width // self.below
        whole = len(bins) // group * group
        self._waiting = [_cut(bins, whole, len(bins))]
        columns = np.arange(whole) // group
        counts = np.full(whole, self.below)
        parts = {
            name: merge(Pooled(*(each[:whole] for each in pooled)), counts, columns)
            for name, pooled in bins.parts.items()
        }
        return Bins(bins.clock[:whole][group - 1 :: group], parts)


def _bins_of(layout: Layout, rows: Array) -> Bins:
    width = LEVELS[0]
    clock = np.zeros(len(rows) // width, CLOCK)
    for name in clock.dtype.names or ():
        clock[name] = rows[name][width - 1 :: width]
    parts = {SCALARS_PART: pool(scalars_of(layout, rows), width)}
    parts |= {latent_part(name): pool(rows[name], width) for name in layout.vectors}
    return Bins(clock, parts)


def scalars_of(layout: Layout, rows: Array) -> Array:
    """The scalar channels of rows side by side, in the order of the layout, (n, scalars) in float64."""
    table = np.empty((len(rows), len(layout.scalars)))
    for i, name in enumerate(layout.scalars):
        table[:, i] = layout.column(rows, name)
    return table


def _cut(bins: Bins, first: int, last: int) -> Bins:
    parts = {name: Pooled(*(each[first:last] for each in pooled)) for name, pooled in bins.parts.items()}
    return Bins(bins.clock[first:last], parts)


def _joined(several: Sequence[Bins]) -> Bins:
    if len(several) == 1:
        return several[0]
    parts = {
        name: Pooled(*(np.concatenate(each) for each in zip(*(bins.parts[name] for bins in several), strict=True)))
        for name in several[0].parts
    }
    return Bins(np.concatenate([bins.clock for bins in several]), parts)
