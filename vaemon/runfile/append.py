"""Writing a segment: rows and events appended to an HDF5 file that others read meanwhile (SWMR)."""

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from vaemon.batch import Event
from vaemon.runfile.schema import BLOCK, BLOCKS, EVENT, EVENTS, ROWS, Layout

Array = npt.NDArray[Any]


class SegmentWriter:
    """One open segment. Used by one thread at a time."""

    def __init__(self, path: Path, layout: Layout) -> None:
        """Create the file and begin SWMR; it gets its name only when readers can open it.

        Raises:
            OSError, RuntimeError: the file system refuses.
        """
        self.path = path
        self.layout = layout
        self._whole = 0
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        temporary.unlink(missing_ok=True)
        self._file = h5py.File(temporary, "x", libver=("v110", "v110"), locking=False)
        try:
            for name, value in layout.attributes().items():
                self._file.attrs[name] = value
            self._rows = self._create(ROWS, layout.row, layout.chunk)
            self._events = self._create(EVENTS, EVENT, 64)
            self._blocks = self._create(BLOCKS, BLOCK, 256)
            self._file.swmr_mode = True
            os.rename(temporary, path)
        except (OSError, RuntimeError):
            self._drop_file()
            temporary.unlink(missing_ok=True)
            raise

    def append(self, rows: Array) -> None:
        """Append rows of the layout's type; visible to readers after `flush`."""
        _extend(self._rows, rows)

    def append_events(self, events: Sequence[Event], values: Sequence[float]) -> None:
        """Append events, each with a number beside it (NaN where it has none)."""
        if not events:
            return
        table = np.zeros(len(events), EVENT)
        for i, (event, value) in enumerate(zip(events, values, strict=True)):
            kind, text = _fitted(event.kind, 16), _fitted(event.text, 224)
            table[i] = (event.step, event.time, event.stage, event.latent, kind, value, text)
        _extend(self._events, table)

    def flush(self) -> None:
        """Let readers see what was appended.

        The file is flushed, not its datasets: that would leave the superblock's end-of-file stale, and
        HDF5's own repair tool then destroys the data of a killed writer.
        """
        self._file.flush()
        if self._rows.id.shape[0] > self._whole:
            block = np.array([(self._rows.id.shape[0], time.time())], BLOCK)
            _extend(self._blocks, block)
            self._file.flush()
            self._whole = int(block["rows"][0])

    def sync(self) -> None:
        """Have the disk hold what was flushed."""
        os.fdatasync(self._descriptor) if hasattr(os, "fdatasync") else os.fsync(self._descriptor)

    def close(self) -> None:
        """Flush and close."""
        self.flush()
        self._file.close()

    def abandon(self) -> None:
        """Let go of a file that could not be written (disk full), keeping what was flushed before.

        A file in which nothing was is removed.
        """
        self._drop_file()
        if not self._whole:
            self.path.unlink(missing_ok=True)

    def _drop_file(self) -> None:
        # HDF5 would try the failed write again at close and at exit, and crash the process by it; so its
        # descriptor is pointed nowhere first.
        with open(os.devnull, "r+b") as nowhere:
            os.dup2(nowhere.fileno(), self._descriptor)
        self._file.close()

    @property
    def _descriptor(self) -> int:
        return int(self._file.id.get_vfd_handle())

    def _create(self, name: str, dtype: np.dtype[Any], chunk: int) -> Any:
        return self._file.create_dataset(name, shape=(0,), maxshape=(None,), dtype=dtype, chunks=(chunk,))


def _fitted(text: str, size: int) -> bytes:
    """The text in UTF-8, cut between characters; what UTF-8 cannot say (a lone surrogate) becomes "?"."""
    return text.encode(errors="replace")[:size].decode(errors="ignore").encode()


def _extend(dataset: Any, rows: Array) -> None:
    # The low-level calls: h5py's selection layer would cost three times the write itself.
    start = dataset.id.shape[0]
    dataset.id.set_extent((start + len(rows),))
    file_space = dataset.id.get_space()
    file_space.select_hyperslab((start,), (len(rows),))
    memory_space = h5py.h5s.create_simple((len(rows),))
    dataset.id.write(memory_space, file_space, np.ascontiguousarray(rows))
