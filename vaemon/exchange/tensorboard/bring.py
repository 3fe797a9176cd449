"""`vaemon import tensorboard`: event files become runs."""

import math
import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from vaemon.batch import Event, StageInfo
from vaemon.errors import RunExists, RunFileError, UsageError
from vaemon.exchange.arrival import write_stage
from vaemon.exchange.file import write_file
from vaemon.exchange.naming import Assigned, assign
from vaemon.exchange.npz import npz_parts
from vaemon.exchange.pictures import Pictures
from vaemon.exchange.spool import Column, Spool
from vaemon.exchange.tensorboard import own
from vaemon.exchange.tensorboard.folders import Found
from vaemon.exchange.tensorboard.reading import Reading
from vaemon.runfile import manifest

ARRAYS = "tensors"
"""The folder of a run for what is neither a number nor a vector of the latents."""
LONGEST = 200
"""Bytes of a file's name."""
_BLOCK = 1 << 20


@dataclass(slots=True)
class Brought:
    """A run that was imported."""

    folder: Path
    rows: int
    channels: int
    tags: frozenset[str]
    """What its files held."""
    told: list[str]
    """What was left out, or may be wanted otherwise."""


def bring(
    found: Found, origin: Path, runs: Path, chosen: Mapping[str, str], progress: Callable[[int], object]
) -> Brought:
    """Import a run. Nothing is there before all of it is.

    Args:
        found: its name and files.
        origin: the folder that was asked for.
        runs: where runs live.
        chosen: channels by tag.
        progress: told how many bytes were read since it was last told.

    Raises:
        RunExists: there is such a run.
        UsageError: the files hold nothing, or a channel chosen does not fit.
        VaemonError: a file cannot be read, or the run not be written.
    """
    folder = runs / found.name
    refuse_taken(folder)
    with _made(folder) as there:
        brought = Brought(folder, 0, 0, frozenset(), [])
        readings = [
            _bring_stage(there, stage, files, origin, chosen, brought, progress)
            for stage, files in found.stages.items()
        ]
        if not brought.rows:
            raise UsageError(f"nothing of {found.name} can be imported: {'; '.join(brought.told) or 'it holds no values'}")
        _finish(there, found, readings)
    return brought


def refuse_taken(folder: Path) -> None:
    """Raise RunExists where there is something of that name."""
    if folder.exists():
        raise RunExists(f"there is a run {folder.name!r} already, in {folder.parent}; say another name: --run NAME")


@contextmanager
def _made(folder: Path) -> Iterator[Path]:
    """A hidden folder, that gets its name when all went well, and else is removed."""
    there = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        there = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        there.chmod(0o777 & ~_umask())
        yield there
        refuse_taken(folder)
        there.rename(folder)
    except (OSError, RuntimeError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error).splitlines()[0]
        raise RunFileError(f"the run cannot be written in {folder.parent}: {why}; nothing was left there") from error
    finally:
        if there is not None and there.exists():
            shutil.rmtree(there, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _bring_stage(
    folder: Path,
    stage: int,
    files: list[Path],
    origin: Path,
    chosen: Mapping[str, str],
    brought: Brought,
    progress: Callable[[int], object],
) -> Reading:
    with tempfile.TemporaryDirectory(prefix="spool-", dir=folder) as place:
        spool = Spool(Path(place))
        reading = Reading(stage, spool, Pictures(folder))
        reading.read(files, progress)
        assigned = assign(spool.shapes, chosen)
        columns = spool.columns()
        scalars = {name: columns[tag] for name, tag in assigned.scalars.items() if tag in columns}
        latents = {name: columns[tag] for name, tag in assigned.latents.items() if tag in columns}
        told = reading.own
        info = StageInfo(stage, _latents(assigned, told), own.count(told, "total_steps"), own.count(told, "steps_per_epoch"))
        if scalars or latents:
            _note_origin(reading, origin)
            brought.rows += write_stage(folder, info, scalars, latents, reading.events, own.thresholds(told))
        for tag in assigned.arrays:
            if tag in columns:
                _keep_array(folder, stage, tag, columns[tag])
    brought.channels = max(brought.channels, len(scalars) + len(latents))
    brought.tags |= set(spool.shapes)
    brought.told += [*reading.summary(), *assigned.told]
    return reading


def _latents(assigned: Assigned, told: Mapping[str, Any]) -> int:
    return assigned.size or own.count(told, "latents") or 0


def _note_origin(reading: Reading, origin: Path) -> None:
    if not reading.own:
        text = f"imported from {origin.absolute()}"
        time = reading.first_time if math.isfinite(reading.first_time) else 0.0
        reading.events.insert(0, Event(0, time, reading.stage, "note", text=text))


def _keep_array(folder: Path, stage: int, tag: str, column: Column) -> None:
    (folder / ARRAYS).mkdir(exist_ok=True)
    at_once = max(_BLOCK // max(column.dtype.itemsize * math.prod(column.shape), 1), 1)

    def blocks(name: str) -> Iterator[dict[str, Any]]:
        for first in range(0, len(column), at_once):
            last = min(first + at_once, len(column))
            if name == "step":
                yield {name: column.steps[first:last]}
            else:
                yield {name: column.times(first, last) if name == "time" else column.values(first, last)}

    name = quote(tag, safe=" ()+=,@")[:LONGEST]
    write_file(folder / ARRAYS / f"{stage}-{name}.npz", npz_parts(("step", "time", "values"), len(column), blocks))


def _finish(folder: Path, found: Found, readings: list[Reading]) -> None:
    settings: dict[str, Any] = {}
    for reading in readings:
        settings |= {name: _plain(value) for name, value in reading.settings.items()}
    told = next((reading.own for reading in readings if reading.own), {})
    first = min(reading.first_time for reading in readings)
    last = max(reading.last_time for reading in readings)
    begun = manifest.Manifest(
        name=found.name,
        created=own.created(told, first),
        config=told.get("config", settings),
        thresholds=own.thresholds(told),
        host=socket.gethostname(),
        outcome="finished",
        ended=last if math.isfinite(last) else 0.0,
    )
    manifest.write(folder, begun)


def _plain(value: Any) -> Any:
    """A whole number where it is one: hyperparameters have no other numbers than floats."""
    whole = isinstance(value, float) and math.isfinite(value) and value == int(value) and abs(value) < 2**53
    return int(value) if whole else value
