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
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from trainer.data import damage
from trainer.data.missing import printable
from trainer.data.unpacked import MOST, Unpacked
from vaemon.errors import DataNotFound

LARGEST = MOST
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
    error where other files can be read, but not this one."""
    size: int
    """Its length in bytes."""

    def read(self) -> bytes:
        """The bytes.

        Raises:
            OSError: the file cannot be read, or has more than LARGEST bytes.
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
        DataNotFound: neither a folder nor an archive, or a damaged archive.
    """
    with _opened(path) as entries:
        for name, size, data in entries:
            if wanted(name):
                yield Member(name, data() if size <= LARGEST else _too_large(size), size)


def _too_large(size: int) -> OSError:
    return OSError(f"has {size:,} bytes; files above {LARGEST:,} bytes are not read as data")


def walk(folder: Path) -> Iterator[tuple[str, str]]:
    """Name relative to the folder, and path, of every file below it, sorted by name; hidden ones are passed over.

    Raises:
        OSError: a folder cannot be listed.
    """
    found: list[tuple[str, str]] = []
    seen: set[tuple[int, int]] = set()
    ahead = [("", os.fspath(folder))]
    while ahead:
        above, at = ahead.pop()
        status = os.stat(at)
        if (status.st_dev, status.st_ino) in seen:  # a link back up would go round for ever
            continue
        seen.add((status.st_dev, status.st_ino))
        folders = []
        with os.scandir(at) as entries:
            for entry in entries:
                name = entry.name
                if not _shown(name):
                    continue
                try:
                    if entry.is_file():
                        found.append((printable(above + name), entry.path))
                    elif entry.is_dir():
                        folders.append((f"{above}{name}/", entry.path))
                except OSError:  # a link that leads nowhere
                    continue
        ahead += sorted(folders, reverse=True)  # of two links to one folder, the same is taken wherever that is done
    yield from sorted(found)


def _shown(name: str) -> bool:
    return not name.startswith(".") and name != "__MACOSX"


def _visible(at: PurePosixPath) -> bool:
    return all(_shown(part) or part == ".." for part in at.parts)


@contextmanager
def _opened(path: Path) -> Iterator[Iterator[Entry]]:
    if path.is_dir():
        yield ((name, os.stat(file).st_size, partial(Path, file)) for name, file in walk(path))
        return
    zipped = False
    try:
        with path.open("rb") as file:
            zipped = file.read(len(ZIP)) == ZIP
        if zipped:
            with zipfile.ZipFile(path) as archive:
                yield _zipped(archive)
        else:
            with closing(Unpacked(path)) as content, tarfile.TarFile(fileobj=content) as tar:  # type: ignore[arg-type]
                yield _tarred(tar)
    except PermissionError:
        raise
    except (*damage.TAR, *damage.ZIP) as error:
        # Python's own words for a file of no known kind are a list, a line for each kind that it tried.
        why = (str(error).splitlines() or [type(error).__name__])[0].rstrip(":")
        raise DataNotFound(f"{path} {_fault(path, zipped)} ({why})") from error


def _tarred(tar: tarfile.TarFile) -> Iterator[Entry]:
    for info in tar:
        at = PurePosixPath(info.name)
        if info.isreg() and _visible(at):
            yield printable(at.as_posix()), info.size, partial(_taken, tar, info)


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
            raise DataNotFound(
                f"{archive.filename}: {printable(at.as_posix())} needs a password; unpack it and give the folder"
            )
        yield printable(at.as_posix()), info.file_size, partial(_unzipped, archive, info)


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
