"""The images of a dataset while they are decoded: rows of bytes in a file, or in memory where that cannot be.

A file, so that images need not fit in memory. Written by calls that can fail, not through a memory map: on a full disk
that would end the process.
"""

import errno
import os
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from trainer.data.images import Pixels
from vaemon.errors import UsageError

MEMORY_SHARE = 0.6
"""Share of the machine's memory that images may fill."""

NO_ALLOCATION = (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS)
"""What a file system says that cannot set room aside; it may have it all the same."""

Shape = tuple[int, ...]


class Sheet:
    """Rows of pixels by part and number. They are written in any order, each once; some may be left out at the end."""

    def __init__(self, descriptor: int | None, refused: Callable[[OSError], None]) -> None:
        """Begin a sheet.

        Args:
            descriptor: of an empty file, open for reading and writing; None for memory.
            refused: told once, why the file cannot be written; the sheet goes on in memory.
        """
        self.descriptor = descriptor
        self._refused = refused
        self._starts: dict[str, int] = {}
        self._counts: dict[str, int] = {}
        self._rows: Pixels = np.empty((0, 0, 0, 0), np.uint8)
        self._shape: Shape = ()
        self._bytes = 0
        self._total = 0

    def allocate(self, counts: Mapping[str, int], shape: Shape) -> None:
        """Make room.

        Args:
            counts: rows of each part.
            shape: of an image, (H, W, C).

        Raises:
            UsageError: neither the disk nor the memory has the room.
        """
        self._shape, self._bytes = shape, int(np.prod(shape))
        at = 0
        for part, count in counts.items():
            self._starts[part], self._counts[part] = at, count
            at += count
        self._total = at
        try:
            if self.descriptor is not None and hasattr(os, "posix_fallocate"):
                os.posix_fallocate(self.descriptor, 0, at * self._bytes)
        except OSError as error:
            if error.errno not in NO_ALLOCATION:
                self._give_up(error)
        if self.descriptor is None and not len(self._rows):
            self._rows = self._in_memory()

    def write(self, part: str, row: int, pixels: Pixels) -> None:
        """Set one row, an image (H, W, C)."""
        at = self._starts[part] + row
        if self.descriptor is not None:
            try:
                _write(self.descriptor, np.ascontiguousarray(pixels).data.cast("B"), at * self._bytes)
            except OSError as error:
                self._give_up(error)
            else:
                return
        self._rows[at] = pixels

    def keep(self, part: str, rows: Sequence[int]) -> None:
        """Leave out all rows of a part but these, which are in ascending order."""
        for to, source in enumerate(rows):
            if to != source:
                self.write(part, to, self._read(self._starts[part] + source))
        self._counts[part] = len(rows)

    def parts(self) -> dict[str, tuple[int, Shape]]:
        """By part, where its first byte stands, and its shape, (n, H, W, C)."""
        return {part: (start * self._bytes, (self._counts[part], *self._shape)) for part, start in self._starts.items()}

    def in_memory(self, error: OSError | None = None) -> dict[str, Pixels]:
        """The parts as arrays; what stands in the file is read back, `error` telling why it is of no use there."""
        if self.descriptor is not None:
            self._give_up(error or OSError())
        return {part: self._rows[at : at + self._counts[part]] for part, at in self._starts.items()}

    def _read(self, at: int) -> Pixels:
        if self.descriptor is None:
            return np.asarray(self._rows[at])
        data = os.pread(self.descriptor, self._bytes, at * self._bytes)
        return np.frombuffer(data, np.uint8).reshape(self._shape)

    def _give_up(self, error: OSError) -> None:
        """Go on in memory, with what is written so far."""
        descriptor, self.descriptor = self.descriptor, None
        self._refused(error)
        self._rows = self._in_memory()
        assert descriptor is not None
        place, at = self._rows.reshape(-1).data, 0
        while at < len(place) and (taken := os.preadv(descriptor, [place[at : at + 2**26]], at)):
            at += taken

    def _in_memory(self) -> Pixels:
        if not fits(self._total * self._bytes):
            height, width = self._shape[:2]
            raise UsageError(
                f"{self._total:,} images of {width} × {height} fit neither in memory nor in the folder of caches "
                "($XDG_CACHE_HOME/vaemon); make them smaller with --set data.size=N, or make room"
            )
        return np.empty((self._total, *self._shape), np.uint8)


def _write(descriptor: int, data: memoryview, at: int) -> None:
    while data:
        done = os.pwrite(descriptor, data, at)
        data, at = data[done:], at + done


def fits(size: int) -> bool:
    """Whether so many bytes of images fit in the memory of this machine, beside all else."""
    return size <= MEMORY_SHARE * _memory()


def _memory() -> int:
    """Bytes of memory of this machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
