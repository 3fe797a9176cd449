"""What an examination of this machine finds: how each thing fares, and what to do next. Every room examines its own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    """Something works less well than it could, or will not work later."""
    FAILURE = "failure"
    """Something that vaemon is for does not work here."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One thing that was looked at."""

    what: str
    """Its name, for people and scripts: `file system`."""
    level: Level
    text: str
    """How it fares."""
    advice: str = ""
    """What to do next; empty where all is well."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """The same for scripts; JSON must take it."""


def nearest_folder(path: Path) -> Path:
    """The folder itself, or, where it is not there yet, the nearest above it that is: what tells of it beforehand."""
    return next((each for each in (path, *path.parents) if each.is_dir()), path)


def fine(what: str, text: str, **facts: Any) -> Diagnosis:
    """All is well."""
    return Diagnosis(what, Level.OK, text, facts=facts)


def warning(what: str, text: str, advice: str, **facts: Any) -> Diagnosis:
    """It works less well than it could."""
    return Diagnosis(what, Level.WARNING, text, advice, facts)


def failure(what: str, text: str, advice: str, **facts: Any) -> Diagnosis:
    """It does not work."""
    return Diagnosis(what, Level.FAILURE, text, advice, facts)
