"""Where runs live: folders, names, addresses.

A run is the folder RUNS/NAME/. RUNS is `--runs`, else $VAEMON_RUNS, else `runs/` below the working folder.
An address is a run's name, a path to its folder, or `latest`.
"""

import os
import re
from datetime import datetime
from pathlib import Path

from vaemon.errors import BadRunName, RunFileError, UnknownName, UsageError, nearest
from vaemon.runfile import manifest

LATEST = "latest"
"""The address of the run written to last; no run may be named so."""

_SEGMENT = re.compile(r"segment-(\d{4,})\.h5")
_FORBIDDEN = re.compile(r"[/\\:*?\[\x00-\x1f\x7f]")


def runs_folder(option: str | Path | None = None) -> Path:
    """The folder that runs live in; it need not exist."""
    return Path(os.path.expanduser(option or os.environ.get("VAEMON_RUNS") or "runs"))


def check_name(name: str) -> str:
    """The name itself, if it can be a run's.

    Raises:
        BadRunName: it is empty, `.` or `..`, begins with `-` or `.`, has a `/`, `..`, `:`, `*`, `?`, `[` or a control
            character, is longer than a file system takes, or is `latest`, which means another.
    """
    if name == LATEST:
        raise BadRunName(f"no run can be named {LATEST!r}: that is the run written to last; use another name")
    why = ""
    if not name or name.isspace():
        why = "is empty"
    elif name.startswith(("-", ".")):
        why = f"begins with {name[0]!r}"
    elif ".." in name:
        why = "has '..'"
    elif found := _FORBIDDEN.search(name):
        why = f"has {found.group()!r}"
    elif len(os.fsencode(name)) > 200:
        why = "is longer than 200 bytes"
    if why:
        raise BadRunName(
            f"the run name {name[:60]!r} {why}; use letters, digits, '-', '_' and '.', as in 'cifar-lr1e-4'"
        )
    return name


def new_name(prefix: str, runs: Path) -> str:
    """A name not yet taken: PREFIX-YYYYMMDD-HHMMSS, with -2, -3, … where that is taken."""
    stem = f"{prefix}-{datetime.now():%Y%m%d-%H%M%S}"
    name, number = stem, 1
    while (runs / name).exists():
        number += 1
        name = f"{stem}-{number}"
    return name


def is_run(folder: Path) -> bool:
    """Whether a folder holds a run; one that may not be looked into does not."""
    try:
        return (folder / manifest.FILE).is_file()
    except OSError:
        return False


def list_runs(runs: Path) -> list[Path]:
    """Every run below RUNS, the newest first; hidden folders are left out.

    Raises:
        RunFileError: RUNS cannot be looked into.
    """
    try:
        found = list(runs.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise RunFileError(f"cannot list the runs in {runs.absolute()}: {error.strerror}") from error
    shown = (each for each in found if not each.name.startswith(".") and is_run(each))
    # Of a run and a link to it, equally new, the run itself comes first.
    return sorted(shown, key=lambda each: (-touched(each), each.is_symlink()))


def touched(folder: Path) -> float:
    """When the run was last written to, seconds since 1970; 0 where that cannot be told."""
    try:
        return max((path.stat().st_mtime for _, path in list_segments(folder)), default=folder.stat().st_mtime)
    except OSError:  # it was removed, or renamed, at this moment
        return 0.0


def list_segments(folder: Path) -> list[tuple[int, Path]]:
    """Number and path of the segments in a run's folder, in the order they were written."""
    found = ((_SEGMENT.fullmatch(each.name), each) for each in folder.iterdir())
    return sorted((int(match[1]), each) for match, each in found if match)


def unreadable(folder: Path, error: OSError) -> RunFileError:
    """What to say of a folder that the system does not let us look into."""
    return RunFileError(
        f"cannot look into {folder}: {error.strerror}; see that you may read that folder, or ask whom it belongs to"
    )


def leftovers(folder: Path) -> list[Path]:
    """Files that were being made when their writer died: they never got their name, and are no part of the run."""
    unnamed = (*folder.glob(".run.json.*"), *folder.glob(".segment-*.h5.*"), *folder.glob("images/.*.npy.*"))
    return sorted(each for each in unnamed if each.is_file())


def next_segment(folder: Path) -> Path:
    """The path of the segment that comes after those in the folder."""
    taken = [number for number, _ in list_segments(folder)]
    return folder / f"segment-{max(taken, default=-1) + 1:04d}.h5"


def latest_run(runs: Path) -> Path | None:
    """The run written to last, or None where there is none."""
    found = list_runs(runs)
    return found[0] if found else None


def find_run(address: str | Path | None, runs: Path) -> Path:
    """The folder of the run that an address means; the latest run where None is given.

    Raises:
        UnknownName: there is no such run; the nearest name is given.
        UsageError: there are no runs at all, or the path leads to none.
    """
    if address is None or address == LATEST:
        return _find_latest(runs, named=address is not None)
    if is_path(address):
        folder = Path(os.path.expanduser(address))
        if is_run(folder):
            return folder
        raise UsageError(f"{address} is not a run: it has no {manifest.FILE}")
    folder = runs / check_name(str(address))
    if is_run(folder):
        return folder
    known = [each.name for each in list_runs(runs)]
    where = f"runs are looked for in {runs.absolute()}"
    if not nearest(folder.name, known):
        where += f", which has {', '.join(known[:8])}{', …' if len(known) > 8 else ''}" if known else ", which has none"
    raise UnknownName("run", folder.name, known, where)


def _find_latest(runs: Path, *, named: bool) -> Path:
    found = latest_run(runs)
    if found is None:
        raise UsageError(f"there are no runs in {runs.absolute()}; `vaemon demo` makes one, --runs looks elsewhere")
    namesake = runs / LATEST
    if named and is_run(namesake) and not namesake.samefile(found):
        raise UsageError(
            f"{LATEST!r} is the run written to last, {found.name!r}, but there is a folder of that name, too: "
            f"say {found.name}, or {namesake.absolute()}"
        )
    return found


def find_damaged(address: str | None, runs: Path) -> Path:
    """What `find_run` finds, and also a folder whose run.json is lost but that has segments.

    Raises:
        UnknownName, UsageError: there is no such folder.
        RunFileError: it cannot be looked into.
    """
    if address is not None and address != LATEST:
        folder = Path(os.path.expanduser(address)) if is_path(address) else runs / check_name(address)
        try:
            if folder.is_dir() and list_segments(folder):
                return folder
        except OSError as error:
            raise unreadable(folder, error) from error
    return find_run(address, runs)


def is_path(address: str | Path) -> bool:
    """Whether an address is a path to a run folder rather than a name in RUNS."""
    if isinstance(address, Path):
        return True
    return os.sep in address or address in (".", "..") or address.startswith("~")
