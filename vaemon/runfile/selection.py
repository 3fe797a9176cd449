"""Which of the runs are meant: by a pattern of their names, by their state, by several addresses at once."""

import os
import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from glob import glob
from pathlib import Path

from vaemon.errors import RunFileError, UnknownName, UsageError, nearest
from vaemon.runfile import lock, manifest
from vaemon.runfile.find import LATEST, find_run, is_path, is_run, list_runs, runs_folder, touched
from vaemon.runstate import RunState


def find_runs(
    runs: str | Path | None = None, *, pattern: str = "*", state: str | Iterable[str] | None = None
) -> list[Path]:
    """The folders of the runs there are, the newest first; `open_run` takes each of them.

    Args:
        runs: the folder of runs; default $VAEMON_RUNS, else `runs/`.
        pattern: of their names, as the shell has it: "cifar*".
        state: only runs in this state, or one of these: "running", "finished", "stopped", "failed", "crashed".

    Raises:
        UnknownName: there is no such state.
    """
    found = select(list_runs(runs_folder(runs)), [pattern])
    if state is None:
        return found
    wanted = {state} if isinstance(state, str) else set(state)
    for each in wanted - set(RunState):
        raise UnknownName("state", str(each), map(str, RunState))
    return [folder for folder in found if _state(folder) in wanted]


def select(folders: list[Path], patterns: Iterable[str]) -> list[Path]:
    """Of all runs, the newest first, those whose name fits one of the patterns; `latest` is the first of them."""
    wanted = tuple(patterns)
    return [
        folder
        for i, folder in enumerate(folders)
        if any((each == LATEST and i == 0) or fnmatchcase(folder.name, each) for each in wanted)
    ]


def _state(folder: Path) -> str:
    # The lock first: a run that ends in between has said so by the time it is asked.
    if lock.holder(folder) is not None:
        return "running"
    try:
        return manifest.read(folder).outcome or "crashed"
    except RunFileError:
        return ""


def find_all(addresses: Iterable[str], runs: Path) -> list[Path]:
    """The folders of all runs that addresses and patterns of names mean, each once, as absolute paths.

    Where a folder is itself a symbolic link, the path is that of the link.

    Raises:
        UnknownName, UsageError: one of them means no run.
    """
    found: dict[Path, None] = {}
    for address in addresses:
        if is_path(address) or not is_pattern(address):
            found[settled(find_run(address, runs))] = None
        else:
            found |= dict.fromkeys(settled(each) for each in find_like(address, runs))
    return list(found)


def is_pattern(address: str) -> bool:
    """Whether an address may mean several runs."""
    return re.search(r"[*?[]", address) is not None


def find_like(pattern: str, runs: Path) -> list[Path]:
    """The folders of the runs that a pattern means, the newest first: of names of runs, or of paths to their folders.

    Raises:
        UsageError: there is none; the nearest name is given.
    """
    if is_path(pattern):
        found = [each for each in map(Path, glob(os.path.expanduser(pattern))) if is_run(each)]
        found.sort(key=touched, reverse=True)
        known, where = [], "there is no run at"
    else:
        every = list_runs(runs)
        found, known = select(every, [pattern]), [each.name for each in every]
        where = f"no run in {runs.absolute()} has a name like"
    if not found:
        near = nearest(re.sub(r"[*?\[\]]", "", pattern), known)
        meant = f" (did you mean {near!r}?)" if near else ""
        raise UsageError(f"{where} {pattern!r}{meant}; `vaemon ls` lists them")
    return found


def settled(folder: Path) -> Path:
    """The same folder as an absolute path; links on the way to it are followed, itself being one is not."""
    folder = folder.absolute()
    return folder.resolve() if folder.name == ".." else folder.parent.resolve() / folder.name


def told_apart(folders: Sequence[Path]) -> list[str]:
    """A name for each folder: its own, with as much of the path before it as tells it from the others."""
    depths = [1] * len(folders)
    while True:
        names = ["/".join(folder.parts[-depth:]) for folder, depth in zip(folders, depths, strict=True)]
        longer = [
            depth + 1 if names.count(name) > 1 and depth < len(folder.parts) else depth
            for folder, depth, name in zip(folders, depths, names, strict=True)
        ]
        if longer == depths:
            return names
        depths = longer


def names_like(begun: str, runs: str | Path | None = None) -> list[str]:
    """The addresses that begin so, the newest run first, for a shell to complete."""
    try:
        names = [each.name for each in list_runs(runs_folder(runs))]
    except RunFileError:
        return []
    return [name for name in (*names, *([LATEST] if names else [])) if name.startswith(begun)]
