"""Writing a segment: rows and events appended to an HDF5 file that others read meanwhile (SWMR)."""

import os
import time
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from vaemon.batch import Event
from vaemon.runfile import handles, shared
from vaemon.runfile.pyramid import PyramidBuilder
from vaemon.runfile.schema import (
    CLOCK,
    CLOCKS_PART,
    COMMIT,
    COMMITS,
    EVENT,
    EVENTS,
    LEVELS,
    ROWS,
    SCALARS_PART,
    STATISTICS,
    Layout,
    bins_name,
    commit_record,
    latent_part,
)
from vaemon.runfile.superblock import renew_superblock

Array = npt.NDArray[Any]

VERSION = ("v110", "v110")
"""Of HDF5, whose file format is written: the first with SWMR."""
CACHE_BYTES = 256 * 1024
"""Of HDF5's chunk cache, for each dataset; of a file that is appended to, only the newest chunk is touched again."""
_BIN_CHUNK_BYTES = 16 * 1024


class SegmentWriter:
    """One open segment. Used by one thread at a time."""

    def __init__(
        self, path: Path, layout: Layout, *, live: bool = True, compression: dict[str, Any] | None = None
    ) -> None:
        """Create the file; it gets its name only when readers can open it.

        Args:
            path: of the segment.
            layout: what its rows hold.
            live: begin SWMR: readers see what was flushed. Otherwise they see the file when it is closed, then in
                place of one that has its name.
            compression: further arguments of h5py's create_dataset, for the rows and the pyramid.

        Raises:
            OSError, RuntimeError: the file system refuses.
        """
        self.path = path
        self.layout = layout
        self.live = live
        self._sums = [0, 0]  # checksums of the rows and of the events since the last commit record
        self._whole = (0, 0)
        self._pyramid = PyramidBuilder(layout)
        self.temporary = path.with_name(f".{path.name}.{os.getpid()}")
        self.temporary.unlink(missing_ok=True)
        handles.close_inherited()
        try:
            # HDF5 crashes the process where the disk fills up while it makes a file: it is made in memory.
            _put(self.temporary, _empty(layout, compression or {}))
            self._file = h5py.File(self.temporary, "r+", libver=VERSION, locking=False, rdcc_nbytes=CACHE_BYTES)
        except BaseException:
            self.temporary.unlink(missing_ok=True)
            raise
        try:
            handles.opened(self._descriptor, self._file.close)
            self._rows, self._events, self._commits = (self._file[name] for name in (ROWS, EVENTS, COMMITS))
            self._bins = {width: dict(self._file[bins_name(width)].items()) for width in LEVELS}
            if live:
                self._file.swmr_mode = True
                os.rename(self.temporary, path)
        except BaseException:
            self._drop_file()
            self.temporary.unlink(missing_ok=True)
            raise

    def append(self, rows: Array) -> None:
        """Append rows of the layout's type; visible to readers after `flush`."""
        _extend(self._rows, rows)
        self._sums[0] = zlib.crc32(rows.view(np.uint8).data, self._sums[0])
        for width, bins in self._pyramid.add(rows).items():
            for name, values in bins.datasets():
                _extend(self._bins[width][name], values)

    def append_events(self, table: Array) -> None:
        """Append events, of type EVENT; visible to readers after `flush`."""
        if len(table):
            _extend(self._events, table)
            self._sums[1] = zlib.crc32(table.view(np.uint8).data, self._sums[1])

    def flush(self) -> None:
        """Let readers see what was appended.

        The file is flushed, not its datasets: that would leave the superblock's end-of-file stale, and
        HDF5's own repair tool then destroys the data of a killed writer.
        """
        have = (self._rows.id.shape[0], self._events.id.shape[0])
        if have == self._whole:
            return
        self._file.flush()
        _extend(self._commits, commit_record(*have, time.time(), *self._sums))
        self._file.flush()
        self._whole, self._sums = have, [0, 0]

    def sync(self) -> None:
        """Have the disk hold what was flushed."""
        os.fdatasync(self._descriptor) if hasattr(os, "fdatasync") else os.fsync(self._descriptor)

    def close(self) -> None:
        """Flush and close; a file that was not live gets its name."""
        self.finish()
        if not self.live:
            self.publish()

    def finish(self) -> None:
        """Flush and close; a file that was not live has no name yet."""
        self.flush()
        self.sync()
        # All is in the file but that it is closed. HDF5 would crash the process where it cannot write that.
        self._drop_file()
        renew_superblock(self.path if self.live else self.temporary)

    def publish(self) -> None:
        """Give a finished file its name, in place of one that has it."""
        os.replace(self.temporary, self.path)

    def abandon(self) -> None:
        """Let go of a file that could not be written (disk full), keeping what was flushed before.

        A file in which nothing was, or that was not live, is removed.
        """
        if self._file:
            self._drop_file()
        if not self.live:
            self.temporary.unlink(missing_ok=True)
        elif self._whole == (0, 0):
            self.path.unlink(missing_ok=True)

    def _drop_file(self) -> None:
        # HDF5 would try a failed write again at close and at exit, and crash the process by it; so its descriptor is
        # pointed nowhere first.
        shared.drop(self.path)
        handles.point_nowhere(self._descriptor)
        handles.closed(self._descriptor)
        self._file.close()

    @property
    def _descriptor(self) -> int:
        return int(self._file.id.get_vfd_handle())


