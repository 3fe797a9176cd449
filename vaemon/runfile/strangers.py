"""Files in folders that may be anyone's.

A pipe that nobody writes to or a device without an end keeps nobody waiting; nothing is written where a link leads to.
"""

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO


def open_file(path: Path, *, follow: bool = True) -> BinaryIO:
    """A file, open for reading.

    Args:
        path: where.
        follow: whether it may be a symbolic link, which leads anywhere.

    Raises:
        OSError: it is missing, may not be read, or is something else than a file.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
    descriptor = os.open(path, flags)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is not a file", str(path))
    return os.fdopen(descriptor, "rb")


def open_new(path: Path) -> BinaryIO:
    """A new file, open for writing, in place of what has its name: a link is removed, not followed. Raises OSError."""
    path.unlink(missing_ok=True)
    return path.open("xb")


def read_whole(path: Path, most: int) -> bytes:
    """All that a file holds.

    Raises:
        OSError: as of `open_file`.
        ValueError: that is more than `most` bytes.
    """
    with open_file(path) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(f"it has more than {most:,} bytes")
    return content
