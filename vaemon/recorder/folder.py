"""A run's folder: taken when recording begins, left when it ends."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vaemon.errors import RunExists, RunFileError, UsageError, VaemonError
from vaemon.recorder.writer import INTERVAL_CLOSED
from vaemon.runfile import lock, manifest
from vaemon.runfile.find import is_run, leftovers
from vaemon.runfile.place import can_be_live, file_system
from vaemon.thresholds import Thresholds

log = logging.getLogger("vaemon")


def take_folder(
    folder: Path, name: str, config: Mapping[str, Any] | None, resume: bool, thresholds: Thresholds | None
) -> manifest.Manifest:
    """Make the folder, take the lock, write run.json, remove what a writer that died left half made.

    Returns:
        What run.json says now: a run that goes on keeps its thresholds.

    Raises:
        RunExists: there is such a run, and `resume` was not asked for.
        RunLocked: another process is recording it.
        UsageError: there is no such run to resume, or with other thresholds; or the config is not a mapping that
            JSON takes.
        RunFileError: the file system refuses.
    """
    if config is not None and not isinstance(config, Mapping):
        raise UsageError(f"config={config!r} is not a mapping")
    if is_run(folder) and not resume and lock.holder(folder) is None:
        raise RunExists(f"there is a run {name!r} already, in {folder.parent}; --resume (resume=True) goes on with it")
    if resume and not is_run(folder):
        raise UsageError(
            f"there is no run {name!r} to resume in {folder.parent.absolute()}; without resume, one begins"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(folder)
    except OSError as error:
        raise _refused(folder, error) from error
    try:
        begun = manifest.begin(folder, name, config or {}, thresholds)
        for path in leftovers(folder):
            path.unlink()
    except BaseException as error:
        lock.release(folder)
        if isinstance(error, TypeError | ValueError):
            raise UsageError(f"the config cannot be written as JSON: {error}") from error
        if isinstance(error, OSError):
            raise _refused(folder, error) from error
        raise
    return begun


def _refused(folder: Path, error: OSError) -> RunFileError:
    return RunFileError(
        f"the run cannot be recorded in {folder}: {error.strerror}; see that you may write there and that its disk has "
        "room, or record elsewhere (--runs DIR, runs=DIR)"
    )


def leave_folder(folder: Path, outcome: str, reason: str, *, lost: int, error: Exception | None) -> None:
    """Note how the run ended, and let go of the lock."""
    if lost:
        reason = f"{reason}; {lost:,} rows could not be recorded{f': {error}' if error else ''}".lstrip("; ")
        log.warning("vaemon: run %s: %s", folder, reason)
    try:
        manifest.end(folder, outcome, reason)
    except (OSError, VaemonError) as failure:
        log.warning("vaemon: how run %s ended could not be noted: %s", folder, failure)
    lock.release(folder)


def may_be_live(folder: Path, asked: bool | None) -> bool:
    """Whether files here may be read while they are written; None asks the file system, and tells the user."""
    if asked is not None or can_be_live(folder):
        return asked is not False
    log.warning(
        "vaemon: %s lies on %s, where a file cannot be read while it is written; rows will be seen every %g seconds",
        folder,
        file_system(folder),
        INTERVAL_CLOSED,
    )
    return False
