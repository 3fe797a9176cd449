"""A stretch of rows in memory, as they wait for the writer: arrays laid out beforehand, filled in place by the loop.

One thread writes (the training loop: `put` and `fill`), another reads (the writer: rows that `count` covers). A row is
counted when all of it is there, so neither waits for the other.
"""

import struct
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import itemgetter
from time import time
from typing import Any

import numpy as np
import numpy.typing as npt

from vaemon.batch import StageInfo
from vaemon.recorder.fetch import Joined, is_wide, mark
from vaemon.recorder.row import Values

Array = npt.NDArray[Any]
Put = Callable[[int, Mapping[str, Any]], bool]

NUMBERS = frozenset({float, int, bool, np.float64, np.float32, np.int64, np.int32})
"""Types that a number is packed from as it is; others (a tensor on a device!) go the slower way."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What the rows of a block hold."""

    stage: StageInfo
    scalars: tuple[str, ...]
    vectors: tuple[str, ...]
    latents: int
    """Values of each of the vectors."""
    dtype: Any
    """Of the vectors: as they are given, float32 or float64; the writer rounds."""
    tensors: tuple[tuple[str, int], ...] = ()
    """Name and number of values of each tensor, -1 for a 0-d one; they are joined into one, on their device."""
    device: Any = None
    foreign: tuple[str, ...] = ()
    wide: bool = False
    """Whether the tensors are joined in float64: some are numbers of the loop's own, of unknown magnitude."""

    @property
    def row_bytes(self) -> int:
        """Memory that a row takes, wherever it lies."""
        packed = sum(abs(size) for _, size in self.tensors) * (8 if self.wide else 4)
        vectors = len(self.vectors) * self.latents * int(self.dtype.itemsize)
        return 8 * (2 + len(self.scalars)) + vectors + packed


def kind_of(stage: StageInfo, values: Values) -> Kind:
    """The kind of block that rows like this one fill."""
    tensors, vectors = values.tensors, values.vectors
    devices = [tensor.device for tensor in tensors.values()]
    return Kind(
        stage,
        tuple(values.scalars),
        tuple(vectors),
        max((len(vector) for vector in vectors.values()), default=0),
        np.result_type(np.float32, *(vector.dtype for vector in vectors.values())) if vectors else _SINGLE,
        tuple([(name, tensor.numel() if tensor.dim() else -1) for name, tensor in tensors.items()]),
        next((device for device in devices if device.type != "cpu"), devices[0]) if devices else None,
        tuple(values.foreign),
        any(is_wide(name, tensor) for name, tensor in tensors.items()),
    )


_SINGLE = np.dtype(np.float32)


class Block:
    """Rows of one kind, `capacity` of them at most."""

    def __init__(self, kind: Kind, capacity: int) -> None:
        self.kind = kind
        self.capacity = capacity
        self.count = 0
        """Rows that are there; written by the loop only, and last of all."""
        self.last = -1
        """The newest step in it, or before it in its stage; written by the loop only."""
        self.done = 0
        """Rows that are in the run file for good; written by the writer only."""
        self._unlike = (0, -1)  # how many rows in succession had other names than the kind has, up to which row
        self.extras: list[tuple[int, str, float]] = []
        """Scalars beyond those of the kind: row, name, value."""
        self.gaps: list[tuple[int, str]] = []
        """What a row lacks of its kind: row, name."""
        self.charge = capacity * kind.row_bytes
        """Memory that the buffer counts for it."""
        self.packed: list[Joined | None] = []
        """Of each row its tensors, as `fetch.join` gave them; where the kind has any."""
        self.foreign: list[dict[str, Any]] = []
        numbers = 1 + len(kind.scalars)
        pack = struct.Struct(f"=q{numbers}d")
        data = bytearray(pack.size * capacity)
        self._numbers = np.frombuffer(data, np.dtype([("step", "=i8"), ("rest", "=f8", (numbers,))]))
        self._vectors = np.empty((capacity, len(kind.vectors) * kind.latents), kind.dtype)
        self.put: Put = refuse
        """put(step, values): take a row that is just as the kind says, and fast; False where it is not, and nothing was
        taken."""
        if kind.tensors and not kind.vectors and not kind.foreign and not kind.wide:
            self.put = _tensor_putter(self, pack, data)
        elif not kind.tensors and not kind.foreign:
            self.put = _putter(self, pack, data, self._vectors)

    @property
    def unlike(self) -> int:
        """How many of the newest rows, one after the other, had other names than the kind has."""
        count, row = self._unlike
        return count if row == self.count - 1 else 0

    def seal(self) -> int:
        """No more rows come: count only those that have; the memory that is not counted any more."""
        before, self.charge = self.charge, self.count * self.kind.row_bytes
        return before - self.charge

    def fits(self, like: Kind) -> bool:
        """Whether a row of this kind can be taken by `fill`, be it with gaps or extra scalars."""
        kind = self.kind
        return (
            self.count < self.capacity
            and kind.stage is like.stage
            and (not like.tensors or self._takes(like))
            and kind.foreign == like.foreign
            and (not like.vectors or self._holds(like))
        )

    def _takes(self, like: Kind) -> bool:
        kind = self.kind
        return kind.tensors == like.tensors and kind.device == like.device and kind.wide == like.wide

    def _holds(self, like: Kind) -> bool:
        kind = self.kind
        sizes = kind.latents == like.latents and np.can_cast(like.dtype, kind.dtype)
        return sizes and (like.vectors == kind.vectors or set(like.vectors) <= set(kind.vectors))

    def fill(self, step: int, when: float, values: Values, packed: Any) -> None:
        """Take a row that fits, in whatever order its values come."""
        row, kind = self.count, self.kind
        self._numbers[row] = (step, (when, *(values.scalars.get(name, np.nan) for name in kind.scalars)))
        self.extras += [(row, name, value) for name, value in values.scalars.items() if name not in kind.scalars]
        for i, name in enumerate(kind.vectors):
            place = self._vectors[row, i * kind.latents : (i + 1) * kind.latents]
            place[:] = values.vectors.get(name, np.nan)
        self.gaps += [(row, name) for name in kind.scalars if name not in values.scalars]
        self.gaps += [(row, name) for name in kind.vectors if name not in values.vectors]
        if kind.tensors:
            self.packed.append(packed)
            self.gaps += [(row, name) for name, _ in kind.tensors] if packed is None else []
        if kind.foreign:
            self.foreign.append(dict(values.foreign))
        if any(each and each[-1][0] == row for each in (self.gaps, self.extras)):
            self._unlike = (self.unlike + 1, row)
        self.last = step
        self.count = row + 1

    def numbers(self, first: int, last: int) -> dict[str, Array]:
        """Step, time and the scalars of some rows, (n,) each."""
        rows = self._numbers[first:last]
        columns = {name: rows["rest"][:, 1 + i] for i, name in enumerate(self.kind.scalars)}
        return {"step": rows["step"], "time": rows["rest"][:, 0], **columns}

    def vectors(self, first: int, last: int) -> dict[str, Array]:
        """The vectors of some rows, (n, k) each; NaN where a row lacks one."""
        k = self.kind.latents
        rows = self._vectors[first:last]
        return {name: rows[:, i * k : (i + 1) * k] for i, name in enumerate(self.kind.vectors)}

    def reuse(self) -> None:
        """Begin anew, with the same arrays: fresh memory would cost the loop its first touch."""
        self.count = self.done = 0
        self._unlike = (0, -1)
        self.extras, self.gaps, self.packed, self.foreign = [], [], [], []
        self.charge = self.capacity * self.kind.row_bytes


