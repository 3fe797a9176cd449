"""writer.lock: one writer a run. The only module that opens that file.

The lock is fcntl's, which the kernel drops when the writer dies, however it dies, and which a forked child
does not hold. Its one trap: closing ANY descriptor of the file in the writer's process frees it; so readers in
that process ask the registry here, and readers elsewhere only ask the kernel (F_GETLK) and never take it.

Some network file systems have no locks at all. There the writer signs the file and touches it again and again; who it
is, and whether it still does, is then all that others can go by: a number alone may be another process's by now.
"""

import contextlib
import errno
import fcntl
import json
import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from vaemon.errors import RunFileError, RunLocked

FILE = "writer.lock"

NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS)
"""What a file system says that has none."""
SILENCE = 60.0
"""Seconds after which a writer that does not touch the file any more is taken for dead, where there are no locks."""
TOUCH_EVERY = 5.0
"""Seconds between two touches of those that hold a run without recording it."""

_SIZE = 2048
_LONGEST = 300  # characters of `trouble`, of which JSON makes at most six bytes each

_held: dict[Path, int] = {}
_reserved: set[Path] = set()
"""Those held for whoever in this process acquires them next."""

# struct flock, as the platform's C compiler lays it out; 64-bit off_t.
_FLOCK = "qqihh" if sys.platform == "darwin" else "hhqqi4x"


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that writes a run."""

    pid: int
    host: str
    since: float
    """Seconds since 1970."""
    trouble: str = ""
    """What keeps it from recording, in words; empty while nothing does."""


def _forget() -> None:
    # A forked child does not hold what its parent locked; closing a descriptor here frees nothing there.
    for descriptor in _held.values():
        os.close(descriptor)
    _held.clear()
    _reserved.clear()


os.register_at_fork(after_in_child=_forget)


def acquire(folder: Path) -> None:
    """Become the writer of a run; of one that this process has reserved, without letting go of it.

    Raises:
        RunLocked: a live process is; its pid and host are named.
        OSError: the file cannot be made or written; nothing is held then.
    """
    folder = folder.resolve()
    if folder in _reserved:
        _reserved.remove(folder)
        return
    if folder in _held:
        raise RunLocked(f"run {folder.name!r} is already being recorded by this process")
    # It is written, and emptied at the end: not what a link of somebody's leads to.
    descriptor = os.open(folder / FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
    try:
        _lock(descriptor, folder)
        _sign_first(descriptor)
    except BaseException:
        os.close(descriptor)
        raise
    _held[folder] = descriptor


@contextlib.contextmanager
def holding(folder: Path) -> Iterator[None]:
    """Have the run for oneself, for as long as it takes, without recording it.

    Raises:
        RunLocked: a live process is recording it; its pid and host are named.
        RunFileError: its folder cannot be written.
    """
    _acquire_told(folder)
    try:
        with _touched(folder):
            yield
    finally:
        release(folder)


@contextlib.contextmanager
def reserving(folder: Path) -> Iterator[None]:
    """Have the run for a recorder that is opened within, which takes it over; else it is let go of at the end.

    Raises:
        RunLocked: a live process is recording it; its pid and host are named.
        RunFileError: its folder cannot be written.
    """
    _acquire_told(folder)
    folder = folder.resolve()
    _reserved.add(folder)
    try:
        with _touched(folder):
            yield
    finally:
        if folder in _reserved:
            _reserved.remove(folder)
            release(folder)


def _acquire_told(folder: Path) -> None:
    try:
        acquire(folder)
    except OSError as error:
        raise RunFileError(
            f"cannot write {folder / FILE}: {error.strerror}; nothing was done. See that you may write in that folder "
            f"and that its disk has room, or ask whom the run belongs to"
        ) from error


@contextlib.contextmanager
def _touched(folder: Path) -> Iterator[None]:
    """Show that the writer is alive while nothing is recorded."""
    done = threading.Event()
    thread = threading.Thread(target=_keep_touching, args=(folder, done), daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _keep_touching(folder: Path, done: threading.Event) -> None:
    while not done.wait(TOUCH_EVERY):
        touch(folder)


def _lock(descriptor: int, folder: Path) -> None:
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in NO_LOCKS or _signed(descriptor) is not None:
            raise RunLocked(_refusal(folder)) from error


def _sign_first(descriptor: int) -> None:
    try:
        _sign(descriptor, Holder(os.getpid(), socket.gethostname(), time.time()))
    except OSError:
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, 0)
        raise


def tell(folder: Path, trouble: str) -> None:
    """Let readers know what keeps the writer from recording. Never raises.

    This file has its place on the disk already: it can say that the disk is full.
    """
    descriptor = _held.get(folder.resolve())
    if descriptor is not None:
        with contextlib.suppress(OSError):
            _sign(descriptor, replace(_who(os.pread(descriptor, _SIZE, 0), os.getpid()), trouble=trouble[:_LONGEST]))


def _sign(descriptor: int, holder: Holder) -> None:
    # Always of the same length, so that nobody reads half of an old signature after a new one.
    if os.pwrite(descriptor, json.dumps(asdict(holder)).encode().ljust(_SIZE), 0) < _SIZE:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def touch(folder: Path) -> None:
    """Show that the writer is alive, to those who cannot ask the kernel. Never raises."""
    descriptor = _held.get(folder.resolve())
    if descriptor is not None:
        with contextlib.suppress(OSError):
            os.utime(descriptor)


def refuse_if_held(folder: Path) -> None:
    """Refuse a run that a live process is writing, before much is done for it; `acquire` has the last word.

    Raises:
        RunLocked: a live process is; its pid and host are named.
    """
    if holder(folder) is not None:
        raise RunLocked(_refusal(folder))


def release(folder: Path) -> None:
    """Stop being the writer; nothing happens where this process is not."""
    descriptor = _held.pop(folder.resolve(), None)
    if descriptor is not None:
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, 0)
        os.close(descriptor)


def holder(folder: Path) -> Holder | None:
    """The live process that writes the run, or None. Never disturbs the lock."""
    folder = folder.resolve()
    if folder in _held:
        return _who(os.pread(_held[folder], _SIZE, 0), os.getpid())
    try:
        # Should it be a pipe, opening it waits for nobody.
        descriptor = os.open(folder / FILE, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        pid = _locking_pid(descriptor)
        return None if pid is None else _who(os.pread(descriptor, _SIZE, 0), pid)
    except OSError as error:
        return _signed(descriptor) if error.errno in NO_LOCKS else None
    finally:
        os.close(descriptor)


def _locking_pid(descriptor: int) -> int | None:
    # A read lock would conflict with the writer's only, so asking for one finds the writer and no reader.
    if sys.platform == "darwin":
        question = struct.pack(_FLOCK, 0, 0, 0, fcntl.F_RDLCK, os.SEEK_SET)
        answer = struct.unpack(_FLOCK, fcntl.fcntl(descriptor, fcntl.F_GETLK, question))
        return None if answer[3] == fcntl.F_UNLCK else int(answer[2])
    question = struct.pack(_FLOCK, fcntl.F_RDLCK, os.SEEK_SET, 0, 0, 0)
    answer = struct.unpack(_FLOCK, fcntl.fcntl(descriptor, fcntl.F_GETLK, question))
    return None if answer[0] == fcntl.F_UNLCK else int(answer[4])


def _signed(descriptor: int) -> Holder | None:
    """Who has signed the file and still touches it, and, where it is this machine, still runs."""
    content = os.pread(descriptor, _SIZE, 0)
    if not content:
        return None
    who = _who(content, 0)
    if who.host == socket.gethostname() and not _runs(who.pid):
        return None
    return who if time.time() - os.fstat(descriptor).st_mtime < SILENCE else None


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return pid > 0


def _who(content: bytes, pid: int) -> Holder:
    try:
        found = json.loads(content)
        return Holder(int(found["pid"]), str(found["host"]), float(found["since"]), str(found["trouble"]))
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):  # locked but not yet signed
        return Holder(pid, socket.gethostname(), time.time())


def _refusal(folder: Path) -> str:
    who = holder(folder)
    if who is None:
        return f"run {folder.name!r} cannot be locked for writing; see that you may write {folder / FILE}"
    since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(who.since))
    return (
        f"run {folder.name!r} is being recorded by process {who.pid} on {who.host} since {since}; "
        f"stop that process first, or record under another name"
    )
