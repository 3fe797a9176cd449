"""run.json: who a run is, who writes it, how it ended. Small, readable, replaced atomically."""

import json
import os
import socket
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from vaemon.errors import NewerFormat, RunFileError, UsageError
from vaemon.runfile.strangers import open_new, read_whole
from vaemon.thresholds import DEFAULT, Thresholds
from vaemon.version import __version__

FILE = "run.json"
FORMAT = 1
MOST_BYTES = 16 << 20
"""Bytes that a run.json may have; what it unfolds to stays below a GB."""
MOST_DEPTH = 100
"""Mappings and lists of a config within each other: who draws it goes down by recursion."""
LONGEST_WORD = 200
"""Characters of what is wrong that are told: a damaged value may be long."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """The contents of run.json."""

    name: str
    created: float
    """Seconds since 1970."""
    config: Mapping[str, Any] = field(default_factory=dict)
    thresholds: Thresholds = DEFAULT
    """By which the events of its latents are found."""
    host: str = field(default_factory=socket.gethostname)
    pid: int = field(default_factory=os.getpid)
    python: str = sys.executable
    """The interpreter that writes the run."""
    vaemon: str = __version__
    format: int = FORMAT
    outcome: str = ""
    """"finished", "stopped" or "failed"; empty while the run is written."""
    reason: str = ""
    ended: float = 0.0
    """Seconds since 1970; 0 while the run is written."""


def begin(folder: Path, name: str, config: Mapping[str, Any], thresholds: Thresholds | None = None) -> Manifest:
    """Write the run.json of a run that begins, or goes on: then its birth, config and thresholds are kept.

    Raises:
        UsageError: it goes on with other thresholds than it began with.
    """
    fresh = Manifest(name=name, created=time.time(), config=config, thresholds=thresholds or DEFAULT)
    if (folder / FILE).exists():
        old = read(folder)
        if thresholds not in (None, old.thresholds):
            raise UsageError(
                f"run {name!r} goes on with the thresholds that it began with; `vaemon watch --threshold` shows it by "
                "others"
            )
        fresh = replace(fresh, created=old.created, config=config or old.config, thresholds=old.thresholds)
    write(folder, fresh)
    return fresh


def end(folder: Path, outcome: str, reason: str) -> None:
    """Note how the run ended."""
    write(folder, replace(read(folder), outcome=outcome, reason=reason, ended=time.time()))


def rename(folder: Path, name: str) -> None:
    """Give the run another name; the folder's is not touched."""
    write(folder, replace(read(folder), name=name))


def write(folder: Path, manifest: Manifest) -> None:
    """Replace run.json at one stroke.

    Raises:
        ValueError, TypeError: the config is none that could be read again.
        OSError: the file system refuses; run.json is as it was.
    """
    try:
        content = (json.dumps(asdict(manifest), indent=1, default=str, ensure_ascii=False) + "\n").encode()
        fits = len(content) <= MOST_BYTES and depth(manifest.config) <= MOST_DEPTH
    except RecursionError:
        fits = False
    if not fits:
        raise ValueError(f"it may have {MOST_BYTES:,} bytes, and {MOST_DEPTH} mappings or lists within each other")
    temporary = folder / f".{FILE}.{os.getpid()}"
    try:
        with open_new(temporary) as file:
            file.write(content)
        os.replace(temporary, folder / FILE)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def depth(value: Any) -> int:
    """How deep mappings and lists are nested in a value."""
    level, deep = [value], 0
    while level:
        level = [part for each in level for part in _parts(each)]
        deep += 1
    return deep


def _parts(value: Any) -> Iterable[Any]:
    if isinstance(value, Mapping):
        return value.values()
    return value if isinstance(value, list | tuple) else ()


def read(folder: Path) -> Manifest:
    """Read run.json.

    Raises:
        RunFileError: it is missing, not JSON, or not of this format.
    """
    path = folder / FILE
    try:
        found = json.loads(read_whole(path, MOST_BYTES).decode())
        if isinstance(found["format"], int) and found["format"] > FORMAT:
            raise NewerFormat(path, found["format"], FORMAT)
        if found["format"] != FORMAT:
            raise RunFileError(f"{path} has format {found['format']}, this vaemon {__version__} reads {FORMAT}")
        if not isinstance(found.get("thresholds", {}), dict):
            raise ValueError("its thresholds have no names")
        known = {name: found[name] for name in Manifest.__dataclass_fields__ if name in found}
        return _checked(Manifest(**{**known, "thresholds": DEFAULT.changed(known.get("thresholds", {}))}))
    except OSError as error:
        raise RunFileError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, TypeError, KeyError, ArithmeticError, RecursionError, UsageError) as error:
        raise RunFileError(
            f"{path} is damaged ({str(error)[:LONGEST_WORD]}); the rows beside it are not touched by this; "
            "`vaemon check --repair` writes it anew"
        ) from error


def _checked(told: Manifest) -> Manifest:
    if told.outcome not in ("", "finished", "stopped", "failed"):
        raise ValueError(f"outcome {told.outcome!r}")
    if not isinstance(told.config, dict):
        raise ValueError(f"config {told.config!r}")
    if depth(told.config) > MOST_DEPTH:
        raise ValueError(f"its config is nested more than {MOST_DEPTH} deep")
    return replace(told, name=str(told.name), created=float(told.created), reason=str(told.reason), pid=int(told.pid))
