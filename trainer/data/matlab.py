"""One named matrix of bytes out of a MATLAB file, level 5 (MathWorks, "MAT-File Format").

Written out here, for the general reader of SciPy can be made to crash the process by a damaged file.

A file is a header of 128 bytes and then elements: a tag (type, length; 8 bytes, or 4 for up to 4 bytes of
content), the content, and padding to a multiple of 8. A matrix is an element of elements: flags, lengths of
the axes, name, values by column; it may lie compressed in an element of its own.
"""

import math
import struct
import zlib
from collections.abc import Iterator

import numpy as np

from trainer.data.images import Pixels
from trainer.data.members import LARGEST

HEADER = 128
BYTE_ORDERS = {b"IM": "<", b"MI": ">"}
INT8, UINT8, INT32, UINT32, MATRIX, COMPRESSED = 1, 2, 5, 6, 14, 15
"""Types of elements."""
BYTES_CLASS = 9
"""Class of a matrix of unsigned bytes."""


def read_bytes(data: bytes, name: str) -> Pixels:
    """The matrix of that name.

    Args:
        data: the whole file.
        name: of a matrix of unsigned bytes.

    Raises:
        ValueError: not such a file, no such matrix, or one of another type.
    """
    order = BYTE_ORDERS.get(data[HEADER - 2 : HEADER])
    if order is None:
        raise ValueError("it is no MATLAB file of level 5")
    try:
        for kind, content in _elements(data[HEADER:], order):
            found = _matrix(*_inflated(kind, content, order), name, order)
            if found is not None:
                return found
    except (struct.error, zlib.error) as error:
        raise ValueError(f"it is damaged ({error})") from error
    raise ValueError(f"it has no matrix {name!r}")


def _elements(data: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    """Type and content of each element in turn."""
    at = 0
    while at < len(data):
        kind, length = struct.unpack_from(f"{order}II", data, at)
        start = at + 8
        if kind >> 16:  # the short tag: the length stands in the upper half, the content in the second word
            kind, length, start = kind & 0xFFFF, kind >> 16, at + 4
        if start + length > len(data):
            raise ValueError(f"it is damaged: an element of {length:,} bytes where {len(data) - start:,} are left")
        yield kind, data[start : start + length]
        at = max(at + 8, start + length)
        at += 0 if kind == COMPRESSED else -at % 8


def _inflated(kind: int, content: bytes, order: str) -> tuple[int, bytes]:
    if kind != COMPRESSED:
        return kind, content
    inflated = zlib.decompressobj().decompress(content, LARGEST)
    return next(_elements(inflated, order), (0, b""))


def _matrix(kind: int, content: bytes, name: str, order: str) -> Pixels | None:
    """The matrix in an element; None where the element is none, or has another name."""
    parts = list(_elements(content, order)) if kind == MATRIX else []
    if [part for part, _ in parts[:3]] != [UINT32, INT32, INT8] or parts[2][1] != name.encode():
        return None
    (flags,) = struct.unpack_from(f"{order}I", parts[0][1])
    shape = struct.unpack(f"{order}{len(parts[1][1]) // 4}i", parts[1][1])
    if flags & 0xFF != BYTES_CLASS or len(parts) != 4 or parts[3][0] != UINT8:
        raise ValueError(f"its matrix {name!r} does not hold unsigned bytes")
    if min(shape, default=-1) < 0 or math.prod(shape) != len(parts[3][1]):
        raise ValueError(f"its matrix {name!r} of shape {shape} has {len(parts[3][1]):,} bytes")
    return np.frombuffer(parts[3][1], np.uint8).reshape(shape, order="F")
