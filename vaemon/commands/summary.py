"""A run in one line, as `ls` lists it and `rm` asks about it."""

import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from vaemon.batch import Listed, Want
from vaemon.errors import SourceLost, UsageError
from vaemon.source.protocol import Source
from vaemon.view.fold import fold, heard
from vaemon.view.state import RunView
from vaemon.view.status import Kind, status
from vaemon.view.summary import summary
from vaemon.view.whole import whole


class Summary(NamedTuple):
    """What a line says, and what the run is remembered by."""

    line: dict[str, Any]
    """Of an unreadable run only its name, state and reason."""
    config: Mapping[str, Any]


def summarise(name: str, source: Source) -> Summary:
    """The run of a source, which is closed afterwards."""
    try:
        view = whole(source.poll, Want((), columns=0))
    except (SourceLost, UsageError, OSError) as error:
        return Summary({"name": name, "state": "unreadable", "reason": str(error)}, {})
    finally:
        source.close()
    return _summary(name, view)


def summarise_listed(name: str, listed: Listed) -> Summary:
    """A run that a directory has listed."""
    if listed.batch is None:
        return Summary({"name": name, "state": "unreadable", "reason": listed.reason, "newest": listed.changed}, {})
    return _summary(name, fold(RunView(), listed.batch))


def _summary(name: str, view: RunView) -> Summary:
    assert view.info is not None
    return Summary(_line(name, view), view.info.config)


def _line(name: str, view: RunView) -> dict[str, Any]:
    assert view.info is not None
    # The folder's name reaches the run, whatever a hand has renamed.
    now = time.time()
    stalled = status(heard(RunView(), view, now), now).kind is Kind.STALLED
    known = {"name": name, "state": str(view.info.state), "stalled": stalled, "reason": view.info.reason}
    return {**known, **asdict(summary(view))}


def size_of(folder: Path) -> int:
    """Bytes in a folder; of links only what the links themselves take."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.lstat().st_size
        except OSError:  # it is gone, or may not be seen
            continue
    return total


def size_words(size: float) -> str:
    """A number of bytes: "812 B", "3.4 MB", "120 GB"."""
    unit = "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if size < 1000:
            break
        size, unit = size / 1000, larger
    return f"{size:.1f} {unit}" if unit != "B" and size < 10 else f"{size:.0f} {unit}"
