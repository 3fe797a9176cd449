"""How a run fares, in a word and a sign: what a person must never be in doubt about."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from vaemon.runstate import RunState
from vaemon.view.state import RunView
from vaemon.view.words import FAILURES, age, duration

STALLED_SECONDS = 10.0
"""A run is never called stalled sooner after its last row."""
STALLED_INTERVALS = 20.0
"""Nor before so many times the usual time between two rows."""
STALLED_PAUSES = 3.0
"""Nor before so many times the longest pause of late: for an evaluation, a checkpoint."""
LONGEST_PATIENCE = 1800.0
"""Seconds that are granted for pauses, at most: one that was a stall itself must not hide the next for hours."""


class Kind(StrEnum):
    """How a run fares, as far as one can see from here."""

    OPENING = "opening"
    WAITING = "waiting"
    RUNNING = "running"
    ALARM = "in alarm"
    UNRECORDED = "not all recorded"
    STALLED = "stalled"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"
    CRASHED = "crashed"
    LOST = "link lost"
    REPLAY = "replay"


SIGNS = {
    Kind.OPENING: "…",
    Kind.WAITING: "…",
    Kind.RUNNING: "●",
    Kind.ALARM: "!",
    Kind.UNRECORDED: "▲",
    Kind.STALLED: "▲",
    Kind.FINISHED: "✓",
    Kind.STOPPED: "■",
    Kind.FAILED: "✗",
    Kind.CRASHED: "✗",
    Kind.LOST: "◇",
    Kind.REPLAY: "▸",
}


@dataclass(frozen=True, slots=True)
class Status:
    """A run's state, told by word and sign."""

    kind: Kind
    words: str
    """The kind, with what belongs to it: "stalled 42 s"."""
    age: str = ""
    """How long ago the newest row came; empty before any."""
    reason: str = ""
    """Why, where it is not as planned; empty otherwise."""
    alarm: bool = False
    """Whether its latents fail as a whole; the reason then tells how."""

    @property
    def sign(self) -> str:
        """One character that tells the kind without colour."""
        return SIGNS[self.kind]

    @property
    def live(self) -> bool:
        """Whether rows are coming."""
        return self.kind in (Kind.RUNNING, Kind.ALARM, Kind.UNRECORDED)


def status(view: RunView, now: float) -> Status:
    """How the run fares at the moment `now`, seconds since 1970 by the reader's clock: by its newest stage."""
    view = view.ahead or view
    since = max(now - view.heard, 0.0)
    over = view.info is not None and view.info.state.over
    # Of a run that is over, seconds do not matter: its picture is to stand still.
    heard = age(since // 60 * 60 if over else since) if view.latest is not None else ""
    if view.lost:
        return Status(Kind.LOST, _lost_words(view, since), heard, view.lost)
    if view.info is None:
        return Status(Kind.OPENING, Kind.OPENING)
    kind, words = _fares(view, since)
    why = (view.info.reason or _silent_end(view.info.state), view.alarm)
    return Status(kind, words, heard, " · ".join(part for part in why if part), bool(view.alarm))


def _fares(view: RunView, since: float) -> tuple[Kind, str]:
    """The kind of a run that could be asked, and its words."""
    assert view.info is not None
    kind = Kind(view.info.state.value)
    failure = f", {FAILURES[view.failure]}" if view.alarm else ""
    if kind is not Kind.RUNNING:
        return kind, kind + failure
    if view.latest is not None and since > stalled_after(view):
        return Kind.STALLED, f"stalled {duration(since)}"
    if view.info.reason:
        return Kind.UNRECORDED, f"{kind}, {Kind.UNRECORDED}"
    return (Kind.ALARM if failure else kind), kind + failure


def _lost_words(view: RunView, since: float) -> str:
    return f"link lost, data {duration(since)} old" if view.latest is not None else "link lost"


def _silent_end(state: RunState) -> str:
    return "the writer is gone without a word; what it recorded is shown" if state is RunState.CRASHED else ""


def stalled_after(view: RunView) -> float:
    """Seconds without a new row after which a live run counts as stalled."""
    for_pauses = min(STALLED_PAUSES * view.pause, LONGEST_PATIENCE)
    return max(STALLED_SECONDS, STALLED_INTERVALS * row_interval(view), for_pauses)


def row_interval(view: RunView) -> float:
    """The usual time between two rows, seconds, by the newest columns, else by the rate; 0 where it cannot be told."""
    times = view.columns.time[-65:]
    if len(times) > 1:
        return float(np.median(np.diff(times))) / view.columns.width
    if view.latest is None or not view.rows or view.rate <= 0:
        return 0.0
    return max(view.latest.step / view.rows, 1.0) / view.rate
