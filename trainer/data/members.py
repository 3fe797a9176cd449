"""The files of a folder or a tar, by name and in memory: nothing is ever extracted to disk.

So a member named `../../x` is just a name. Links and devices in a tar are passed over; in a folder links
are followed, each folder once.
"""

import os
import re
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath

from trainer.data import damage
from trainer.data.missing import printable
from vaemon.errors import DataNotFound

LARGEST = 256 * 2**20
"""Bytes of the largest file read into memory; no image and no batch of a dataset comes near."""
TAR = re.compile(r"\.(tar(\.\w+)?|tgz|txz|tbz2?)$", re.IGNORECASE)
"""File names that promise a tar."""


@dataclass(frozen=True, slots=True)
class Member:
    """One file."""

    name: str
    """Path below the folder or inside the tar, with slashes."""
    data: bytes | Path
    """Its bytes, or where to read them: a folder's files can be read by several threads, a tar's cannot."""
    size: int
    """Its length in bytes."""

    def read(self) -> bytes:
        """The bytes.

        Raises:
            OSError: the file cannot be read.
        """
        return self.data if isinstance(self.data, bytes) else self.data.read_bytes()


def names(path: Path) -> Iterator[str]:
    """Names of the files in a folder, sorted, or in a tar, in its order.

    Raises:
        DataNotFound: neither a folder nor a readable tar.
    """
    if path.is_dir():
        yield from (name for name, _ in walk(path))
        return
    with _opened(path) as tar:
        yield from (_named(PurePosixPath(info.name)) for info in tar if info.isreg())


def members(path: Path, wanted: Callable[[str], bool]) -> Iterator[Member]:
    """The files of a folder or tar whose names are wanted, in the order of `names`.

    Raises:
        DataNotFound: neither a folder nor a readable tar, a damaged tar, or a file larger than LARGEST.
    """
    if path.is_dir():
        for name, file in walk(path):
            if wanted(name):
                size = file.stat().st_size
                _refuse_large(path, name, size)
                yield Member(name, file, size)
        return
    with _opened(path) as tar:
        for info in tar:
            name = _named(PurePosixPath(info.name))
            if info.isreg() and wanted(name):
                _refuse_large(path, name, info.size)
                content = tar.extractfile(info)
                yield Member(name, content.read() if content else b"", info.size)


def walk(folder: Path) -> Iterator[tuple[str, Path]]:
    """Every file below a folder with its name relative to it, sorted; hidden ones are passed over.

    Raises:
        OSError: a folder cannot be listed.
    """
    found: list[tuple[str, Path]] = []
    seen: set[tuple[int, int]] = set()
    for at, folders, files in os.walk(folder, followlinks=True, onerror=_raise):
        place = os.stat(at)
        if (place.st_dev, place.st_ino) in seen:  # a link back up would go round for ever
            folders.clear()
            continue
        seen.add((place.st_dev, place.st_ino))
        folders[:] = [each for each in folders if _shown(each)]
        base = Path(at)
        found += [(_named((base / file).relative_to(folder)), base / file) for file in files if _shown(file)]
    yield from sorted(pair for pair in found if pair[1].is_file())


def _raise(error: OSError) -> None:
    raise error


def _shown(name: str) -> bool:
    return not name.startswith(".") and name != "__MACOSX"


def _named(at: PurePath) -> str:
    return printable(at.as_posix())


def _refuse_large(path: Path, name: str, size: int) -> None:
    if size > LARGEST:
        raise DataNotFound(f"{path}: {name} has {size:,} bytes; files above {LARGEST:,} bytes are not read as data")


@contextmanager
def _opened(path: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(path) as tar:
            yield tar
    except PermissionError:
        raise
    except damage.TAR as error:
        # Python's own words for a file of no known kind are a list, a line for each kind that it tried.
        why = str(error).splitlines()[0].rstrip(":")
        raise DataNotFound(f"{path} {_fault(path)} ({why})") from error


def _fault(path: Path) -> str:
    """What to say of a file that does not open as a tar."""
    if TAR.search(path.name):
        return "is damaged, or its download was cut short; fetch it again"
    return "is neither a folder nor a tar (.tar, .tar.gz, .tar.xz, .tar.bz2); unpack it and give the folder"
