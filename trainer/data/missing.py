"""Words for data that are not there: what was looked for, what was found, what to do."""

from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from vaemon.errors import DataNotFound

SHOWN = 8
"""Names listed in an error; the rest is told by a sign."""
NAMED = "say which with --set data.dataset=NAME, or =NAME,NAME for those to train and to test on"
"""What to do where a file of arrays holds several."""


def missing(wanted: str, path: Path, todo: str, names: Iterable[str] | None = None) -> DataNotFound:
    """The error for a path that does not hold what a dataset needs.

    Args:
        wanted: what was looked for, as a noun.
        path: where.
        todo: what to do next, as a sentence without its full stop.
        names: what was found there, where the caller knows better than the file system (members of a tar).
    """
    found = in_path(path) if names is None else f"found {listing(names)}"
    return DataNotFound(f"looked for {wanted} in {path}: {found}; {todo}")


def in_path(path: Path) -> str:
    """What stands at a path, in words."""
    if path.is_dir():
        return f"found {listing(sorted(each.name for each in path.iterdir()))}"
    if path.is_file():
        return f"found a file of {path.stat().st_size:,} bytes"
    if path.exists():
        return "found neither a file nor a folder"
    if path.parent.is_dir():
        beside = listing(sorted(each.name for each in path.parent.iterdir()))
        return f"there is no such file or folder; {path.parent} holds {beside}"
    return "there is no such file or folder, nor its parent"


def listing(names: Iterable[str]) -> str:
    """The first names, and a sign where there are more; "nothing" where there is none."""
    some = [printable(name) for name in islice(names, SHOWN + 1)]
    if not some:
        return "nothing"
    return ", ".join(some[:SHOWN]) + (", …" if len(some) > SHOWN else "")


def printable(name: str) -> str:
    """A file's name as it may be shown: control characters and bytes that are not text as escapes, as in Python.

    Different names stay different, so that none is taken for another.
    """
    if name.isprintable():
        return name
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in name)
