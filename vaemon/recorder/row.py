"""The values of one logged step, sorted by what they are: numbers, vectors on the host, tensors on a device."""

import math
import sys
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from vaemon.channels import DROPPED
from vaemon.errors import UsageError
from vaemon.runfile.schema import MORE

Array = npt.NDArray[Any]

RESERVED = ("step", "time", DROPPED, MORE)
LONGEST_NAME = 200
_CPU = 1
"""What __dlpack_device__ says of the host's memory."""


class Values(NamedTuple):
    """The values of one step."""

    scalars: dict[str, float]
    vectors: dict[str, Array]
    """One number a latent, (k,), float32 or float64; not yet copied."""
    tensors: dict[str, Any]
    """Of torch, of at most one dimension; on any device."""
    foreign: dict[str, Any]
    """Arrays of other libraries that lie on a device: copies there, fetched by the writer."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of all of them."""
        return (*self.scalars, *self.vectors, *self.tensors, *self.foreign)


def sort_values(values: Mapping[str, Any]) -> Values:
    """Sort the values of a step by what they are.

    Raises:
        UsageError: a value is neither a number nor an array of at most one dimension, or a name cannot be a
            channel's.
    """
    torch = sys.modules.get("torch")
    found = Values({}, {}, {}, {})
    for name, value in values.items():
        if value is None:
            continue
        _check_name(name)
        if torch is not None and isinstance(value, torch.Tensor):
            _check_shape(name, tuple(value.shape))
            found.tensors[name] = value
        elif isinstance(value, float | int):
            found.scalars[name] = _number(value)
        elif is_elsewhere(value):
            _check_shape(name, tuple(value.shape))
            found.foreign[name] = value.copy() if hasattr(value, "copy") else value
        else:
            array = _numbers(name, value)
            if array.ndim:
                found.vectors[name] = array
            else:
                found.scalars[name] = float(array)
    return found


def _number(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # a whole number beyond float64, kept as what it is there
        return math.inf if value > 0 else -math.inf


def _check_name(name: str) -> None:
    if name in RESERVED:
        raise UsageError(f"log(): {name!r} is what the recorder calls something of its own; choose another name")
    if not name or len(name.encode(errors="replace")) > LONGEST_NAME:
        raise UsageError(f"log(): the name {name[:40]!r} is empty or longer than {LONGEST_NAME} bytes")


def is_elsewhere(value: Any) -> bool:
    """Whether an array (of another library than torch) lies on a device."""
    return hasattr(value, "__dlpack_device__") and hasattr(value, "shape") and value.__dlpack_device__()[0] != _CPU


def on_host(value: Any) -> Array:
    """A value as a NumPy array, copied only where it must be."""
    return (
        np.asarray(value) if hasattr(value, "__array__") or not hasattr(value, "__dlpack__") else np.from_dlpack(value)
    )


def _numbers(name: str, value: Any) -> Array:
    found = on_host(value)
    if found.dtype.kind not in "fiub":
        raise UsageError(f"log(): {name}={value!r} is not a number or an array of numbers")
    _check_shape(name, found.shape)
    # A whole number or a half takes its place in one of the two sizes that are kept.
    return found if found.dtype in (np.float32, np.float64) else found.astype(np.float64)


def _check_shape(name: str, shape: tuple[int, ...]) -> None:
    if len(shape) > 1 or 0 in shape:
        raise UsageError(
            f"log(): {name} has shape {shape}; channels are numbers or one number a latent, shape (k,); "
            f"posteriors of a batch go in as mean= with variance= or log_variance="
        )