def _put(path: Path, content: bytes) -> None:
    """Write a new file. By calls that say where, as HDF5's do."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    try:
        at = 0
        while at < len(content):
            at += os.pwrite(descriptor, content[at:], at)
    finally:
        os.close(descriptor)


def _empty(layout: Layout, compression: dict[str, Any]) -> bytes:
    """The bytes of a file in which nothing was recorded yet."""
    with h5py.File("empty", "x", libver=VERSION, driver="core", backing_store=False) as file:
        for name, value in layout.attributes().items():
            file.attrs[name] = value
        _create(file, ROWS, layout.row, (layout.chunk,), **compression)
        _create(file, EVENTS, EVENT, (64,))
        _create(file, COMMITS, COMMIT, (256,))
        for width in LEVELS:
            _create_level(file, layout, width, compression)
        file.flush()
        return bytes(file.id.get_file_image())


def _create_level(file: Any, layout: Layout, width: int, compression: dict[str, Any]) -> None:
    statistics, latents = len(STATISTICS), max(layout.stage.latents, 1)
    few = 16 if width > LEVELS[0] else 64
    scalars = max(len(layout.scalars), 1)
    bins = int(np.clip(_BIN_CHUNK_BYTES // (32 * scalars), 1, few))
    chunk = int(np.clip(_BIN_CHUNK_BYTES // (4 * latents), 4, few))
    _create(file, bins_name(width, CLOCKS_PART), CLOCK, (4 * few,))
    _create(
        file, bins_name(width, SCALARS_PART), "<f8", (bins, statistics, scalars), (statistics, scalars), **compression
    )
    for name in map(latent_part, layout.vectors):
        # A chunk holds one statistic: a screen that wants the mean reads nothing else.
        _create(file, bins_name(width, name), "<f4", (chunk, 1, latents), (statistics, latents), **compression)


def _create(
    file: Any, name: str, dtype: Any, chunks: tuple[int, ...], shape: tuple[int, ...] = (), **options: Any
) -> None:
    file.create_dataset(name, shape=(0, *shape), maxshape=(None, *shape), dtype=dtype, chunks=chunks, **options)


def event_table(events: Sequence[Event], values: Sequence[float]) -> Array:
    """Events as they are stored, each with a number beside it (NaN where it has none)."""
    table = np.zeros(len(events), EVENT)
    for i, (event, value) in enumerate(zip(events, values, strict=True)):
        kind, text = _fitted(event.kind, 16), _fitted(event.text, 224)
        table[i] = (event.step, event.time, event.stage, event.latent, kind, value, text)
    return table


def _fitted(text: str, size: int) -> bytes:
    """The text in UTF-8, cut between characters; what UTF-8 cannot say (a lone surrogate) becomes "?"."""
    return text.encode(errors="replace")[:size].decode(errors="ignore").encode()


def _extend(dataset: Any, rows: Array) -> None:
    # The low-level calls: h5py's selection layer would cost three times the write itself.
    start, *rest = dataset.id.shape
    dataset.id.set_extent((start + len(rows), *rest))
    file_space = dataset.id.get_space()
    file_space.select_hyperslab((start, *(0,) * len(rest)), rows.shape)
    memory_space = h5py.h5s.create_simple(rows.shape)
    dataset.id.write(memory_space, file_space, np.ascontiguousarray(rows))
