"""Which process builds a cache, where several want the same one at once.

The lock is on the unfinished file itself. It ends with the process that holds it, however that ends, and there is no
file but the one that is being built.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from trainer.data.watch import Watch

LOOK_EVERY = 0.1
"""Seconds between two tries."""


@contextmanager
def claimed(part: Path, watch: Watch) -> Iterator[int]:
    """The unfinished file, locked and empty, as a descriptor; it is gone afterwards unless renamed.

    Waits while another process has it.

    Raises:
        OSError: it cannot be created or locked.
        Stopped: the watch said so while waiting.
    """
    descriptor = locked(part, watch, "is decoding the same images")
    try:
        os.ftruncate(descriptor, 0)
        yield descriptor
    finally:
        if _stands(part, descriptor):
            with suppress(OSError):
                part.unlink()
        os.close(descriptor)


def sweep(folder: Path) -> None:
    """Remove the unfinished files of processes that were killed."""
    for part in folder.glob("*.part"):
        with suppress(OSError):
            descriptor = os.open(part, os.O_RDWR | os.O_CLOEXEC)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if _stands(part, descriptor):
                    part.unlink()
            finally:
                os.close(descriptor)


def locked(path: Path, watch: Watch, doing: str) -> int:
    """A file, created where it is not there, locked, as a descriptor to be closed; waits while another process has it.

    Args:
        path: the file.
        watch: looked to, and told of the waiting, meanwhile.
        doing: what another process does with it, to end a sentence.

    Raises:
        OSError: it cannot be created or locked.
        Stopped: the watch said so while waiting.
    """
    told = False
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Between opening and locking, its former owner may have renamed or removed it.
            if _stands(path, descriptor):
                return descriptor
        except BlockingIOError:
            if not told:
                watch.say(f"another process {doing}; waiting for it")
            told = True
            time.sleep(LOOK_EVERY)
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
        watch.look()


def _stands(part: Path, descriptor: int) -> bool:
    """Whether the descriptor is of the file that now has the name."""
    with suppress(OSError):
        return os.path.samestat(os.stat(part), os.fstat(descriptor))
    return False
