"""What tells one source of images from another: a checksum of its content, taken anew only where it was touched."""

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path

from trainer.data.members import walk
from trainer.data.watch import Watch

BLOCK = 2**22
"""Bytes hashed between two looks at who may want to stop."""
LOOKED_AT = 256
"""Files looked at between two."""

Files = list[tuple[str, str]]
"""Name and path of each file."""


class Source:
    """A file, or all files of a folder with their names, as they stood at first sight."""

    def __init__(self, path: Path, watch: Watch) -> None:
        """Look at the sizes and times of the files.

        Args:
            path: the file or folder.
            watch: looked to in between.

        Raises:
            OSError: the source cannot be looked at.
            Stopped: the watch said so.
        """
        self._path = path
        self._watch = watch
        self._files = _files(path)
        self._stamp = _stamp(self._files, watch)

    def digest(self, records: Path) -> str:
        """A checksum of the content.

        Sizes and times of what was hashed are kept with it: as long as they stay, it is not taken again.

        Args:
            records: folder where that is kept. (That it cannot be written is no error.)

        Raises:
            Stopped: the watch said so.
        """
        record = records / f"source-{hashlib.sha256(os.fsencode(self._path.resolve())).hexdigest()[:24]}.json"
        found = _recorded(record, self._stamp)
        if found is None:
            found, whole = _content(self._files, self._watch)
            if whole:
                with suppress(OSError):
                    beside = record.with_suffix(f".{os.getpid()}")
                    beside.write_text(json.dumps({"stamp": self._stamp, "digest": found}), encoding="utf-8")
                    beside.replace(record)
        return found

    def unchanged(self) -> bool:
        """Whether the source still stands as it did at first sight."""
        try:
            return _stamp(_files(self._path), self._watch) == self._stamp
        except OSError:
            return False


def _files(path: Path) -> Files:
    return [("", os.fspath(path))] if path.is_file() else list(walk(path))


def _recorded(record: Path, stamp: str) -> str | None:
    with suppress(OSError, ValueError, KeyError, TypeError):
        kept = json.loads(record.read_text(encoding="utf-8"))
        if kept["stamp"] == stamp:
            return str(kept["digest"])
    return None


def _stamp(files: Files, watch: Watch) -> str:
    found = hashlib.sha256()
    for start in range(0, len(files), LOOKED_AT):
        watch.look()
        lines = []
        for name, file in files[start : start + LOOKED_AT]:
            status = os.stat(file)
            # The time of change goes in as well: nobody can set it back, as unpacking sets back that of modification.
            lines.append(f"{name}\0{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}\n")
        found.update("".join(lines).encode())
    return found.hexdigest()


def _content(files: Files, watch: Watch) -> tuple[str, bool]:
    """A checksum of names and content, and whether every file could be read: who decodes will tell of the others."""
    found, whole = hashlib.sha256(), True
    total = sum(os.stat(file).st_size for _, file in files)
    done = 0
    for name, file in files:
        found.update(f"{name}\0{os.stat(file).st_size}\n".encode())
        try:
            with open(file, "rb") as content:
                while block := content.read(BLOCK):
                    found.update(block)
                    done += len(block)
                    watch.tell("hashing, MB", done // 10**6, total // 10**6)
        except OSError:
            found.update(b"\0unreadable\n")
            whole = False
    return found.hexdigest(), whole
