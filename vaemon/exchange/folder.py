"""A new folder of files: whole or not there, beside what has its name already."""

import secrets
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from vaemon.errors import VaemonError
from vaemon.exchange.file import free_names, write_file


def write_folder(path: Path, files: Mapping[str, Iterable[bytes]]) -> Path:
    """Write files into a folder that gets its name only when all are whole.

    Args:
        path: where; where that is taken, NAME-2, NAME-3, … is used.
        files: what is written into each, by its path within the folder; whatever that raises is passed on, and leaves
            no folder.

    Returns:
        Where it was written.

    Raises:
        VaemonError: it cannot be written: no such folder, no permission, a full disk.
    """
    temporary = path.with_name(f".{secrets.token_hex(6)}.part")
    try:
        _make(temporary, path)
        for name, parts in files.items():
            _make((temporary / name).parent, path)
            write_file(temporary / name, parts)
        free = next(each for each in free_names(path) if not each.exists())
        try:
            temporary.rename(free)
        except OSError as error:
            raise VaemonError(f"cannot write {path}: {error.strerror}; nothing was left there") from error
        return free
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _make(folder: Path, path: Path) -> None:
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise VaemonError(f"cannot write {path}: {error.strerror}; nothing was left there") from error
