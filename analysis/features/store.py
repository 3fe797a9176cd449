"""Features while they are computed, and afterwards: a file of blocks that each stand at their place, with a checksum.

So a block that is there is known to be whole, in whatever order they came and however the process before ended; what is
missing is computed. The file is one row after another, (n, d) float32, and needs room for n (4 d + 1) bytes; where it
cannot be written, rows are held in memory instead.
"""

import hashlib
import os
import struct
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.features.recipes import BLOCK
from trainer.data.claim import locked
from trainer.data.watch import Watch

VERSION = 1
"""Of the file and of what features mean; raised when either changes, so that older files are not found."""
END = struct.Struct("<IIIII")
"""Behind each block: CRC-32 of its rows and of what follows, then `Looks`."""

Rows = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Looks:
    """What the images of a block look like, for the words beside a result."""

    grey: int
    height: int
    """0 where the block has several sizes; so, too, the width."""
    width: int
    floats: int
    """Images of floats."""


class Store:
    """The features of one set, by block."""

    def __init__(self, count: int, width: int, descriptor: int | None, refused: Callable[[OSError], None]) -> None:
        """Begin, or go on with, a store.

        Args:
            count: images.
            width: features of each.
            descriptor: of the file; None for memory.
            refused: told once, why the file cannot be written.
        """
        self.count = count
        self.width = width
        self.blocks = -(-count // BLOCK)
        self._descriptor = descriptor
        self._refused = refused
        self._held: dict[int, tuple[Rows, Looks]] = {}
        self._whole = {block for block in range(self.blocks) if self._read(block) is not None}

    def missing(self) -> list[int]:
        """Numbers of the blocks that are not there."""
        return [block for block in range(self.blocks) if block not in self._whole]

    def write(self, block: int, rows: Rows, looks: Looks) -> None:
        """Set a block's rows, (n, d)."""
        self._whole.add(block)
        if self._descriptor is not None:
            data = np.ascontiguousarray(rows, "<f4").tobytes()
            tail = END.pack(0, looks.grey, looks.height, looks.width, looks.floats)[4:]
            data += struct.pack("<I", zlib.crc32(data + tail)) + tail
            try:
                _write(self._descriptor, data, self._at(block))
                return
            except OSError as error:
                self._give_up(error)
        self._held[block] = rows, looks

    def read(self) -> Iterator[tuple[Rows, Looks]]:
        """All blocks, in order."""
        for block in range(self.blocks):
            found = self._read(block)
            if found is None:
                raise OSError(f"block {block} is not there")
            yield found

    def rows(self) -> Rows:
        """All features, (n, d)."""
        return np.concatenate([rows for rows, _ in self.read()])

    def _at(self, block: int) -> int:
        return block * (BLOCK * self.width * 4 + END.size)

    def _read(self, block: int) -> tuple[Rows, Looks] | None:
        if self._descriptor is None:
            return self._held.get(block)
        length = min(BLOCK, self.count - block * BLOCK) * self.width * 4
        data = os.pread(self._descriptor, length + END.size, self._at(block))
        if len(data) < length + END.size:
            return None
        crc, *looks = END.unpack(data[length:])
        if zlib.crc32(data[:length] + data[length + 4 :]) != crc:
            return None
        return np.frombuffer(data[:length], "<f4").reshape(-1, self.width), Looks(*looks)

    def _give_up(self, error: OSError) -> None:
        """Go on in memory, with what is written so far."""
        for block in self._whole:
            if (found := self._read(block)) is not None:
                self._held[block] = found
        self._descriptor = None
        self._refused(error)


def _write(descriptor: int, data: bytes, at: int) -> None:
    view = memoryview(data)
    while view:
        done = os.pwrite(descriptor, view, at)
        view, at = view[done:], at + done


@contextmanager
def opened(folder: Path | None, key: str, count: int, width: int, say: Callable[[str], None]) -> Iterator[Store]:
    """The store of a key, locked for this process; what is computed stays in the folder's `features-*.f32`.

    Waits while another process has it.

    Args:
        folder: of caches; None for memory.
        key: tells this set, recipe and network from all others; empty: nothing is kept.
        count: images.
        width: features of each.
        say: takes a sentence, where nothing can be kept, or another process has the file.
    """
    name = f"features-{hashlib.sha256(f'{VERSION} {key}'.encode()).hexdigest()[:32]}.f32"

    with ExitStack() as stack:
        spoiled = False

        def refused(error: OSError) -> None:
            nonlocal spoiled
            spoiled = True
            say(f"the features cannot be kept in {folder} ({error.strerror or error}); they are held in memory")

        descriptor = None
        if folder is not None:
            try:
                folder.mkdir(parents=True, exist_ok=True)
                descriptor = _locked(folder / name, say) if key else stack.enter_context(_nameless(folder))
            except OSError as error:
                refused(error)
        if descriptor is not None and key:
            stack.callback(os.close, descriptor)
        yield Store(count, width, descriptor, refused)
        if spoiled and key and folder is not None and descriptor is not None:
            with suppress(OSError):
                (folder / name).unlink()  # it has not the room that it would need; let others have it


@contextmanager
def _nameless(folder: Path) -> Iterator[int]:
    with tempfile.TemporaryFile(dir=folder) as file:
        yield file.fileno()


def _locked(path: Path, say: Callable[[str], None]) -> int:
    return locked(path, Watch(say=say), "computes the same features")


def looks_of(block: Any) -> Looks:
    """What the images of a block, arrays (n, H, W, C), look like."""
    sides = {part.shape[1:3] for part in block}
    height, width = sides.pop() if len(sides) == 1 else (0, 0)
    return Looks(
        grey=sum(len(part) for part in block if part.shape[3] == 1),
        height=height,
        width=width,
        floats=sum(len(part) for part in block if part.dtype != np.uint8),
    )
