"""The one pickle that is read: a batch of CIFAR-10's Python version. Nothing in it is ever called.

A pickle is a program: `pickle.load` imports and calls what the file names. Here every name is looked up in
a short table of inert stand-ins, so that a file can build dicts, lists, strings, numbers, and arrays of bytes
whose length fits their shape. Any other name is refused before anything happens.
"""

import io
import math
import pickle
from typing import Any

import numpy as np

from trainer.data.images import Pixels


def read_batch(data: bytes) -> dict[str, Any]:
    """The dict of a batch, with its keys as str; arrays are uint8.

    Raises:
        ValueError: the bytes are not such a pickle, or ask for something that a batch does not need.
    """
    try:
        batch = _Batch(io.BytesIO(data), encoding="latin1").load()
    except (
        pickle.UnpicklingError, EOFError, AttributeError, ImportError, IndexError, KeyError, TypeError, OverflowError,
        MemoryError, RecursionError,
    ) as error:  # fmt: skip
        raise ValueError(str(error) or type(error).__name__) from error
    if not isinstance(batch, dict):
        raise ValueError(f"holds a {type(batch).__name__}, not a dict")
    return {_text(key): value.pixels if isinstance(value, _Array) else value for key, value in batch.items()}


class _Dtype:
    """Stands in for numpy.dtype: only bytes are admitted."""

    def __init__(self, code: object, *_: object) -> None:
        if code not in ("u1", "|u1", b"u1"):
            raise ValueError(f"holds an array of dtype {code!r}, but bytes (u1) are needed")

    def __setstate__(self, state: object) -> None:
        """Byte order and alignment: of no meaning for bytes."""


class _Array:
    """Stands in for an array under reconstruction: empty until its state is set."""

    def __init__(self) -> None:
        self.pixels: Pixels = np.empty(0, np.uint8)

    def __setstate__(self, state: tuple[int, tuple[int, ...], _Dtype, bool, str | bytes]) -> None:
        """Take (version, shape, dtype, Fortran order, values) as numpy.ndarray writes them."""
        _, shape, dtype, fortran, values = state
        if not isinstance(dtype, _Dtype) or not all(type(length) is int and length >= 0 for length in shape):
            raise ValueError("holds an array of unknown kind")
        raw = values.encode("latin1") if isinstance(values, str) else bytes(values)
        if len(raw) != math.prod(shape):
            raise ValueError(f"holds an array of shape {shape} with {len(raw):,} bytes")
        self.pixels = np.frombuffer(raw, np.uint8).reshape(shape, order="F" if fortran else "C")


class _Batch(pickle.Unpickler):
    """An unpickler that knows the five names of a batch and no other."""

    def find_class(self, module: str, name: str) -> Any:
        """The stand-in for a name; fresh for each look-up, so that no file can change it for the next."""
        if (module, name) in _ARRAY_MAKERS:
            return lambda *_: _Array()
        if (module, name) == ("numpy", "ndarray"):
            return "numpy.ndarray"
        if (module, name) == ("numpy", "dtype"):
            return lambda *arguments: _Dtype(*arguments)
        if (module, name) == ("_codecs", "encode"):
            return lambda text, encoding: _encode(text, encoding)
        raise pickle.UnpicklingError(f"asks for {module}.{name}, which images do not need; it was not called")


_ARRAY_MAKERS = {("numpy.core.multiarray", "_reconstruct"), ("numpy._core.multiarray", "_reconstruct")}
"""Under NumPy 1 and 2."""


def _encode(text: str, encoding: str) -> bytes:
    """How Python 3 writes bytes for Python 2; only its own encoding is admitted."""
    if encoding != "latin1":
        raise ValueError(f"holds bytes in encoding {encoding!r}")
    return text.encode("latin1")


def _text(key: object) -> str:
    return key.decode("latin1") if isinstance(key, bytes) else str(key)
