"""A short run, recorded here and read by another process meanwhile: HDF5, SWMR and locks as a training needs them."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vaemon.diagnosis import Diagnosis, failure, fine
from vaemon.errors import VaemonError
from vaemon.interpreter import command
from vaemon.recorder.recorder import Recorder
from vaemon.runfile.library import hdf5_version

ROWS = 64
PATIENCE = 60.0
"""Seconds that the reader may take."""
ELSEWHERE = "record to another disk: --runs DIR; `vaemon doctor --runs DIR` tries it"


def examine(folder: Path, *, live: bool) -> Iterator[Diagnosis]:
    """How recording and reading fare in a folder.

    Args:
        folder: an empty one.
        live: whether its file system is one where a file can be read while it is written.
    """
    try:
        seen = _recorded(folder, live)
    except (OSError, VaemonError) as error:
        seen = str(error)
    if isinstance(seen, str):
        text = f"{hdf5_version()}: a run cannot be recorded here and read meanwhile: {seen}"
        yield failure("HDF5", text, ELSEWHERE, version=hdf5_version(), swmr=live, rows=None)
    else:
        yield _rows(seen, live)
        yield _lock(seen)


def _recorded(folder: Path, live: bool) -> dict[str, Any] | str:
    """What another process sees of a run that is being recorded; or why it sees nothing."""
    with Recorder("trial", latents=2, runs=folder, live=live) as recorder:
        for step in range(1, ROWS + 1):
            recorder.log(step, mean_variance=[0.5, 1.0], mse=1 / step)
        return _seen(recorder.folder) if recorder.flush() else "it is not written; is the disk full?"


def _seen(run: Path) -> dict[str, Any] | str:
    words = command("vaemon", "watch", str(run), "--once", "--json")
    try:
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        told = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        return f"no answer within {PATIENCE:.0f} s"
    except ValueError:
        return (done.stderr.strip().splitlines() or ["no word"])[-1]
    return told if isinstance(told, dict) else "no object"


def _rows(seen: dict[str, Any], live: bool) -> Diagnosis:
    facts = {"version": hdf5_version(), "swmr": live, "rows": seen.get("step")}
    if seen.get("step") != ROWS:
        text = f"{hdf5_version()}: of {ROWS} rows written, another process sees those up to {seen.get('step')}"
        return failure("HDF5", text, ELSEWHERE, **facts)
    how = "SWMR: read by another process while it was written" if live else "closed files, for SWMR cannot work here"
    return fine("HDF5", f"{hdf5_version()} · {how}", **facts)


def _lock(seen: dict[str, Any]) -> Diagnosis:
    state = seen.get("state")
    if state != "running":
        text = f"another process does not see that a run is being recorded, and calls it {state}"
        return failure("locks", text, f"mount it with locks (NFS: without `nolock`), or {ELSEWHERE}", state=state)
    return fine("locks", "another process sees who records a run", state=state)
