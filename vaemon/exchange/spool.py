"""Values by name on their way into a run: kept on disk, handed out by step, however they came.

Memory is bounded by what waits to be written, but for names whose steps come out of order: these take 16 bytes a value.
"""

from array import array
from collections.abc import Iterable
from pathlib import Path
from struct import Struct
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

MOST_WAITING = 32 * 1024 * 1024
"""Bytes of values that are held before they are written."""
_STROKE = 1 << 20
_DOUBLE = Struct("<d")


class Column:
    """The values of one name, by step, each step once."""

    def __init__(self, steps: Array, times: Array, values: Array, order: Array | None) -> None:
        """Hold values in an order.

        Args:
            steps: in ascending order, (n,).
            times: of all values there are, seconds since 1970.
            values: likewise, (…, *shape).
            order: where each of the n is among all; None where they are as they came.
        """
        self.steps = steps
        self.shape: tuple[int, ...] = values.shape[1:]
        self.dtype = values.dtype
        self._times = times
        self._values = values
        self._order = order

    def __len__(self) -> int:
        return len(self.steps)

    def times(self, first: int, last: int) -> Array:
        """When the values first up to last (excluded) were recorded."""
        return self._taken(self._times, first, last)

    def values(self, first: int, last: int) -> Array:
        """The values first up to last (excluded)."""
        return self._taken(self._values, first, last)

    def _taken(self, stored: Array, first: int, last: int) -> Array:
        return np.asarray(stored[first:last] if self._order is None else stored[self._order[first:last]])


class Spool:
    """Takes values one by one, and hands them out by name. Of several with one name and step, the last counts."""

    def __init__(self, folder: Path) -> None:
        """Keep them in an empty folder."""
        self.folder = folder
        self._names: dict[str, _Kept] = {}
        self._waiting = 0  # bytes

    def add(self, name: str, step: int, time: float, value: float | Array) -> bool:
        """Take a value; False where it has another shape than the first of its name."""
        kept = self._names.get(name)
        if kept is None:
            shape, dtype = ((), np.dtype("<f8")) if isinstance(value, float) else (value.shape, value.dtype)
            kept = self._names[name] = _Kept(self.folder / str(len(self._names)), shape, dtype)
        size = kept.add(step, time, value)
        self._waiting += size
        if self._waiting > MOST_WAITING:
            self._write()
        return size > 0

    def purge(self, step: int) -> None:
        """Of what came so far, forget what is of this step, or a later one."""
        for kept in self._names.values():
            kept.purges.append((kept.count, step))

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Of the values of each name, in the order that they came."""
        return {name: kept.shape for name, kept in self._names.items()}

    def columns(self) -> dict[str, Column]:
        """Every name that has values; none can be added any more."""
        self._write()
        found = {name: kept.column() for name, kept in self._names.items()}
        return {name: column for name, column in found.items() if len(column)}

    def _write(self) -> None:
        for kept in self._names.values():
            kept.write()
        self._waiting = 0


class _Kept:
    """The values of one name: three files, and what waits for them."""

    def __init__(self, path: Path, shape: tuple[int, ...], dtype: "np.dtype[Any]") -> None:
        self.shape = shape
        self.dtype = dtype
        self.count = 0
        self.purges: list[tuple[int, int]] = []
        """How many values had come, and the step from which on these are void."""
        self._paths = [path.with_suffix(f".{part}") for part in ("steps", "times", "values")]
        self._steps, self._times, self._values = array("q"), array("d"), bytearray()

    def add(self, step: int, time: float, value: float | Array) -> int:
        """Take a value; the bytes that it takes, 0 where it has another shape and is not taken."""
        shape, size = ((), 8) if isinstance(value, float) else (value.shape, value.size * self.dtype.itemsize)
        if shape != self.shape:
            return 0
        # Nearly all are numbers.
        written = _DOUBLE.pack(value) if isinstance(value, float) else value.astype(self.dtype).tobytes()
        self._steps.append(step)
        self._times.append(time)
        self._values += written
        self.count += 1
        return 16 + size

    def write(self) -> None:
        parts: tuple[array[int] | array[float] | bytearray, ...] = (self._steps, self._times, self._values)
        for path, part in zip(self._paths, parts, strict=True):
            if len(part):
                with path.open("ab") as file:
                    file.write(part)
        self._steps, self._times, self._values = array("q"), array("d"), bytearray()

    def column(self) -> Column:
        types = (np.dtype(np.int64), np.dtype(np.float64), self.dtype)
        shapes = ((self.count,), (self.count,), (self.count, *self.shape))
        steps, times, values = (
            np.memmap(path, dtype, "r", shape=shape) if self.count and dtype.itemsize * np.prod(shape) else _none(shape)
            for path, dtype, shape in zip(self._paths, types, shapes, strict=True)
        )
        if not self.purges and _ascends(steps):
            return Column(steps, times, values, None)
        order = self._order(np.asarray(steps))
        return Column(np.asarray(steps[order]), times, values, order)

    def _order(self, steps: Array) -> Array:
        kept = np.ones(len(steps), bool)
        for count, step in self.purges:
            kept[:count] &= steps[:count] < step
        order = np.flatnonzero(kept)
        order = order[np.argsort(steps[order], kind="stable")]
        last = np.append(steps[order][1:] != steps[order][:-1], True) if len(order) else np.zeros(0, bool)
        return np.asarray(order[last])


def _none(shape: Iterable[int]) -> Array:
    return np.zeros(tuple(shape))


def _ascends(steps: Array) -> bool:
    strokes = (steps[first : first + _STROKE + 1] for first in range(0, len(steps), _STROKE))
    return all((np.diff(each) > 0).all() for each in strokes)
