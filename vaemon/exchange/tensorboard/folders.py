"""Which runs a folder of event files holds."""

import os
import re
from pathlib import Path
from typing import NamedTuple

from vaemon.errors import UsageError
from vaemon.exchange.file import safe
from vaemon.runfile.find import check_name

_STAGE = re.compile(r"stage([1-9]\d{0,3})")
_HPARAMS = re.compile(r"\d{9,}\.\d+")
"""What torch's `SummaryWriter.add_hparams` calls the folder in which it keeps them."""


class Found(NamedTuple):
    """A run."""

    name: str
    """What it is to be called."""
    stages: dict[int, list[Path]]
    """Its event files, by stage, in the order they were written."""


def find_runs(folder: Path, name: str | None) -> list[Found]:
    """The runs in a folder: each folder with event files is one, as in TensorBoard.

    Folders called stage1, stage2, … are the stages of one run.

    Args:
        folder: or one event file.
        name: what the run that `folder` itself is shall be called, and what the names of others begin with; by default
            the first is called as the folder, and others as theirs are below it.

    Raises:
        UsageError: there are no event files, or two runs would have one name.
        BadRunName: a name cannot be a run's.
    """
    if not folder.exists():
        raise UsageError(f"there is no folder {folder}")
    found: dict[Path, dict[int, list[Path]]] = {}
    for place, files in sorted(_event_files(folder).items()):
        run, stage = _run_and_stage(place, folder)
        found.setdefault(run, {}).setdefault(stage, []).extend(files)
    if not found:
        raise UsageError(f"{folder} has no event files of TensorBoard's (*tfevents*), and none below it")
    named: dict[str, Path] = {}
    runs = []
    for place, stages in found.items():
        called = _called(place, folder, name)
        if called in named:
            raise UsageError(f"{named[called]} and {place} would both be called {called!r}; import one with --run")
        named[called] = place
        runs.append(Found(called, dict(sorted(stages.items()))))
    return runs


def _event_files(folder: Path) -> dict[Path, list[Path]]:
    if folder.is_file():
        return {folder.parent: [folder]}
    found: dict[Path, list[Path]] = {}
    for within, _, names in os.walk(folder):
        files = [path for each in sorted(names) if "tfevents" in each and (path := Path(within) / each).is_file()]
        if files:
            found[Path(within)] = files
    joined: dict[Path, list[Path]] = {}
    for place, files in sorted(found.items()):
        joined.setdefault(_belongs(place, found), []).extend(files)
    return joined


def _belongs(place: Path, found: dict[Path, list[Path]]) -> Path:
    return place.parent if _HPARAMS.fullmatch(place.name) and place.parent in found else place


def _run_and_stage(place: Path, folder: Path) -> tuple[Path, int]:
    stage = _STAGE.fullmatch(place.name)
    return (place.parent, int(stage[1])) if stage and place != folder else (place, 1)


def _called(place: Path, folder: Path, name: str | None) -> str:
    below = place.relative_to(folder if folder.is_dir() else folder.parent)
    own = safe("-".join(below.parts))
    top = name if name is not None else safe((folder if folder.is_dir() else folder.parent).resolve().name)
    if not own:
        return check_name(top or "tensorboard")
    return check_name(f"{name}-{own}" if name is not None else own)
