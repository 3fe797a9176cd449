"""New files: whole or not there, beside what has their name already, never over it unless asked."""

import os
import re
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from vaemon.errors import UsageError, VaemonError

LONGEST = 80
"""Bytes of a run's or a panel's name that a file's name keeps; file systems take 255 in all."""

_UNSAFE = re.compile(r"[^\w.+=-]+")


def file_name(run: str, panel: str, step: int, suffix: str) -> str:
    """The name of a file that shows a panel of a run at a step: "run42-gamma-1200.svg".

    Args:
        run: the run's name or address; what a file's name should not have becomes a "-".
        panel: what of it is shown, likewise.
        step: the newest step shown.
        suffix: "svg", "png", "csv", … without a dot.
    """
    return f"{safe(run) or 'run'}-{safe(panel) or 'screen'}-{step}.{suffix}"


def safe(name: str) -> str:
    """As much of a name as can be one of a file in the working folder, and not a hidden one; may be empty."""
    return _UNSAFE.sub("-", name).encode()[:LONGEST].decode(errors="ignore").strip("-.")


def write_file(path: Path, parts: Iterable[bytes], *, replace: bool = False) -> Path:
    """Write a file that gets its name only when it is whole.

    Args:
        path: where; where that is taken, NAME-2, NAME-3, … is used.
        parts: what is written, asked for one by one; whatever it raises is passed on, and leaves no file.
        replace: take the place of a file of that name.

    Returns:
        Where it was written.

    Raises:
        UsageError: the path has no name in it.
        VaemonError: it cannot be written: no such folder, no permission, a full disk.
    """
    temporary = beside(path)
    try:
        _fill(temporary, path, parts)
        with refusals_told(path):
            return _named(temporary, path, replace)
    finally:
        with suppress(OSError):
            temporary.unlink()


def beside(path: Path) -> Path:
    """A hidden name in the same folder, for what is not whole yet. Raises UsageError where the path has no name."""
    if path.name in ("", ".."):
        raise UsageError(
            f"{str(path)!r} is no name to write to; say where, with the name of a file or folder to be made"
        )
    return path.with_name(f".{secrets.token_hex(6)}.part")


def _fill(temporary: Path, path: Path, parts: Iterable[bytes]) -> None:
    with refusals_told(path):
        file = temporary.open("xb")
    try:
        for part in parts:
            with refusals_told(path):
                file.write(part)
        with refusals_told(path):
            file.flush()
            os.fsync(file.fileno())
    finally:
        with suppress(OSError):  # on a full disk closing fails once more
            file.close()


@contextmanager
def refusals_told(path: Path) -> Iterator[None]:
    """Say in words what the file system refuses of what is to be written to a path.

    Raises:
        VaemonError: it does.
    """
    try:
        yield
    except OSError as error:
        why = error.strerror or str(error) or type(error).__name__
        raise VaemonError(f"cannot write {path}: {why}; nothing was left there") from error


def _named(temporary: Path, path: Path, replace: bool) -> Path:
    if replace:
        os.replace(temporary, path)
        return path
    for candidate in free_names(path):
        try:
            os.link(temporary, candidate)
        except FileExistsError:
            continue
        except OSError:  # a file system without links: the name is taken first, then filled
            if not _taken(temporary, candidate):
                continue
        return candidate
    raise AssertionError("names do not run out")


def _taken(temporary: Path, candidate: Path) -> bool:
    """Whether the name was free, and is now the file's."""
    try:
        candidate.open("xb").close()
    except FileExistsError:
        return False
    try:
        os.replace(temporary, candidate)
    except OSError:
        candidate.unlink(missing_ok=True)
        raise
    return True


def free_names(path: Path) -> Iterator[Path]:
    """The names to be tried, one after the other: NAME, NAME-2, NAME-3, …."""
    yield path
    yield from (path.with_name(f"{path.stem}-{number}{path.suffix}") for number in count(2))
