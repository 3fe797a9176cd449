"""RUNS/.sweeps/NAME/sweep.json: the members of a sweep, their settings, how each fares. Replaced at one stroke."""

import os
import time
from pathlib import Path

import msgspec
from msgspec import Struct

from trainer.sweep.plan import Member
from vaemon.errors import RunExists, RunFileError, UnknownName

FOLDER = ".sweeps"
"""Within the folder of runs; hidden, and so no run itself."""
FILE = "sweep.json"


class Sweep(Struct, kw_only=True):
    """What the summary file says."""

    format: int = 1
    name: str
    preset: str
    created: float = msgspec.field(default_factory=time.time)
    """Seconds since 1970."""
    data: str | None = None
    slurm: dict[str, str] = {}
    """What Slurm is asked for; empty: the members are processes of this machine."""
    at_most: int = 1
    """Members that train at once."""
    members: list[Member] = []


def folder_of(name: str, runs: Path) -> Path:
    """Where a sweep's summary and the output of its members lie."""
    return runs / FOLDER / name


def create(sweep: Sweep, runs: Path) -> None:
    """Write the summary of a new sweep.

    Raises:
        RunExists: there is one of that name already.
    """
    if (folder_of(sweep.name, runs) / FILE).exists():
        raise RunExists(f"there is a sweep {sweep.name!r} already, in {runs}; another --name begins anew")
    folder_of(sweep.name, runs).mkdir(parents=True, exist_ok=True)
    write(sweep, runs)


def write(sweep: Sweep, runs: Path) -> None:
    """Replace the summary. Raises RunFileError where the file system refuses."""
    path = folder_of(sweep.name, runs) / FILE
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    try:
        temporary.write_bytes(msgspec.json.format(msgspec.json.encode(sweep), indent=1) + b"\n")
        os.replace(temporary, path)
    except OSError as error:
        raise RunFileError(f"cannot write {path}: {error.strerror}") from error


def read(name: str, runs: Path) -> Sweep:
    """The summary of a sweep.

    Raises:
        UnknownName: there is none of that name.
        RunFileError: it is damaged.
    """
    path = folder_of(name, runs) / FILE
    if not path.is_file():
        raise UnknownName("sweep", name, names(runs))
    try:
        return msgspec.json.decode(path.read_bytes(), type=Sweep)
    except (OSError, msgspec.DecodeError) as error:
        raise RunFileError(f"{path} cannot be read: {error}") from error


def names(runs: Path) -> list[str]:
    """Every sweep of a folder of runs."""
    return sorted(path.parent.name for path in (runs / FOLDER).glob(f"*/{FILE}"))


def sweep_with(run: str, runs: Path) -> Sweep:
    """The sweep that a run is a member of.

    Raises:
        UnknownName: it is none's.
    """
    sweeps = [read(name, runs) for name in names(runs)]
    for sweep in sweeps:
        if any(member.run == run for member in sweep.members):
            return sweep
    raise UnknownName("member of a sweep", run, (member.run for sweep in sweeps for member in sweep.members))
