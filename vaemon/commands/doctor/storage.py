"""The folder of runs: whether it can be written, what it lies on, how much room there is, and a run recorded there."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from vaemon.diagnosis import Diagnosis, failure, fine, nearest_folder, warning
from vaemon.runfile.place import KEEP_FREE, can_be_live, file_system, free_space

LITTLE = 1024**3
"""Bytes below which room is short: some hours of a training with images and checkpoints."""
PASSING = {
    "tmpfs": "it lies in memory: runs are gone when the machine is restarted",
    "ramfs": "it lies in memory: runs are gone when the machine is restarted",
    "overlay": "it lies in a container: runs are gone with the container",
}
"""File systems that work, but keep nothing."""
ELSEWHERE = "record to a local disk: --runs DIR, or VAEMON_RUNS=DIR"


def examine(runs: Path) -> Iterator[Diagnosis]:
    """All about the folder; where it is not there yet, about the nearest above it."""
    folder = nearest_folder(runs.absolute())
    yield (found := _folder(runs.absolute(), folder))
    yield _file_system(folder)
    yield _room(folder)
    if found.facts["writable"]:
        from vaemon.commands.doctor.trial import examine as try_out

        with tempfile.TemporaryDirectory(prefix=".doctor-", dir=folder, ignore_cleanup_errors=True) as place:
            yield from try_out(Path(place), live=can_be_live(folder))


def _folder(runs: Path, folder: Path) -> Diagnosis:
    if runs.exists() and not runs.is_dir():
        return failure("runs", f"{runs} is no folder", ELSEWHERE, folder=str(runs), writable=False)
    try:
        with tempfile.TemporaryFile(prefix=".doctor-", dir=folder):
            pass
    except OSError as error:
        text = f"{folder} cannot be written: {error.strerror}; runs there can be watched, not recorded"
        return failure("runs", text, ELSEWHERE, folder=str(runs), writable=False)
    text = str(runs) if runs == folder else f"{runs}, which the first run makes"
    return fine("runs", text, folder=str(runs), writable=True)


def _file_system(folder: Path) -> Diagnosis:
    kind = file_system(folder)
    facts = {"kind": kind, "live": can_be_live(folder)}
    if not can_be_live(folder):
        text = f"{kind}: a file cannot be read while it is written, so that rows are seen every 5 s"
        advice = f"{ELSEWHERE}; `vaemon watch HOST:RUN` reads it from anywhere"
        return warning("file system", text, advice, **facts)
    if kind in PASSING:
        return warning("file system", f"{kind}: {PASSING[kind]}", "keep runs on a disk or a mounted volume", **facts)
    if kind.startswith("fuse"):
        text = f"{kind}: whether a file can be read while it is written depends on the program behind it"
        return warning("file system", text, "if rows are late or missing on the screen, " + ELSEWHERE, **facts)
    return fine("file system", kind or "its kind is not told here", **facts)


def _room(folder: Path) -> Diagnosis:
    free = free_space(folder)
    text = f"{free / 2**30:,.1f} GiB free"
    if free < KEEP_FREE:
        text = f"{free // 2**20} MiB free: nothing is recorded below {KEEP_FREE // 2**20} MiB"
        return failure("room", text, "make room, or record elsewhere: --runs DIR", free=free)
    if free < LITTLE:
        return warning("room", text, "make room: `vaemon compact RUN`, `vaemon rm RUN`", free=free)
    return fine("room", text, free=free)
