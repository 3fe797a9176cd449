"""Arrays as TensorBoard's tensors, and back."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_NUMBERS: dict[int, tuple[str, str]] = {
    1: ("<f4", "float_val"),
    2: ("<f8", "double_val"),
    3: ("<i4", "int_val"),
    4: ("u1", "int_val"),
    5: ("<i2", "int_val"),
    6: ("i1", "int_val"),
    9: ("<i8", "int64_val"),
    10: ("?", "bool_val"),
    17: ("<u2", "int_val"),
    22: ("<u4", "uint32_val"),
    23: ("<u8", "uint64_val"),
}
"""Of the types (tensorflow/core/framework/types.proto): NumPy's name, and the field of values not kept as bytes."""
FLOAT, DOUBLE, STRING, BFLOAT16, HALF = 1, 2, 7, 14, 19
MOST = 1 << 24
"""Numbers of a tensor that is read."""
MOST_REPEATED = 1 << 16
"""Of a tensor for all of which one number stands: as many take no more than a few bytes of the file."""
MOST_DIMENSIONS = 32


def shape_of(tensor: Any) -> tuple[int, ...]:
    """The shape of a tensor. Raises ValueError where that cannot be, or is larger than what is read."""
    if len(tensor.tensor_shape.dim) > MOST_DIMENSIONS:
        raise ValueError(f"a tensor of {len(tensor.tensor_shape.dim):,} dimensions")
    shape = tuple(int(dim.size) for dim in tensor.tensor_shape.dim)
    if min(shape, default=0) < 0 or math.prod(shape) > MOST:
        raise ValueError(f"a tensor of shape {shape}")
    return shape


def to_array(tensor: Any) -> Array:
    """The numbers of a tensor: float32 where they are that or less, else float64.

    Raises:
        ValueError: it holds something else than numbers, or not as many as its shape tells.
    """
    shape, dtype = shape_of(tensor), int(tensor.dtype)
    if dtype in (HALF, BFLOAT16):
        bits = _values(tensor, "<u2", "half_val", shape)
        return bits.view("<f2").astype(np.float32) if dtype == HALF else (bits.astype(np.uint32) << 16).view(np.float32)
    if dtype not in _NUMBERS:
        raise ValueError(f"a tensor of type {dtype}")
    name, field = _NUMBERS[dtype]
    found = _values(tensor, name, field, shape)
    return found.astype(np.float32 if dtype == FLOAT else np.float64)


def _values(tensor: Any, name: str, field: str, shape: tuple[int, ...]) -> Array:
    """The bytes of the tensor as values of a type, or those that are listed one by one in a field."""
    count, listed = math.prod(shape), getattr(tensor, field)
    held = len(tensor.tensor_content) // np.dtype(name).itemsize if tensor.tensor_content else len(listed)
    may_repeat = listed and not tensor.tensor_content and count <= MOST_REPEATED
    if held > count or (held < count and not may_repeat):
        raise ValueError(f"{held:,} values in a tensor of shape {shape}")
    if tensor.tensor_content:
        return np.frombuffer(tensor.tensor_content, name).reshape(shape)
    values = np.array(listed).astype(name)
    if held < count:  # the last stands for all that follow
        values = np.concatenate([values, np.full(count - held, values[-1])])
    return values.reshape(shape)


def fill(tensor: Any, values: Array) -> None:
    """Make a tensor hold an array of float32 or float64."""
    tensor.dtype = FLOAT if values.dtype == np.float32 else DOUBLE
    for size in values.shape:
        tensor.tensor_shape.dim.add(size=size)
    tensor.tensor_content = values.astype(values.dtype.newbyteorder("<")).tobytes()


def fill_number(tensor: Any, value: float) -> None:
    """Make a tensor hold a number as TensorBoard draws it, in float32; where that loses digits, with them beside it.

    TensorBoard's data server passes over scalars of float64 (tensor_proto_to_scalar in its data_compat.rs). What is of
    another type than the tensor's is looked at by nobody but `exact`.
    """
    with np.errstate(over="ignore"):
        single = float(np.float32(value))
    tensor.dtype = FLOAT
    tensor.float_val.append(single)
    if single != value and not math.isnan(value):
        tensor.double_val.append(value)


def exact(tensor: Any) -> float | None:
    """The number that `fill_number` has put beside a tensor; None where there is none."""
    return float(tensor.double_val[0]) if tensor.dtype == FLOAT and len(tensor.double_val) == 1 else None
