"""Decoded images kept between runs: one uncompressed .npz for each source, under the user's cache folder.

A cache is never a reason to fail: one that is stale, damaged or cannot be written is as if it were not there.
Deleting it is always safe.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from trainer.data import damage
from trainer.data.members import walk

VERSION = 1
"""Of the arrays' meaning; raised when decoding changes, so that older caches are rebuilt."""

STATE = "__state__"
"""Name of the array that says what source the others were built from."""

Arrays = Mapping[str, npt.NDArray[Any]]


def cached(path: Path, recipe: str, build: Callable[[], Arrays]) -> Arrays:
    """The arrays built from a source, from the cache where it still holds.

    Args:
        path: the file or folder that the arrays are built from.
        recipe: what else they depend on; each recipe has a cache of its own.
        build: makes the arrays; none of them may hold Python objects.

    Raises:
        OSError: the source itself cannot be listed.
    """
    kept = place(path, recipe)
    state = f"{VERSION} {recipe} {fingerprint(path)}"
    if kept is None:
        return build()
    arrays = _load(kept, state)
    if arrays is None:
        arrays = build()
        with suppress(OSError):
            _save(kept, state, arrays)
    return arrays


def place(path: Path, recipe: str) -> Path | None:
    """Where the cache of a source stands; None for a user without a home."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):  # the XDG specification: a relative path is to be ignored
        try:
            base = str(Path.home() / ".cache")
        except RuntimeError:
            return None
    name = hashlib.sha256(f"{path.resolve()}\n{recipe}".encode(errors="surrogateescape")).hexdigest()[:24]
    return Path(base) / "vaemon" / f"images-{name}.npz"


def fingerprint(path: Path) -> str:
    """What changes when a source does: size and time of a file; names, sizes and times of a folder's files."""
    if path.is_file():
        return _stamp(path)
    found = hashlib.sha256()
    for name, file in walk(path):
        found.update(f"{name}\0{_stamp(file)}\n".encode(errors="surrogateescape"))
    return found.hexdigest()


def _stamp(file: Path) -> str:
    status = file.stat()
    return f"{status.st_size} {status.st_mtime_ns}"


def _load(kept: Path, state: str) -> Arrays | None:
    try:
        with kept.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            if arrays[STATE].item() != state:
                return None
            return {name: arrays[name] for name in arrays.files if name != STATE}
    except damage.NUMPY:
        return None


def _save(kept: Path, state: str, arrays: Arrays) -> None:
    """Write beside, then move into place: a reader sees the old file or the new one, never half of one."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=kept.parent, suffix=".part", delete=False) as file:
        try:
            np.savez(file, allow_pickle=False, **{STATE: np.array(state)}, **arrays)
            file.close()
            os.replace(file.name, kept)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(file.name)
