"""Rows out of the buffer, as columns."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from vaemon.recorder.fetch import fetch
from vaemon.recorder.ring import Waiting

Array = npt.NDArray[Any]


class Sheet(NamedTuple):
    """Consecutive rows of one kind."""

    step: Array
    time: Array
    values: dict[str, Array]
    """Channels, (n,) or (n, k)."""
    extras: list[tuple[int, str, float]]
    """Scalars that few rows have: row, name, value."""
    gaps: list[tuple[int, str]] = []  # noqa: RUF012
    """What a row was not given, and is NaN for that: row, name."""

    def __len__(self) -> int:
        return len(self.step)


def read_sheet(rows: Waiting) -> Sheet:
    """The rows as columns. Waits for the device that values lie on, and raises what it raises."""
    block, first, last = rows
    values = block.numbers(first, last)
    step, time = values.pop("step"), values.pop("time")
    values |= block.vectors(first, last)
    if block.kind.tensors:
        joined, start = _joined(rows), 0
        for name, size in block.kind.tensors:
            values[name] = joined[:, start] if size < 0 else joined[:, start : start + size]
            start += abs(size)
    for name in block.kind.foreign:
        # What the library of the array does to bring it here; here it may wait.
        values[name] = np.stack([np.asarray(_here(row[name])) for row in block.foreign[first:last]])
    extras = [(row - first, name, value) for row, name, value in list(block.extras) if first <= row < last]
    gaps = [(row - first, name) for row, name in list(block.gaps) if first <= row < last]
    return Sheet(step, time, values, extras, gaps)


def _joined(rows: Waiting) -> Array:
    """The tensors of the rows; NaN for a row that has none."""
    packed = rows.block.packed[rows.first : rows.last]
    there = [i for i, each in enumerate(packed) if each is not None]
    fetched = fetch([each for each in packed if each is not None]) if there else np.zeros((0, 0), np.float32)
    if len(there) == len(packed):
        return fetched
    found = np.full((len(packed), sum(abs(size) for _, size in rows.block.kind.tensors)), np.nan, fetched.dtype)
    if there:
        found[there] = fetched
    return found


def _here(value: Any) -> Any:
    return value.get() if hasattr(value, "get") else value  # CuPy lets no array go without being asked