def _putter(block: Block, packing: struct.Struct, data: bytearray, rows: Array) -> Put:
    # A closure, for its variables are found sooner than attributes: a third of the time of the call. What need not be
    # asked is not: past the end of a block, as with a vector of another type or length, the assignments below fail.
    kind, size, pack_into = block.kind, packing.size, packing.pack_into
    view, latents, width, vectors = rows.reshape(-1).data, kind.latents, rows.shape[1], kind.vectors
    count, scalars_of, all_numbers = len(kind.scalars) + len(vectors), _getter(kind.scalars), NUMBERS.issuperset

    def put(step: int, values: Mapping[str, Any]) -> bool:
        if len(values) != count or type(step) is not int or step <= block.last:
            return False
        row = block.count
        begin = row * width
        try:
            scalars = scalars_of(values)
            if not all_numbers(map(type, scalars)):
                return False
            for name in vectors:
                end = begin + latents
                view[begin:end] = values[name]
                begin = end
            pack_into(data, row * size, step, time(), *scalars)
        except (KeyError, TypeError, ValueError, struct.error):
            return False
        block.last = step
        block.count = row + 1
        return True

    return put


def _tensor_putter(block: Block, packing: struct.Struct, data: bytearray) -> Put:
    kind, size, pack_into, torch = block.kind, packing.size, packing.pack_into, sys.modules["torch"]
    count, scalars_of = len(kind.scalars) + len(kind.tensors), _getter(kind.scalars)
    all_numbers = NUMBERS.issuperset
    tensors_of = _getter(tuple(name for name, _ in kind.tensors))
    sizes = tuple(abs(each) for _, each in kind.tensors)
    dims = tuple(int(each > 0) for _, each in kind.tensors)
    numel, dim, hstack, single = torch.Tensor.numel, torch.Tensor.dim, torch.hstack, torch.float32

    def put(step: int, values: Mapping[str, Any]) -> bool:
        if len(values) != count or type(step) is not int or step <= block.last:
            return False
        try:
            scalars, tensors = scalars_of(values), tensors_of(values)
            if tuple(map(numel, tensors)) != sizes or tuple(map(dim, tensors)) != dims:
                return False
            if not all_numbers(map(type, scalars)):
                return False
            joined = hstack(tensors).detach()
            if joined.dtype is not single or joined.device != kind.device:
                return False
            pack_into(data, block.count * size, step, time(), *scalars)
        except (KeyError, TypeError, ValueError, RuntimeError, struct.error):
            return False
        block.packed.append(Joined(joined, mark(joined)))
        block.last = step
        block.count += 1
        return True

    return put


def _getter(names: tuple[str, ...]) -> Any:
    if len(names) > 1:
        return itemgetter(*names)
    return (lambda values: (values[names[0]],)) if names else (lambda values: ())


def refuse(step: int, values: Mapping[str, Any]) -> bool:
    """A `put` that takes nothing."""
    return False
