"""Columns of different steps side by side, as rows: a stroke of steps at a time."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from vaemon.exchange.spool import Column

Array = npt.NDArray[Any]

MOST_RANGES = 2000
"""Of rows that lack a channel, told in the file's head; which has 64 KiB or so for them."""
MOST_OF_ONE = 512


class Stroke(NamedTuple):
    """Consecutive rows."""

    steps: Array
    """(n,), in ascending order."""
    taken: dict[str, tuple[int, int]]
    """Of each column that has a value for any of them, the first that does, and the one after the last."""


def strokes(columns: Mapping[str, Column], at_once: int) -> Iterator[Stroke]:
    """Every step that some column has, `at_once` of them at a time at most."""
    at = dict.fromkeys(columns, 0)
    while going := {name: each for name, each in columns.items() if at[name] < len(each)}:
        ahead = {name: np.asarray(each.steps[at[name] : at[name] + at_once]) for name, each in going.items()}
        # Up to where every column has been looked at.
        whole = min(
            (int(steps[-1]) for name, steps in ahead.items() if at[name] + at_once < len(going[name])), default=None
        )
        found = np.unique(np.concatenate(list(ahead.values())))
        found = found if whole is None else found[found <= whole]
        found = found[:at_once]
        taken = {}
        for name, steps in ahead.items():
            end = at[name] + int(np.searchsorted(steps, found[-1], side="right"))
            if end > at[name]:
                taken[name] = (at[name], end)
                at[name] = end
        yield Stroke(found, taken)


class Extent(NamedTuple):
    """What rows there are of some columns."""

    rows: int
    lacking: tuple[tuple[str, int, int], ...]
    """Channels that some rows do not have, as ranges of rows, as `Layout` has them. Of a channel that comes and goes
    too often, none: what stands there, NaN, counts as not finite."""


def extent(columns: Mapping[str, Column], at_once: int) -> Extent:
    """Count the rows, and find those that lack a channel."""
    absent: dict[str, list[tuple[int, int]]] = {name: [] for name in columns}
    rows = 0
    for stroke in strokes(columns, at_once):
        count = len(stroke.steps)
        for name, ranges in absent.items():
            if len(ranges) > MOST_OF_ONE:
                continue
            for first, last in _gaps(stroke, columns[name], name):
                if ranges and ranges[-1][1] == rows + first:
                    ranges[-1] = (ranges[-1][0], rows + last)
                else:
                    ranges.append((rows + first, rows + last))
        rows += count
    told: list[tuple[str, int, int]] = []
    for name, ranges in sorted(absent.items(), key=lambda each: len(each[1])):
        if len(ranges) <= MOST_OF_ONE and len(told) + len(ranges) <= MOST_RANGES:
            told += [(name, *each) for each in ranges]
    return Extent(rows, tuple(told))


def places(stroke: Stroke, column: Column, name: str) -> tuple[Array, int, int]:
    """In which rows of the stroke a column has values, and which of its values these are."""
    first, last = stroke.taken.get(name, (0, 0))
    if last - first == len(stroke.steps):
        return np.arange(last - first), first, last
    return np.searchsorted(stroke.steps, column.steps[first:last]), first, last


def _gaps(stroke: Stroke, column: Column, name: str) -> list[tuple[int, int]]:
    there = np.zeros(len(stroke.steps) + 2, bool)
    there[places(stroke, column, name)[0] + 1] = True
    there[[0, -1]] = True
    turns = np.flatnonzero(there[1:] != there[:-1])
    return [(int(first), int(last)) for first, last in turns.reshape(-1, 2)]
