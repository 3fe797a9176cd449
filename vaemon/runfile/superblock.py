"""The first bytes of an HDF5 file, checked before HDF5 sees them.

HDF5 answers a damaged superblock of a file opened under SWMR by reading it again and again, in C, with the
interpreter locked: a dashboard would freeze and Ctrl-C be dead. The layout is that of the HDF5 file format
specification, superblock version 3; its checksum is Bob Jenkins' lookup3.
"""

import errno
import os
from dataclasses import dataclass
from pathlib import Path

from vaemon.errors import RunFileError
from vaemon.runfile.strangers import open_file

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_SIZE = 48
_MASK = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Superblock:
    """What a file's first bytes say, and how long it is."""

    flags: int
    """0: closed. Else a writer has it open, or died with it."""
    end: int
    """Where the file should end; of a file that is being written, at the last flush."""
    size: int

    @property
    def short(self) -> bool:
        """Whether something is missing at the end: the file was cut, or its last write failed."""
        return self.size < self.end


def read_superblock(path: Path) -> Superblock:
    """Read and check the first bytes of a file.

    Raises:
        RunFileError: it is missing, damaged, or something else.
    """
    try:
        with open_file(path) as file:
            head = file.read(_SIZE)
            size = os.fstat(file.fileno()).st_size
    except OSError as error:
        raise RunFileError(f"cannot read {path}: {error.strerror}") from error
    if not head.startswith(_SIGNATURE):
        raise RunFileError(f"cannot read {path}: it is not an HDF5 file")
    if len(head) < _SIZE or head[8] != 3:
        raise RunFileError(f"cannot read {path}: its beginning is damaged")
    if lookup3(head[:44]) != int.from_bytes(head[44:48], "little"):
        raise RunFileError(f"cannot read {path}: the checksum of its beginning is wrong")
    return Superblock(head[11], int.from_bytes(head[28:36], "little"), size)


def renew_superblock(path: Path) -> None:
    """Write the first bytes anew, as those of a file that was closed. Nothing else is touched.

    HDF5's own tool (h5clear -s) does not move the end of the file, and HDF5 then cuts off what lies beyond it.

    Raises:
        OSError: the file system refuses; or it is a link, which might lead to a file of somebody else.
    """
    # As HDF5 writes them for the files that we create: offsets and lengths of 8 bytes, no extension, the root group
    # right behind.
    head = _SIGNATURE + bytes([3, 8, 8, 0]) + bytes(8) + b"\xff" * 8
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW), "r+b") as file:
        size = os.fstat(file.fileno()).st_size
        told = int.from_bytes(os.pread(file.fileno(), 8, 28), "little")
        end = told if size < told < 2 * size else size
        head += end.to_bytes(8, "little") + _SIZE.to_bytes(8, "little")
        _overwrite(file.fileno(), head + lookup3(head).to_bytes(4, "little"))
        os.fsync(file.fileno())


def _overwrite(descriptor: int, head: bytes) -> None:
    """Put it in place of what a file begins with, all of it or nothing."""
    before = os.pread(descriptor, len(head), 0)
    written = os.pwrite(descriptor, head, 0)
    if written < len(head):  # half of the old and half of the new would have no checksum that fits
        os.pwrite(descriptor, before[:written], 0)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def lookup3(data: bytes) -> int:
    """Bob Jenkins' hash of 2006, `hashlittle` with seed 0, as HDF5 uses it for metadata."""
    a = b = c = (0xDEADBEEF + len(data)) & _MASK
    while len(data) > 12:
        a, b, c = (a + _word(data, 0)) & _MASK, (b + _word(data, 4)) & _MASK, (c + _word(data, 8)) & _MASK
        a, b, c = _mix(a, b, c)
        data = data[12:]
    if not data:
        return c
    data = data.ljust(12, b"\0")
    a, b, c = (a + _word(data, 0)) & _MASK, (b + _word(data, 4)) & _MASK, (c + _word(data, 8)) & _MASK
    return _final(a, b, c)


def _word(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "little")


def _rotated(x: int, k: int) -> int:
    return ((x << k) | (x >> (32 - k))) & _MASK


def _mix(a: int, b: int, c: int) -> tuple[int, int, int]:
    for k, n, m in ((4, 6, 8), (16, 19, 4)):
        a = ((a - c) & _MASK) ^ _rotated(c, k)
        c = (c + b) & _MASK
        b = ((b - a) & _MASK) ^ _rotated(a, n)
        a = (a + c) & _MASK
        c = ((c - b) & _MASK) ^ _rotated(b, m)
        b = (b + a) & _MASK
    return a, b, c


def _final(a: int, b: int, c: int) -> int:
    for k, n, m in ((14, 11, 25), (16, 4, 14)):
        c = ((c ^ b) - _rotated(b, k)) & _MASK
        a = ((a ^ c) - _rotated(c, n)) & _MASK
        b = ((b ^ a) - _rotated(a, m)) & _MASK
    return ((c ^ b) - _rotated(b, 24)) & _MASK
