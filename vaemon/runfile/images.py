"""Recorded images: RUN/images/STAGE-STEP-KIND.npy, one small array a file, readable by `numpy.load`.

What is read here may come from anyone: no pickle, no more bytes than the header may ask for, and files that are not
such an array are passed over, with the reason.
"""

import math
import os
import re
import time
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote, unquote

import numpy as np
import numpy.typing as npt

from vaemon.batch import ImageSet
from vaemon.errors import RunFileError
from vaemon.runfile.strangers import open_file, open_new

Array = npt.NDArray[np.uint8]

FOLDER = "images"
MOST = 64
"""Images a set."""
LARGEST = 256
"""Pixels a side."""
LONGEST_KIND = 180
"""Bytes that a kind may take in a file's name."""
SETTLED = 2_000_000_000
"""Nanoseconds after which a folder's time of change tells of every change: file systems count in steps."""

_NAME = re.compile(r"([0-9]{1,10})-([0-9]{1,19})-([^/]+)\.npy")
_MAGIC = b"\x93NUMPY\x01\x00"
_HEADER = re.compile(
    rb"\{'descr': '\|u1', 'fortran_order': False, 'shape': \((\d{1,3}), (\d{1,3}), (\d{1,3}), ([13])\), \} *\n"
)
"""Strictly what numpy writes: its own reader would evaluate any Python literal."""
_HEADER_BYTES = 4096


def file_name(stage: int, step: int, kind: str) -> str:
    """The name of the file of a set; the kind may be any text, what is too long of it is cut."""
    kind = kind[:LONGEST_KIND].encode(errors="replace").decode()
    while len(written := quote(kind, safe=" ()+=,@").replace(".", "%2E")) > LONGEST_KIND:
        kind = kind[:-1]
    return f"{stage}-{step}-{written}.npy"


def parse_name(name: str) -> tuple[int, int, str] | None:
    """Stage, step and kind of a file of that name; None where it is no set's."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    told = (int(found[1]), int(found[2]), unquote(found[3], errors="replace"))
    return told if file_name(*told) == name else None


def write_images(run_folder: Path, name: str, images: Array) -> Path:
    """Write a set, in place of one that has its name; a reader sees all of it or nothing.

    Args:
        run_folder: the run's.
        name: of the file, `file_name`.
        images: (n, h, w, c).

    Raises:
        OSError: there is no room, or the folder is gone.
    """
    folder = run_folder / FOLDER
    folder.mkdir(exist_ok=True)
    path, temporary = folder / name, folder / f".{name}.{os.getpid()}"
    try:
        with open_new(temporary) as file:
            np.lib.format.write_array(file, np.ascontiguousarray(images), version=(1, 0), allow_pickle=False)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return path


def drop_images(run_folder: Path, stage: int, first_step: int, keep: frozenset[str]) -> None:
    """Remove the sets of a stage from a step on, which a resumed run replaces; those named in `keep` stay.

    Raises:
        OSError: one cannot be removed.
    """
    for name in _names(run_folder / FOLDER):
        told = parse_name(name)
        if told is not None and told[0] == stage and told[1] >= first_step and name not in keep:
            (run_folder / FOLDER / name).unlink(missing_ok=True)


def read_images(path: Path) -> Array:
    """The images of a file, (n, h, w, c).

    Raises:
        RunFileError: it is gone, damaged, or no such file.
    """
    try:
        with open_file(path, follow=False) as file:
            shape = _shape(file, path)
            content = bytearray(file.read(math.prod(shape)))
    except OSError as error:
        raise RunFileError(f"{path} cannot be read: {error.strerror}") from error
    if len(content) != math.prod(shape):
        raise RunFileError(f"{path} is cut short")
    return np.frombuffer(content, np.uint8).reshape(shape)


class ImageFolder:
    """The sets of a run; asking again costs next to nothing where nothing has changed. Used by one thread."""

    def __init__(self, run_folder: Path) -> None:
        self.run_folder = run_folder
        self.folder = run_folder / FOLDER
        self.refused: dict[Path, str] = {}
        """Files that were passed over, and why."""
        self._known: dict[str, tuple[int, int, ImageSet | str]] = {}  # time and size of a file, and what it is
        self._changed = -1  # time of the folder's change that `_sets` is up to
        self._sets: tuple[ImageSet, ...] = ()

    def list(self) -> tuple[ImageSet, ...]:
        """Every set there is, by stage, step and kind. Raises OSError where the system does not let us look."""
        try:
            changed = self.folder.stat().st_mtime_ns
        except (FileNotFoundError, NotADirectoryError):
            return ()
        if changed != self._changed:
            self._sets = self._scan()
            self._changed = changed if abs(time.time_ns() - changed) > SETTLED else -1
        return self._sets

    def read(self, which: ImageSet) -> Array:
        """The images of a set, (n, h, w, c). Raises RunFileError."""
        return read_images(self.folder / file_name(which.stage, which.step, which.kind))

    def _scan(self) -> tuple[ImageSet, ...]:
        known: dict[str, tuple[int, int, ImageSet | str]] = {}
        for name in _names(self.folder):
            path = self.folder / name
            try:
                found = path.lstat()
            except OSError:
                continue
            before = self._known.get(name)
            if before is not None and before[:2] == (found.st_mtime_ns, found.st_size):
                known[name] = before
            else:
                known[name] = (found.st_mtime_ns, found.st_size, _look(path, found.st_mtime))
        self._known = known
        self.refused = {self.folder / name: each for name, (*_, each) in known.items() if isinstance(each, str)}
        sets = (each for *_, each in known.values() if isinstance(each, ImageSet))
        return tuple(sorted(sets, key=lambda each: (each.stage, each.step, each.kind)))


def _names(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            names = [each.name for each in entries if parse_name(each.name) and each.is_file(follow_symlinks=False)]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return names


def _look(path: Path, changed: float) -> ImageSet | str:
    told = parse_name(path.name)
    assert told is not None
    try:
        with open_file(path, follow=False) as file:
            count, height, width, channels = _shape(file, path)
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    except RunFileError as error:
        return str(error)
    return ImageSet(*told, count, height, width, channels, changed)


def _shape(file: BinaryIO, path: Path) -> tuple[int, int, int, int]:
    """The shape that the header tells, if the file holds just that; the file is left at the first byte after it.

    Raises:
        RunFileError: it is no set of images.
    """
    start = file.read(len(_MAGIC) + 2)
    header = file.read(min(int.from_bytes(start[-2:], "little"), _HEADER_BYTES))
    found = _HEADER.fullmatch(header)
    if not start.startswith(_MAGIC) or found is None:
        raise RunFileError(f"{path} is not an array of bytes, (n, h, w, 1 or 3), as numpy.save writes it")
    count, height, width, channels = (int(side) for side in found.groups())
    if not (1 <= count <= MOST and 1 <= height <= LARGEST and 1 <= width <= LARGEST):
        raise RunFileError(f"{path} holds more than {MOST} images, or of more than {LARGEST} pixels a side")
    wanted, there = count * height * width * channels, os.fstat(file.fileno()).st_size - file.tell()
    if there != wanted:
        raise RunFileError(f"{path} has {there:,} bytes of images where its header tells of {wanted:,}")
    return count, height, width, channels
