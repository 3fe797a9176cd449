"""RUNS/.sweeps/NAME/sweep.json: the members of a sweep, their settings, how each fares."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from vaemon.errors import RunFileError, UnknownName, UsageError
from vaemon.runfile.find import is_path, is_run
from vaemon.runfile.selection import find_all, settled
from vaemon.runfile.strangers import read_whole

FOLDER = ".sweeps"
"""Within the folder of runs; hidden, and so no run itself."""
FILE = "sweep.json"
FORMAT = 1
MOST_BYTES = 16 << 20
"""Bytes that such a file may have; a member takes some hundreds."""


@dataclass(kw_only=True, slots=True)
class Member:
    """One training of a sweep."""

    run: str
    """The name of its run."""
    setting: str
    """What tells it from those of other settings, seeds aside: "stage1.lr=2e-4"; empty where all have the same."""
    seed: int
    settings: list[str]
    """All that `vaemon train --set` is to be told."""
    state: str = "waiting"
    """waiting, submitted, finished, stopped or failed: as the sweep knows; the run itself may know more."""
    job: str = ""
    reason: str = ""


@dataclass(kw_only=True, slots=True)
class Sweep:
    """What the file says."""

    format: int = FORMAT
    name: str
    preset: str
    created: float = field(default_factory=time.time)
    """Seconds since 1970."""
    data: str | None = None
    slurm: dict[str, str] = field(default_factory=dict)
    """What Slurm is asked for; empty: the members are processes of this machine."""
    at_most: int = 0
    """Members that train at once; 0: as many as there are."""
    members: list[Member] = field(default_factory=list)

    def by_setting(self) -> Iterator[tuple[str, list[Member]]]:
        """Each setting, in the order of the sweep, and its members."""
        for setting in dict.fromkeys(member.setting for member in self.members):
            yield setting, [member for member in self.members if member.setting == setting]


def folder_of(name: str, runs: Path) -> Path:
    """Where a sweep's file and the output of its members lie."""
    return runs / FOLDER / name


def read(name: str, runs: Path) -> Sweep:
    """What is known of a sweep.

    Raises:
        UnknownName: there is none of that name.
        RunFileError: its file is damaged, or of another format.
    """
    import msgspec  # who asks whether there is a sweep needs none of it

    path = folder_of(name, runs) / FILE
    if not is_sweep(name, runs):
        raise UnknownName("sweep", name, names(runs))
    try:
        found = msgspec.json.decode(read_whole(path, MOST_BYTES), type=Sweep)
    except (OSError, ValueError, RecursionError, msgspec.DecodeError) as error:
        raise RunFileError(
            f"{path} cannot be read: {error}; the runs of its members are not touched by this"
        ) from error
    if found.format != FORMAT:
        raise RunFileError(f"{path} has format {found.format}, this vaemon reads {FORMAT}")
    return found


def names(runs: Path) -> list[str]:
    """Every sweep of a folder of runs."""
    return sorted(path.parent.name for path in (runs / FOLDER).glob(f"*/{FILE}"))


def is_sweep(name: str, runs: Path) -> bool:
    """Whether there is a sweep of that name."""
    return bool(name) and not is_path(name) and os.path.isfile(folder_of(name, runs) / FILE)


def is_meant(address: str, runs: Path) -> bool:
    """Whether an address means a sweep: there is one of that name, and no run."""
    return is_sweep(address, runs) and not is_run(runs / address)


def folders(address: str, runs: Path) -> list[Path]:
    """The folders of all runs that an address or a pattern means; of a sweep, those of its members that have begun.

    Raises:
        UnknownName, UsageError: it means no run.
        RunFileError: what is noted of the sweep is damaged.
    """
    if not is_meant(address, runs):
        return find_all([address], runs)
    members = read(address, runs).members
    found = [settled(runs / member.run) for member in members if is_run(runs / member.run)]
    if not found:
        raise UsageError(f"none of the {len(members)} members of sweep {address!r} has begun; ask again when one has")
    return found


def sweep_with(run: str, runs: Path) -> Sweep:
    """The sweep that a run is a member of.

    Raises:
        UnknownName: it is none's.
    """
    sweeps = [read(name, runs) for name in names(runs)]
    for sweep in sweeps:
        if any(member.run == run for member in sweep.members):
            return sweep
    known = [name for sweep in sweeps for name in (sweep.name, *(member.run for member in sweep.members))]
    raise UnknownName("sweep or member of one", run, known)
