"""Decoded images kept between runs: one file for each source and recipe, uncompressed, under the user's cache folder.

It is mapped into memory, so that images need not fit there. A cache is never a reason to fail: one that is damaged or
cannot be written is as if it were not there. Deleting it is always safe.
"""

import hashlib
import json
import mmap
import os
import struct
import zlib
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from trainer.data.checksum import checksum
from trainer.data.claim import claimed, sweep
from trainer.data.digest import Source
from trainer.data.images import Pixels
from trainer.data.sheet import Sheet
from trainer.data.watch import Watch

VERSION = 3
"""Of the file and of the meaning of its pixels; raised when decoding changes, so that older caches are not found."""
MAGIC = b"vaemon\x00\x03"
END = struct.Struct("<QI8s")
"""The last bytes of a cache: length and CRC-32 of the JSON before them, and MAGIC. Before the JSON stand the pixels."""

DAMAGE = (OSError, ValueError, KeyError, TypeError, AttributeError, struct.error, OverflowError)
"""What reading a damaged cache raises."""

Notes = dict[str, Any]
"""What else was found while decoding; JSON must take it."""


@dataclass(frozen=True, eq=False, slots=True)
class Kept:
    """Decoded images."""

    parts: Mapping[str, Pixels]
    """By name, (n, H, W, C), writable: nothing that is written to them reaches the cache."""
    notes: Notes


def cached(path: Path, recipe: str, build: Callable[[Sheet], Notes], watch: Watch) -> Kept:
    """The images decoded from a source, from the cache where they are there.

    Where two processes ask at once, one decodes and the other waits for it.

    Args:
        path: the file or folder that they are decoded from.
        recipe: what else changes pixels; each recipe has a cache of its own.
        build: allocates and fills a sheet.
        watch: told where there is no room to keep them, and looked to while waiting.

    Raises:
        OSError: the source itself cannot be read.
        Stopped: the watch said so.
    """
    folder = place()

    def refused(error: OSError) -> None:
        reason = error.strerror or str(error) or "no cache folder"
        watch.say(f"the decoded images cannot be kept in {folder} ({reason}); training goes on without")

    def unkept() -> Kept:
        sheet = Sheet(None, refused)
        notes = build(sheet)
        return Kept(sheet.in_memory(), notes)

    if folder is None:
        return unkept()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        refused(error)
        return unkept()
    source = Source(path, watch)
    recipe = hashlib.sha256(f"{VERSION} {recipe}".encode()).hexdigest()
    kept = folder / f"images-{source.digest(folder)[:24]}-{recipe[:16]}.u8"
    if (found := _load(kept)) is not None:
        return found
    with ExitStack() as stack:
        try:
            sweep(folder)
            descriptor = stack.enter_context(claimed(kept.with_suffix(".part"), watch))
        except OSError as error:
            refused(error)
            return unkept()
        return _load(kept) or _build(kept, descriptor, build, partial(_still, source, path, watch), refused)


def place() -> Path | None:
    """The folder of caches; None for a user without a home."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):  # the XDG specification: a relative path is to be ignored
        try:
            base = str(Path.home() / ".cache")
        except RuntimeError:
            return None
    return Path(base) / "vaemon"


def _still(source: Source, path: Path, watch: Watch) -> bool:
    """Whether what was decoded is what was hashed; says so where it is not."""
    if source.unchanged():
        return True
    watch.say(f"{path} changed while it was read; the images are as they were found, and are not kept for the next run")
    return False


def _build(
    kept: Path,
    descriptor: int,
    build: Callable[[Sheet], Notes],
    to_be_kept: Callable[[], bool],
    refused: Callable[[OSError], None],
) -> Kept:
    sheet = Sheet(descriptor, refused)
    notes = build(sheet)
    if sheet.descriptor is None:
        return Kept(sheet.in_memory(), notes)
    try:
        _finish(sheet, notes)
        if to_be_kept():
            os.replace(kept.with_suffix(".part"), kept)
        with os.fdopen(os.dup(descriptor), "rb") as file:
            return _mapped(file)
    except (OSError, ValueError) as error:
        return Kept(sheet.in_memory(OSError(str(error))), notes)


def _finish(sheet: Sheet, notes: Notes) -> None:
    """Write what stands behind the pixels, and see all of it to the disk: a rename may outrun what it renames."""
    assert sheet.descriptor is not None
    length = max(at + int(np.prod(shape)) for at, shape in sheet.parts().values())
    with mmap.mmap(sheet.descriptor, length, access=mmap.ACCESS_READ) as pixels:
        found = checksum(np.frombuffer(pixels, np.uint8))
    text = json.dumps({"parts": sheet.parts(), "notes": notes, "length": length, "checksum": found}).encode()
    os.ftruncate(sheet.descriptor, length)
    with os.fdopen(os.dup(sheet.descriptor), "r+b", buffering=0) as file:
        file.seek(length)
        end = memoryview(text + END.pack(len(text), zlib.crc32(text), MAGIC))
        while end:
            end = end[file.write(end) :]
    os.fsync(sheet.descriptor)


def _load(kept: Path) -> Kept | None:
    with suppress(*DAMAGE), kept.open("rb") as file:
        return _mapped(file)
    return None


def _mapped(file: BinaryIO) -> Kept:
    """The content of a cache, checked; ValueError and others where it is damaged."""
    size = file.seek(-END.size, os.SEEK_END)
    length, crc, magic = END.unpack(file.read())
    if magic != MAGIC or length > size:
        raise ValueError("not a cache")
    file.seek(size - length)
    text = file.read(length)
    if zlib.crc32(text) != crc:
        raise ValueError("damaged")
    head = json.loads(text)
    pixels = np.memmap(file, np.uint8, "c", shape=(size - length,))
    if head["length"] != len(pixels) or checksum(pixels) != head["checksum"]:
        raise ValueError("damaged")
    parts = {
        part: np.asarray(pixels[at : at + int(np.prod(shape))]).reshape(shape)
        for part, (at, shape) in head["parts"].items()
    }
    return Kept(parts, dict(head["notes"]))
