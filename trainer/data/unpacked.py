"""The bytes of a tar, whatever it is packed with, and never more of them at once than a file of it may have.

tarfile takes the length of a name or a header from the archive: a few packed bytes can promise any number.
"""

import bz2
import gzip
import lzma
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

PACKERS: dict[bytes, Callable[[IO[bytes]], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\x00": lzma.open,
    b"\x5d\x00\x00": lzma.open,
}
"""What a packed file begins with."""

MOST = 256 * 2**20
"""Bytes that may be asked for at once."""


class Unpacked:
    """A file for tarfile to read from."""

    def __init__(self, path: Path) -> None:
        """Open it, packed or not."""
        self._file = path.open("rb")
        begin = self._file.read(6)
        self._file.seek(0)
        opener = next((opener for magic, opener in PACKERS.items() if begin.startswith(magic)), None)
        self._content = self._file if opener is None else opener(self._file)
        self.seek = self._content.seek
        self.tell = self._content.tell

    def read(self, size: int = -1) -> bytes:
        """As a file's; raises tarfile.ReadError where too much is asked for."""
        if not 0 <= size <= MOST:
            raise tarfile.ReadError(f"it promises {size:,} bytes at once")
        return bytes(self._content.read(size))

    def close(self) -> None:
        """Close both files."""
        self._content.close()
        self._file.close()
