"""Segment files opened for reading, each once in a process, however many readers it has.

Two handles of one file under SWMR, in one process, share HDF5's caches and spoil them for each other: rows of later
chunks come back as those of earlier ones. So readers share one handle, counted here.
"""

import ctypes
import os
import threading
from pathlib import Path
from typing import Any

import h5py
from h5py._objects import phil

from vaemon.errors import RunFileError
from vaemon.runfile import handles
from vaemon.runfile.schema import ATTRIBUTES, COMMITS, EVENTS
from vaemon.runfile.superblock import read_superblock
from vaemon.runfile.trust import own_attributes, own_dataset

READ_ATTEMPTS = 24
"""How often HDF5 reads a piece of metadata again that does not fit its checksum: some 20 ms in all. By default it goes
on for what amounts to ever."""


class SharedFile:
    """One file, open under SWMR. `lock` is to be held around every use of what it hands out."""

    def __init__(self, path: Path) -> None:
        self.lock = threading.RLock()
        self.short = read_superblock(path).short
        """Whether parts of the file may be missing: HDF5 reads zeros for them."""
        self.readers = 0
        self.key = (0, 0)
        self.dropped = False
        """Whether it was closed under its readers; they are to open it anew."""
        self._file = h5py.File(_open(path))
        try:
            self.attributes = own_attributes(self._file, ATTRIBUTES)
        except BaseException:
            self._file.close()
            raise
        self._datasets: dict[str, Any] = {}

    def dataset(self, name: str) -> Any:
        """A dataset of the file, the same object for all readers. Raises KeyError, ValueError."""
        if name not in self._datasets:
            self._datasets[name] = self._own(name)
        return self._datasets[name]

    def refreshed(self, name: str) -> Any:
        """A dataset as it has become since. Raises KeyError, ValueError, and what HDF5 raises."""
        dataset = self.dataset(name)
        dataset.refresh()
        return dataset

    def _own(self, name: str) -> Any:
        size = os.fstat(self._file.id.get_vfd_handle()).st_size
        return own_dataset(self._file, name, size, whole=name in (EVENTS, COMMITS))

    def close(self) -> None:
        """Close the file."""
        self._datasets.clear()
        self._file.close()


_files: dict[tuple[int, int], SharedFile] = {}
_registry = threading.Lock()


def acquire(path: Path) -> SharedFile:
    """The open file of a path; to be given back by `release`.

    Raises:
        RunFileError: it cannot be opened, or is damaged.
        OSError, RuntimeError: HDF5 refuses it.
    """
    handles.close_inherited()
    with _registry:
        key = key_of(path)
        if key not in _files:
            _files[key] = SharedFile(path)
            _files[key].key = key
        _files[key].readers += 1
        return _files[key]


def key_of(path: Path) -> tuple[int, int]:
    """What tells a file from others, whatever its name. Raises RunFileError."""
    try:
        found = os.stat(path)
    except OSError as error:
        raise RunFileError(f"cannot read {path}: {error.strerror}") from error
    return found.st_dev, found.st_ino


def release(shared: SharedFile) -> None:
    """Give back what `acquire` gave; the last reader closes the file."""
    with _registry, shared.lock:
        shared.readers -= 1
        if not shared.readers and not shared.dropped:
            _files.pop(shared.key, None)
            shared.close()


def drop(path: Path) -> None:
    """Close a file under its readers, for this process writes it, too, and is about to close it or to let go of it.

    HDF5 would keep the file open for them, or read through a descriptor that leads nowhere.
    """
    with _registry:
        try:
            found = _files.pop(key_of(path), None)
        except RunFileError:
            return
        if found is not None:
            with found.lock:
                found.dropped = True
                found.close()


def _open(path: Path) -> Any:
    access = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    # A lock held by a dashboard would keep the run from being resumed.
    access.set_file_locking(False, True)
    _bound_read_attempts(access)
    return h5py.h5f.open(os.fsencode(path), h5py.h5f.ACC_RDONLY | h5py.h5f.ACC_SWMR_READ, fapl=access)


def _bound_read_attempts(access: Any) -> None:
    # h5py has no call for it; its extension module is linked to the HDF5 that it uses.
    library = ctypes.CDLL(h5py.h5p.__file__)
    bound = library.H5Pset_metadata_read_attempts
    bound.argtypes, bound.restype = (ctypes.c_int64, ctypes.c_uint), ctypes.c_int
    with phil:  # h5py's lock: two threads within HDF5 end the process
        refused = bound(access.id, READ_ATTEMPTS) < 0
    if refused:
        raise RunFileError("this HDF5 does not bound how often it reads damaged metadata; h5py 3.14 or newer does")
