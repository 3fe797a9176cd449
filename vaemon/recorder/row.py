"""One logged step, as it waits for the writer: host values as they are, device tensors packed into one.

Packing joins all tensors of a step into one on their own device, which copies them (so that the loop may
overwrite its tensors) and leaves the writer a single transfer for a whole block of steps.
"""

import sys
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from vaemon.batch import StageInfo
from vaemon.channels import channel
from vaemon.errors import UsageError

Array = npt.NDArray[Any]


RESERVED = ("step", "time")
LONGEST_NAME = 200


class Row(NamedTuple):
    """One step."""

    stage: StageInfo
    step: int
    time: float
    host: dict[str, Any]
    """Python numbers, and NumPy arrays owned by the row."""
    names: tuple[tuple[str, int], ...]
    """Name and number of values of each tensor packed into `packed`; -1 for a 0-d tensor."""
    packed: Any
    """All tensors of the step joined, 1-D, on their device; None where there are none."""

    @property
    def nbytes(self) -> int:
        """About how much memory the row holds."""
        arrays = sum(v.nbytes for v in self.host.values() if isinstance(v, np.ndarray))
        return 200 + arrays + 4 * sum(abs(size) for _, size in self.names)


def make_row(stage: StageInfo, step: int, time: float, values: Mapping[str, Any]) -> Row:
    """Take the values of a step; what the caller does to them afterwards changes nothing.

    Raises:
        UsageError: a value is neither a number nor an array of at most one dimension.
    """
    torch = sys.modules.get("torch")
    host: dict[str, Any] = {}
    names: list[tuple[str, int]] = []
    tensors: list[Any] = []
    for name, value in values.items():
        if name in RESERVED:
            raise UsageError(f"log(): {name!r} is recorded by itself; choose another name")
        if len(name.encode()) > LONGEST_NAME:
            raise UsageError(f"log(): the name {name[:40]!r}… is longer than {LONGEST_NAME} bytes")
        if type(value) in (float, int):
            host[name] = value
        elif torch is not None and isinstance(value, torch.Tensor):
            if value.dim() > 1:
                raise UsageError(_misshapen(name, tuple(value.shape)))
            if not value.numel():
                raise UsageError(_misshapen(name, tuple(value.shape)))
            names.append((name, value.numel() if value.dim() else -1))
            tensors.append(value.detach().reshape(-1).float())
        elif value is not None:
            host[name] = _array(name, value)
    packed = torch.cat(_on_one_device(tensors)) if torch is not None and tensors else None
    return Row(stage, step, time, host, tuple(names), packed)


def _on_one_device(tensors: list[Any]) -> list[Any]:
    if len({tensor.device for tensor in tensors}) == 1:
        return tensors
    home = next(tensor.device for tensor in tensors if tensor.device.type != "cpu")
    return [tensor.to(home, non_blocking=True) for tensor in tensors]


def _array(name: str, value: Any) -> Any:
    if hasattr(value, "__array__") or not hasattr(value, "__dlpack__"):
        found = np.array(value)
    else:
        found = np.array(np.from_dlpack(value))
    if found.dtype.kind not in "fiub":
        raise UsageError(f"log(): {name}={value!r} is not a number or an array of numbers")
    if found.ndim > 1 or not found.size:
        raise UsageError(_misshapen(name, found.shape))
    return found if found.ndim else found.item()


def _misshapen(name: str, shape: tuple[int, ...]) -> str:
    return (
        f"log(): {name} has shape {shape}; channels are numbers or one number a latent, shape (k,); "
        f"posteriors of a batch go in as mean= with variance= or log_variance="
    )


def sizes(row: Row) -> dict[str, int]:
    """How many values each channel of a row has; -1 for a single number."""
    found = dict(row.names)
    for name, value in row.host.items():
        found[name] = len(value) if isinstance(value, np.ndarray) else -1
    return found


def unpack(rows: Sequence[Row]) -> dict[str, Array]:
    """The channels of consecutive rows that have the same names: (n,) or (n, k) each. Waits for the device."""
    found: dict[str, Array] = {}
    for name, value in rows[0].host.items():
        dtype = None if isinstance(value, np.ndarray) else channel(name).dtype
        found[name] = np.array([row.host[name] for row in rows], dtype=dtype)
    if rows[0].packed is not None:
        torch = sys.modules["torch"]
        block = torch.stack([row.packed for row in rows]).cpu().numpy()
        start = 0
        for name, size in rows[0].names:
            found[name] = block[:, start] if size < 0 else block[:, start : start + size]
            start += abs(size)
    return found


def alike(rows: Sequence[Row]) -> list[list[Row]]:
    """The rows cut into runs that can be unpacked together."""
    runs: list[list[Row]] = []
    for row in rows:
        if runs and _same(runs[-1][-1], row):
            runs[-1].append(row)
        else:
            runs.append([row])
    return runs


def _same(a: Row, b: Row) -> bool:
    if a.stage is not b.stage or a.names != b.names or a.host.keys() != b.host.keys() or sizes(a) != sizes(b):
        return False
    return a.packed is None or (b.packed is not None and a.packed.device == b.packed.device)
