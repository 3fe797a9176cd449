"""A new folder of files: whole or not there, beside what has its name already."""

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from vaemon.exchange.file import beside, free_names, refusals_told, write_file


def write_folder(path: Path, files: Mapping[str, Iterable[bytes]]) -> Path:
    """Write files into a folder that gets its name only when all are whole.

    Args:
        path: where; where that is taken, NAME-2, NAME-3, … is used.
        files: what is written into each, by its path within the folder; whatever that raises is passed on, and leaves
            no folder.

    Returns:
        Where it was written.

    Raises:
        UsageError: the path has no name in it.
        VaemonError: it cannot be written: no such folder, no permission, a full disk.
    """
    temporary = beside(path)
    try:
        with refusals_told(path):
            temporary.mkdir()
        for name, parts in files.items():
            with refusals_told(path):
                (temporary / name).parent.mkdir(parents=True, exist_ok=True)
            write_file(temporary / name, parts)
        free = next(each for each in free_names(path) if not each.exists())
        with refusals_told(path):
            temporary.rename(free)
        return free
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
