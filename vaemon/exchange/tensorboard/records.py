"""The framing of an event file (TFRecord): of each record its length, a checksum of that, its bytes, one of these.

Checksums are CRC-32C, masked: https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details.
"""

import os
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from crc32c import crc32c

from vaemon.errors import VaemonError

_HEAD = struct.Struct("<QI")
_SUM = struct.Struct("<I")
MOST_BYTES = 64 << 20
"""Of a record that is read: it is held in memory as a whole, and unfolds to several times as much."""


def masked(data: bytes) -> int:
    """The checksum of some bytes, as the format stores it."""
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def framed(data: bytes) -> bytes:
    """A record."""
    length = struct.pack("<Q", len(data))
    return b"".join((length, _SUM.pack(masked(length)), data, _SUM.pack(masked(data))))


def read_records(path: Path, damaged: Callable[[str], object]) -> Iterator[tuple[bytes, int]]:
    """The records of a file as it is now, and where each ends.

    Args:
        path: of the file.
        damaged: told in words what is wrong with it. A record whose checksum is wrong is passed over, and
            so is one above MOST_BYTES; where a length is wrong, or where the file ends within a record, no more can be
            read.

    Raises:
        VaemonError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            yield from _records(file, os.fstat(file.fileno()).st_size, damaged)
    except OSError as error:
        raise VaemonError(f"cannot read {path}: {error.strerror}") from error


def _records(file: BinaryIO, size: int, damaged: Callable[[str], object]) -> Iterator[tuple[bytes, int]]:
    at, wrong, large = 0, 0, 0
    while at < size:
        head = file.read(_HEAD.size)
        if len(head) < _HEAD.size:
            damaged(_cut(at, size))
            break
        length, crc = _HEAD.unpack(head)
        if crc != masked(head[:8]):
            damaged(f"it is damaged at byte {at:,} of {size:,}; what comes after that cannot be read")
            break
        if length > size - at - _HEAD.size - _SUM.size:
            damaged(_cut(at, size))
            break
        if length > MOST_BYTES:
            large += 1
            at = file.seek(length + _SUM.size, os.SEEK_CUR)
            continue
        data, stored = file.read(length), file.read(_SUM.size)
        if len(data) + len(stored) < length + _SUM.size:
            damaged(_cut(at, size))
            break
        at += _HEAD.size + length + _SUM.size
        if _SUM.unpack(stored)[0] == masked(data):
            yield data, at
        else:
            wrong += 1
    if large:
        damaged(f"{large:,} records are larger than {MOST_BYTES >> 20} MiB; they are left out")
    if wrong:
        damaged(f"{wrong:,} records have wrong checksums; they are left out")


def _cut(at: int, size: int) -> str:
    return f"it ends within a record, {size - at:,} bytes after the last whole one; what is before that is kept"
