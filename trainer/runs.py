"""Which run a command means: a new one, or the one to go on with. Knows no torch."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from trainer.catalogue import presets
from trainer.config import Config
from trainer.settings import config_kept
from vaemon.errors import RunExists, RunFileError, RunLocked, UnknownName, UsageError
from vaemon.runfile import lock, manifest
from vaemon.runfile.find import check_name, find_run, is_run, list_runs, new_name, runs_folder

DYING = 5.0
"""Seconds that a process that was killed may still hold its lock."""


@dataclass(frozen=True, slots=True)
class Run:
    """What is to be trained, and where it is recorded."""

    name: str
    folder: Path
    """Of the run, in the folder of runs."""
    preset: str
    config: Config
    resume: bool = False


def home(option: str | Path | None = None) -> Path:
    """The folder of runs, as `--runs` says it, absolute."""
    return runs_folder(option).absolute()


def names(begun: str, option: str | Path | None = None) -> list[str]:
    """The names of the runs there are that begin so, the newest first; none where they cannot be looked at."""
    try:
        return [each.name for each in list_runs(home(option)) if each.name.startswith(begun)]
    except RunFileError:
        return []


def new_run(name: str | None, preset: str, option: str | Path | None = None) -> Path:
    """The folder of a run that is to begin; it does not exist yet.

    Args:
        name: asked for; None: PRESET-YYYYMMDD-HHMMSS.
        preset: its name, or the TOML file.
        option: the folder of runs, as `--runs` says it.

    Raises:
        BadRunName: the name cannot be a folder's name.
        RunExists: it is taken.
    """
    runs = runs_folder(option)
    name = check_name(name) if name is not None else new_name(short_name(preset), runs)
    if is_run(runs / name):
        raise RunExists(
            f"there is a run {name!r} already, in {runs}; --resume goes on with it, another --run begins anew"
        )
    return runs / name


def resumable_run(name: str | None, preset: str, option: str | Path | None = None) -> tuple[Path, Config]:
    """The folder and the config of the run to go on with: the one named, or the newest of the preset.

    Args:
        name: asked for, or None.
        preset: its name, or the TOML file.
        option: the folder of runs, as `--runs` says it.

    Raises:
        UnknownName: there is no such run.
        UsageError: it was made with another preset, or by another program.
        RunLocked: it is being recorded at this moment.
        RunFileError: its config is of another vaemon.
    """
    runs = runs_folder(option)
    if name is None:
        return _newest(preset, runs)
    folder = find_run(check_name(name), runs)
    lock.refuse_if_held(folder)
    made_with = _made_with(folder)
    if made_with != short_name(preset):
        raise UsageError(
            f"the run {name!r} was made with the preset {made_with}, not {short_name(preset)}: "
            f"vaemon train {made_with} --run {name} --resume"
            if made_with
            else f"the run {name!r} was not made by `vaemon train`, which therefore cannot go on with it"
        )
    return folder, _config_of(folder)


def has_begun(folder: Path) -> bool:
    """Whether there is a run in a folder, which could be gone on with."""
    return is_run(folder)


def is_recorded(folder: Path) -> bool:
    """Whether a run is being recorded at this moment."""
    return lock.holder(folder) is not None


def refuse_recorded(folder: Path) -> None:
    """Raise RunLocked where a run is being recorded at this moment; nothing where there is none."""
    lock.refuse_if_held(folder)


@contextmanager
def unmoved(folder: Path, moved: Callable[[], bool]) -> Iterator[None]:
    """Have a run for a recorder that is opened within, unless another process has trained it further meanwhile.

    Looks with the lock held, so that nobody is just writing the last; and before recording begins, which would put
    this process's outcome in place of the other's. The recorder takes the lock over.

    Args:
        folder: of the run.
        moved: whether the checkpoints are others than those that were read.

    Raises:
        RunLocked: another process is recording the run, or did.
        RunFileError: the folder cannot be written.
    """
    with lock.reserving(folder):
        if moved():
            raise RunLocked(
                f"another process has trained the run {folder.name} further while this one read the images; --resume "
                "once more goes on from where that ended"
            )
        yield


def note_lost(folder: Path, reason: str) -> None:
    """Note that a run has failed whose recording process died before it could; nothing where it did or still lives."""
    gone_by = time.monotonic() + DYING
    while lock.holder(folder) is not None:
        if time.monotonic() > gone_by:
            return
        time.sleep(0.05)
    if is_run(folder) and not manifest.read(folder).outcome:
        manifest.end(folder, "failed", reason)


def short_name(preset: str) -> str:
    """A preset's name: of a TOML file, that of the file."""
    return Path(preset).stem if preset.endswith(".toml") else preset


def _newest(preset: str, runs: Path) -> tuple[Path, Config]:
    for folder in list_runs(runs):
        try:
            made_with = _made_with(folder)
        except RunFileError:
            continue  # damaged: nobody can tell of what preset it is
        if made_with == short_name(preset):
            lock.refuse_if_held(folder)
            return folder, _config_of(folder)
    if preset == short_name(preset) and preset not in presets():
        raise UnknownName("preset", preset, presets())
    raise UsageError(f"there is no run of the preset {short_name(preset)} in {runs.absolute()}; leave out --resume")


def _made_with(folder: Path) -> str:
    """The preset of a run; empty where another program made it."""
    return str(manifest.read(folder).config.get("preset", ""))


def _config_of(folder: Path) -> Config:
    found = manifest.read(folder).config
    settings = {name: found[name] for name in Config.__struct_fields__ if name in found}
    return config_kept(settings, folder / manifest.FILE)
