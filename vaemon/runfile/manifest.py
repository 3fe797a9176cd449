"""run.json: who a run is, who writes it, how it ended. Small, readable, replaced atomically."""

import json
import os
import socket
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from vaemon.errors import RunFileError, UsageError
from vaemon.thresholds import DEFAULT, Thresholds
from vaemon.version import __version__

FILE = "run.json"
FORMAT = 1


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
    """Replace run.json at one stroke."""
    text = json.dumps(asdict(manifest), indent=1, default=str, ensure_ascii=False)
    temporary = folder / f".{FILE}.{os.getpid()}"
    temporary.write_text(text + "\n", encoding="utf-8")
    os.replace(temporary, folder / FILE)


def read(folder: Path) -> Manifest:
    """Read run.json.

    Raises:
        RunFileError: it is missing, not JSON, or not of this format.
    """
    path = folder / FILE
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if found["format"] != FORMAT:
            raise RunFileError(f"{path} has format {found['format']}, this vaemon {__version__} reads {FORMAT}")
        known = {name: found[name] for name in Manifest.__dataclass_fields__ if name in found}
        return _checked(Manifest(**{**known, "thresholds": DEFAULT.changed(known.get("thresholds", {}))}))
    except OSError as error:
        raise RunFileError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, TypeError, KeyError, UsageError) as error:
        raise RunFileError(
            f"{path} is damaged ({error}); the recorded rows beside it are not touched by this"
        ) from error


def _checked(told: Manifest) -> Manifest:
    if told.outcome not in ("", "finished", "stopped", "failed"):
        raise ValueError(f"outcome {told.outcome!r}")
    if not isinstance(told.config, dict):
        raise ValueError(f"config {told.config!r}")
    return replace(told, name=str(told.name), created=float(told.created), reason=str(told.reason), pid=int(told.pid))
