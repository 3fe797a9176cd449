"""`vaemon import tensorboard`: event files become runs."""

import math
import secrets
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from vaemon.batch import Event, StageInfo
from vaemon.errors import RunFileError, UsageError
from vaemon.exchange.arrival import write_stage
from vaemon.exchange.file import write_file
from vaemon.exchange.naming import assign, check_there
from vaemon.exchange.npz import npz_parts
from vaemon.exchange.pictures import Pictures
from vaemon.exchange.spool import Column, Spool
from vaemon.exchange.tensorboard import own
from vaemon.exchange.tensorboard.folders import Found
from vaemon.exchange.tensorboard.reading import Reading
from vaemon.runfile import manifest
from vaemon.runfile.housekeeping import refuse_taken
from vaemon.runfile.schema import MOST_LATENTS

ARRAYS = "tensors"
"""The folder of a run for what is neither a number nor a vector of the latents."""
LONGEST = 200
"""Bytes of a file's name."""
_BLOCK = 1 << 20


@dataclass(slots=True)
class Brought:
    """A run that was imported."""

    folder: Path
    rows: int = 0
    channels: int = 0
    """Of the stage that has most."""
    tags: set[str] = field(default_factory=set)
    """What its files held."""
    told: list[str] = field(default_factory=list)
    """What was left out, or may be wanted otherwise."""


def bring(
    found: Found,
    origin: Path,
    runs: Path,
    chosen: Mapping[str, str],
    progress: Callable[[int], object],
    *,
    strict: bool,
) -> Brought:
    """Import a run. Nothing is there before all of it is.

    Args:
        found: its name and files.
        origin: the folder that was asked for.
        runs: where runs live.
        chosen: channels by tag.
        progress: told how many bytes were read since it was last told.
        strict: whether every tag that was chosen must be there.

    Raises:
        RunExists: there is such a run.
        UsageError: the files hold nothing, or a channel chosen does not fit.
        VaemonError: a file cannot be read, or the run not be written.
    """
    folder = runs / found.name
    refuse_taken(folder)
    brought = Brought(folder)
    with _made(folder) as there:
        readings = [_read_stage(there, stage, files, progress) for stage, files in found.stages.items()]
        brought.tags = {tag for each in readings for tag in each.spool.shapes}
        if strict:
            check_there(chosen, brought.tags)
        for reading in readings:
            _write_stage(there, reading, origin, chosen, brought)
        if not brought.rows:
            why = "; ".join(brought.told) or "the event files hold no values"
            raise UsageError(f"there is nothing to import as {found.name}: {why}")
        _write_manifest(there, _manifest(found.name, readings), brought)
        for reading in readings:
            shutil.rmtree(reading.spool.folder)
    return brought


@contextmanager
def _made(folder: Path) -> Iterator[Path]:
    """A hidden folder, that gets its name when all went well, and else is removed."""
    there = folder.with_name(f".{folder.name}.{secrets.token_hex(6)}")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        there.mkdir()
        yield there
        refuse_taken(folder)
        there.rename(folder)
    except (OSError, RuntimeError) as error:
        said = error.strerror if isinstance(error, OSError) else str(error)
        why = next(iter((said or "").splitlines()), type(error).__name__)
        raise RunFileError(f"the run cannot be written in {folder.parent}: {why}; nothing was left there") from error
    finally:
        shutil.rmtree(there, ignore_errors=True)


def _read_stage(folder: Path, stage: int, files: list[Path], progress: Callable[[int], object]) -> Reading:
    spool = Spool(Path(tempfile.mkdtemp(prefix="spool-", dir=folder)))
    reading = Reading(stage, spool, Pictures(folder))
    reading.read(files, progress)
    return reading


def _write_stage(folder: Path, reading: Reading, origin: Path, chosen: Mapping[str, str], brought: Brought) -> None:
    told, stage = reading.own, reading.stage
    assigned = assign(reading.spool.shapes, chosen)
    columns = reading.spool.columns()
    scalars = {name: columns[tag] for name, tag in assigned.scalars.items() if tag in columns}
    latents = {name: columns[tag] for name, tag in assigned.latents.items() if tag in columns}
    if scalars or latents:
        size = assigned.size or own.count(told, "latents", MOST_LATENTS) or 0
        info = StageInfo(stage, size, own.count(told, "total_steps"), own.count(told, "steps_per_epoch"))
        events = reading.events if told else [_origin(reading, origin), *reading.events]
        brought.rows += write_stage(folder, info, scalars, latents, events, own.thresholds(told))
    for tag in assigned.arrays:
        if tag in columns:
            _keep_array(folder, stage, tag, columns[tag])
    brought.channels = max(brought.channels, len(scalars) + len(latents))
    brought.told += [*reading.summary(), *assigned.told]


def _write_manifest(folder: Path, made: manifest.Manifest, brought: Brought) -> None:
    try:
        manifest.write(folder, made)
    except (ValueError, TypeError) as error:
        brought.told.append(f"the config was left out ({str(error)[:LONGEST]})")
        manifest.write(folder, replace(made, config={}))


def _origin(reading: Reading, origin: Path) -> Event:
    time = reading.first_time if math.isfinite(reading.first_time) else 0.0
    return Event(0, time, reading.stage, "note", text=f"imported from {origin.absolute()}")


def _keep_array(folder: Path, stage: int, tag: str, column: Column) -> None:
    at_once = max(_BLOCK // max(column.dtype.itemsize * math.prod(column.shape), 1), 1)

    def blocks(name: str) -> Iterator[dict[str, Any]]:
        for first in range(0, len(column), at_once):
            last = min(first + at_once, len(column))
            if name == "step":
                yield {name: column.steps[first:last]}
            else:
                yield {name: column.times(first, last) if name == "time" else column.values(first, last)}

    (folder / ARRAYS).mkdir(exist_ok=True)
    name = quote(tag, safe=" ()+=,@")[:LONGEST]
    write_file(folder / ARRAYS / f"{stage}-{name}.npz", npz_parts(("step", "time", "values"), len(column), blocks))


def _manifest(name: str, readings: list[Reading]) -> manifest.Manifest:
    settings = {key: _plain(value) for reading in readings for key, value in reading.settings.items()}
    told = next((reading.own for reading in readings if reading.own), {})
    last = max(reading.last_time for reading in readings)
    return manifest.Manifest(
        name=name,
        created=own.created(told, min(reading.first_time for reading in readings)),
        config=told.get("config", settings),
        thresholds=own.thresholds(told),
        host=socket.gethostname(),
        outcome="finished",
        ended=last if math.isfinite(last) else 0.0,
    )


def _plain(value: Any) -> Any:
    """A whole number where it is one: hyperparameters have no other numbers than floats."""
    whole = isinstance(value, float) and math.isfinite(value) and value == int(value) and abs(value) < 2**53
    return int(value) if whole else value
