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


def digest(path: Path, records: Path, watch: Watch) -> str:
    """A checksum of a file, or of all files of a folder with their names.

    Sizes and times of what was hashed are kept with the checksum: as long as they stay, it is not taken again.

    Args:
        path: the file or folder.
        records: folder where that is kept.
        watch: looked to in between.

    Raises:
        OSError: the source cannot be read. (That the record cannot be written is no error.)
        Stopped: the watch said so.
    """
    files = [("", path)] if path.is_file() else list(walk(path))
    stamp = _stamp(files, watch)
    record = records / f"source-{hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:24]}.json"
    found = _recorded(record, stamp)
    if found is None:
        found = _content(files, watch)
        with suppress(OSError):
            beside = record.with_suffix(f".{os.getpid()}")
            beside.write_text(json.dumps({"stamp": stamp, "digest": found}), encoding="utf-8")
            beside.replace(record)
    return found


def _recorded(record: Path, stamp: str) -> str | None:
    with suppress(OSError, ValueError, KeyError, TypeError):
        kept = json.loads(record.read_text(encoding="utf-8"))
        if kept["stamp"] == stamp:
            return str(kept["digest"])
    return None


def _stamp(files: list[tuple[str, Path]], watch: Watch) -> str:
    found = hashlib.sha256()
    for name, file in files:
        watch.look()
        status = file.stat()
        # The time of change goes in as well: nobody can set it back, as unpacking sets back that of modification.
        found.update(f"{name}\0{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}\n".encode())
    return found.hexdigest()


def _content(files: list[tuple[str, Path]], watch: Watch) -> str:
    found = hashlib.sha256()
    total = sum(file.stat().st_size for _, file in files)
    done = 0
    for name, file in files:
        found.update(f"{name}\0{file.stat().st_size}\n".encode())
        with file.open("rb") as content:
            while block := content.read(BLOCK):
                found.update(block)
                done += len(block)
                watch.tell("hashing, MB", done // 10**6, total // 10**6)
    return found.hexdigest()
