"""What a sweep notes of itself and its members, for those who ask how it fares. Several may note at once."""

import fcntl
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from vaemon.errors import RunExists, RunFileError
from vaemon.runfile.sweeps import FILE, Member, Sweep, folder_of, is_sweep, read


def create(sweep: Sweep, runs: Path) -> None:
    """Note a new sweep.

    Raises:
        RunExists: there is one of that name already.
        RunFileError: the file system refuses.
    """
    folder = folder_of(sweep.name, runs)
    with _explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder):
            if is_sweep(sweep.name, runs):
                raise RunExists(f"there is a sweep {sweep.name!r} already, in {runs}; another --name begins anew")
            _replace(folder / FILE, sweep)


def note(sweep: Sweep, members: Iterable[Member], runs: Path) -> None:
    """Note how some members fare; what others have noted of other members meanwhile stays.

    Raises:
        RunFileError: the file system refuses.
    """
    folder = folder_of(sweep.name, runs)
    with _explained(folder), _alone(folder):
        there = read(sweep.name, runs)
        news = {member.run: member for member in members}
        there.members = [news.get(member.run, member) for member in there.members]
        _replace(folder / FILE, there)


def forget(sweep: Sweep, runs: Path) -> None:
    """Remove what was noted of a sweep that has not begun."""
    shutil.rmtree(folder_of(sweep.name, runs), ignore_errors=True)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Be the only one who writes there, wherever the file system can tell."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _replace(path: Path, sweep: Sweep) -> None:
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    try:
        temporary.write_bytes(msgspec.json.format(msgspec.json.encode(sweep), indent=1) + b"\n")
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RunFileError(f"cannot write {folder / FILE}: {error.strerror}") from error
