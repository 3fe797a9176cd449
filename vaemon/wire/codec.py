"""Values as bytes: msgpack, with arrays as an extension of it. What is read is of the type asked for, or refused."""

import math
from typing import Any, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from vaemon.errors import VaemonError
from vaemon.wire.clean import INSTEAD, clean
from vaemon.wire.deep import changed
from vaemon.wire.frames import WireError

Value = TypeVar("Value")

ARRAY = 1
"""The number of the extension for an array: see `_Array`."""
LARGE = 2
"""The number of the extension for a whole number of more than 64 bits, in decimal digits: a config may have one."""
_KINDS = {
    np.dtype(code).str: np.dtype(code) for code in ("?", "i1", "u1", *(f"<{c}{n}" for c in "iuf" for n in (2, 4, 8)))
}
_MOST_DIMENSIONS = 4


class _Array(msgspec.Struct, array_like=True, frozen=True):
    """An array on its way."""

    kind: str
    """Of its numbers, as NumPy writes it, little-endian: "<f4"."""
    shape: tuple[int, ...]
    numbers: bytes
    """In C order; the first byte of each, then the second of each …: zlib finds more where like stands by like."""


def pack(value: Any) -> bytes:
    """A value of `vaemon.batch`, a question or an answer, as bytes. What is no Unicode in a text is replaced."""
    try:
        return _encoder.encode(value)
    except (UnicodeEncodeError, OverflowError):
        return _encoder.encode(changed(value, _sendable))


def unpack(data: bytes | msgspec.Raw, kind: type[Value], *, cleaned: bool = True) -> Value:
    """A value of a kind. Arrays are the caller's own.

    Args:
        data: what `pack` made.
        kind: what it has to be.
        cleaned: whether its texts are; in a question they are not, for a path is what it is.

    Raises:
        WireError: the bytes are none of that kind.
    """
    try:
        value = msgspec.msgpack.decode(data, type=kind, dec_hook=_as_array, ext_hook=_from_extension)
        return clean(value) if cleaned else value
    except (msgspec.MsgspecError, ValueError, TypeError, RecursionError, OverflowError, VaemonError) as error:
        why = clean(str(error)[:200])
        raise WireError(f"what came is no {getattr(kind, '__name__', 'answer')}: {why}") from error


def _to_extension(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if not isinstance(value, np.ndarray):
        raise TypeError(f"a {type(value).__name__} cannot be sent")
    plain = value.astype(value.dtype.newbyteorder("<"), copy=False)
    if plain.dtype.str not in _KINDS:
        raise TypeError(f"an array of {value.dtype} cannot be sent")
    numbers = np.frombuffer(plain.tobytes(), np.uint8).reshape(-1, plain.itemsize)
    told = _Array(plain.dtype.str, plain.shape, numbers.T.tobytes())
    return msgspec.msgpack.Ext(ARRAY, msgspec.msgpack.encode(told))


def _sendable(value: Any) -> Any:
    if type(value) is str:
        return "".join(INSTEAD if "\ud800" <= c <= "\udfff" else c for c in value)
    if type(value) is int and not -(1 << 63) <= value < 1 << 64:
        return msgspec.msgpack.Ext(LARGE, str(value).encode())
    return value


def _from_extension(number: int, data: memoryview) -> npt.NDArray[Any] | int:
    if number == LARGE:
        return int(bytes(data))
    if number != ARRAY:
        raise ValueError(f"extension {number}")
    told = msgspec.msgpack.decode(data, type=_Array)
    kind = _KINDS.get(told.kind)
    fits = len(told.shape) <= _MOST_DIMENSIONS and all(n >= 0 for n in told.shape)
    if kind is None or not fits or math.prod(told.shape) * kind.itemsize != len(told.numbers):
        raise ValueError(f"an array of {told.kind[:8]!r} and shape {told.shape[:8]} in {len(told.numbers)} bytes")
    # Turned back they are a copy: what NumPy makes of bytes may not be written to.
    numbers = np.frombuffer(told.numbers, np.uint8).reshape(kind.itemsize, -1).T.copy()
    return numbers.reshape(-1).view(kind).reshape(told.shape)


def _as_array(kind: type, value: Any) -> Any:
    # What NumPy makes of a mean over all axes is a number to it, and nearly so to us.
    return np.asarray(value, np.float64) if isinstance(value, float | int) else value


_encoder = msgspec.msgpack.Encoder(enc_hook=_to_extension)
