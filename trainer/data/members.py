"""The files of a folder, a tar or a zip, by name and in memory: nothing is ever extracted to disk.

So a member named `../../x` is just a name. Links and devices in an archive are passed over; in a folder links
are followed, each folder once.
"""

import os
import re
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePath, PurePosixPath

from trainer.data import damage
from trainer.data.missing import printable
from vaemon.errors import DataNotFound

LARGEST = 256 * 2**20
"""Bytes of the largest file read into memory; no image and no batch of a dataset comes near."""
ARCHIVE = re.compile(r"\.(tar(\.\w+)?|tgz|txz|tbz2?|zip)$", re.IGNORECASE)
"""File names that promise an archive."""
ZIP = b"PK\x03\x04"
"""What a zip with any file in it begins with."""
ENCRYPTED = 0x1
"""The flag of a zip's member that needs a password."""


@dataclass(frozen=True, slots=True)
class Member:
    """One file."""

    name: str
    """Path below the folder or inside the archive, with slashes."""
    data: bytes | Path | OSError
    """Its bytes, or where to read them: a folder's files can be read by several threads, an archive's cannot. An
    error where a zip's other members are whole, but not this one."""
    size: int
    """Its length in bytes."""

    def read(self) -> bytes:
        """The bytes.

        Raises:
            OSError: the file cannot be read.
        """
        if isinstance(self.data, OSError):
            raise self.data
        return self.data if isinstance(self.data, bytes) else self.data.read_bytes()


Entry = tuple[str, int, Callable[[], bytes | Path | OSError]]
"""A file's name, its length, and its data on demand."""


def names(path: Path) -> Iterator[str]:
    """Names of the files in a folder or a zip, sorted, or in a tar, in its order.

    Raises:
        DataNotFound: neither a folder nor a readable archive.
    """
    with _opened(path) as entries:
        yield from (name for name, _, _ in entries)


def members(path: Path, wanted: Callable[[str], bool]) -> Iterator[Member]:
    """The files of a folder, a tar or a zip whose names are wanted, in the order of `names`.

    Raises:
        DataNotFound: neither a folder nor an archive, a damaged archive, or a file larger than LARGEST.
    """
    with _opened(path) as entries:
        for name, size, data in entries:
            if not wanted(name):
                continue
            if size > LARGEST:
                raise DataNotFound(
                    f"{path}: {name} has {size:,} bytes; files above {LARGEST:,} bytes are not read as data"
                )
            yield Member(name, data(), size)


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


def _visible(at: PurePosixPath) -> bool:
    return all(_shown(part) or part == ".." for part in at.parts)


def _named(at: PurePath) -> str:
    return printable(at.as_posix())


@contextmanager
def _opened(path: Path) -> Iterator[Iterator[Entry]]:
    if path.is_dir():
        yield ((name, file.stat().st_size, partial(_itself, file)) for name, file in walk(path))
        return
    zipped = False
    try:
        with path.open("rb") as file:
            zipped = file.read(len(ZIP)) == ZIP
        with zipfile.ZipFile(path) if zipped else tarfile.open(path) as archive:
            yield _zipped(archive) if isinstance(archive, zipfile.ZipFile) else _tarred(archive)
    except PermissionError:
        raise
    except (*damage.TAR, *damage.ZIP) as error:
        # Python's own words for a file of no known kind are a list, a line for each kind that it tried.
        why = (str(error).splitlines() or [type(error).__name__])[0].rstrip(":")
        raise DataNotFound(f"{path} {_fault(path, zipped)} ({why})") from error


def _itself(file: Path) -> Path:
    return file


def _tarred(tar: tarfile.TarFile) -> Iterator[Entry]:
    for info in tar:
        at = PurePosixPath(info.name)
        if info.isreg() and _visible(at):
            yield _named(at), info.size, partial(_taken, tar, info)


def _taken(tar: tarfile.TarFile, info: tarfile.TarInfo) -> bytes:
    content = tar.extractfile(info)
    return content.read() if content else b""


def _zipped(archive: zipfile.ZipFile) -> Iterator[Entry]:
    for info in sorted(archive.infolist(), key=lambda info: info.filename):
        kind = stat.S_IFMT(info.external_attr >> 16)  # 0 where the zip was made without a thought of Unix
        at = PurePosixPath(info.filename)
        if info.is_dir() or kind not in (0, stat.S_IFREG) or not _visible(at):
            continue
        if info.flag_bits & ENCRYPTED:
            raise DataNotFound(f"{archive.filename}: {_named(at)} needs a password; unpack it and give the folder")
        yield _named(at), info.file_size, partial(_unzipped, archive, info)


def _unzipped(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes | OSError:
    try:
        return archive.read(info)
    except damage.ZIP as error:
        return OSError(f"damaged in the zip: {error}")


def _fault(path: Path, zipped: bool) -> str:
    """What to say of a file that does not open as an archive."""
    if zipped or ARCHIVE.search(path.name):
        return "is damaged, or its download was cut short; fetch it again"
    return "is neither a folder nor an archive (.zip, .tar, .tar.gz, .tar.xz, .tar.bz2); unpack it and give the folder"
