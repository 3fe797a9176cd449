"""Removing and renaming a run, while nobody can begin to write it.

Folders here are as `selection.settled` gives them. Of a run that is a symbolic link only the link is touched.
"""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from vaemon.errors import RunExists, RunFileError, RunLocked, UsageError
from vaemon.runfile import lock, manifest
from vaemon.runfile.find import check_name, is_run, list_runs, list_segments

HIDDEN = ".removing-"
"""What a folder's name begins with whose content is being deleted."""


def check_removable(folders: Iterable[Path]) -> None:
    """Refuse what `remove` must not touch.

    Raises:
        UsageError: a folder is not a run, or holds other runs.
        RunLocked: a live process writes one of them; every such process is named.
    """
    folders = list(folders)
    for folder in folders:
        if not is_run(folder) or not (folder.is_symlink() or _is_ours(folder)):
            raise UsageError(f"{folder} is not a run of vaemon's, and is left alone")
        if not folder.is_symlink() and (within := list_runs(folder)):
            raise UsageError(f"{folder} holds other runs ({within[0].name}, …): remove those first")
    _refuse_live(folders, "removed")


def remove(folder: Path) -> None:
    """Remove a run: at one stroke it is gone from where it was, then its content is deleted; no link is followed.

    Raises:
        RunLocked: a live process writes it.
        RunFileError: it cannot be removed, and is as it was; or a part of it cannot be, and the message says where
            that part now lies.
    """
    if folder.is_symlink():
        _refuse_live([folder], "removed")
        with _in_words(folder, "removed"):
            folder.unlink()
        return
    with _locked(folder, "removed"), _in_words(folder, "removed"):
        hidden = _hide(folder)
    # Where it now lies nobody begins to write; and NFS cannot delete a file that is still open, as the lock's was.
    try:
        shutil.rmtree(hidden)
    except OSError as error:
        raise RunFileError(
            f"run {folder.name!r} is removed, but not all of it could be deleted ({_said(error)}); "
            f"what is left lies in {hidden}: delete that by hand"
        ) from error


def remains(folder: Path) -> list[Path]:
    """Where that lies which an interrupted `remove` of the folder has not deleted."""
    return [each for each in folder.parent.glob(f"{HIDDEN}*") if (each / folder.name).exists()]


def rename(folder: Path, name: str) -> Path:
    """Give a run another name: to its folder first, then in its run.json; in between it is a run like any other.

    Returns:
        The folder, where it is now.

    Raises:
        BadRunName: no run can have that name.
        RunExists: it is taken.
        RunLocked: a live process writes the run.
        RunFileError: it cannot be renamed, and is as it was.
    """
    target = folder.parent / check_name(name)
    if folder.is_symlink():
        refuse_taken(target)
        _refuse_live([folder], "renamed")
        with _in_words(folder, "renamed"):
            folder.rename(target)
        return target
    told = manifest.read(folder)
    if target != folder or told.name == name:
        refuse_taken(target)
    _refuse_live([folder], "renamed")
    with _locked(folder, "renamed"):
        if target != folder:
            _move(folder, target)
        try:
            manifest.rename(target, name)
        except (OSError, RunFileError) as error:
            with _in_words(target, "named back"):
                target.rename(folder)
            raise RunFileError(f"run {folder.name!r} cannot be renamed ({_said(error)}); it is as it was") from error
    return target


def _is_ours(folder: Path) -> bool:
    """Whether a folder with a run.json is a run, be it a damaged one, and not another program's."""
    try:
        manifest.read(folder)
    except RunFileError:
        with _in_words(folder, "removed"):
            return bool(list_segments(folder))
    return True


def _refuse_live(folders: list[Path], done: str) -> None:
    held = [(folder.name, who) for folder in folders if (who := lock.holder(folder)) is not None]
    if held:
        told = [f"run {name!r} is being recorded by process {who.pid} on {who.host}" for name, who in held]
        raise RunLocked(f"{'; '.join(told)}; stop that first. Nothing was {done}")


def refuse_taken(target: Path) -> None:
    """Raise RunExists where there is something of that name."""
    if os.path.lexists(target):
        what = "is a run" if is_run(target) else "is something else"
        raise RunExists(f"the name {target.name!r} is taken: there {what} already, {target}; use another name")


@contextmanager
def _locked(folder: Path, done: str) -> Iterator[None]:
    with _in_words(folder, done):
        lock.acquire(folder)
    try:
        yield
    finally:
        lock.release(folder)  # by the path that it was taken with


@contextmanager
def _in_words(folder: Path, done: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RunFileError(f"run {folder.name!r} cannot be {done} ({_said(error)}); it is as it was") from error


def _said(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return str(error)


def _hide(folder: Path) -> Path:
    """Put the folder into a new hidden one beside it, and return that."""
    hidden = Path(tempfile.mkdtemp(prefix=HIDDEN, dir=folder.parent))
    try:
        folder.rename(hidden / folder.name)
    except OSError:
        hidden.rmdir()
        raise
    return hidden


def _move(folder: Path, target: Path) -> None:
    try:
        folder.rename(target)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):  # it came into being at this moment
            raise RunExists(f"the name {target.name!r} is taken: {target}; use another name") from error
        raise RunFileError(f"run {folder.name!r} cannot be renamed ({_said(error)}); it is as it was") from error
