"""The events of a run as lines to read, a latent that flickers told once."""

from collections.abc import Iterable
from dataclasses import dataclass

from vaemon.batch import Event
from vaemon.latents import Failure
from vaemon.view.words import FAILURES

FLICKER = 3
"""A latent that passed between sleep and waking so often is told in one line."""

_PASSAGES = ("wake", "sleep")
_TITLES = {
    "stage": "stage",
    "checkpoint": "checkpoint",
    "resume": "resumed",
    "stop": "stopped",
    "nan": "not finite",
    "collapse": FAILURES[Failure.COLLAPSE],
    "ignored": FAILURES[Failure.IGNORED],
    "drop": "rows dropped",
    "error": "error",
    "recovered": "recovered",
    "alert": "alert",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One event, or all passages of one latent that flickers."""

    step: int
    """Of the newest event told."""
    stage: int
    kind: str
    text: str
    latent: int = -1


def chronicle(events: Iterable[Event]) -> list[Line]:
    """The events as lines, the newest first."""
    passages: dict[tuple[int, int], list[Event]] = {}
    lines: list[tuple[int, Line]] = []
    for place, event in enumerate(events):
        if event.kind in _PASSAGES and event.latent >= 0:
            passages.setdefault((event.stage, event.latent), []).append(event)
            told = passages[event.stage, event.latent]
            line = _passage(event) if len(told) < FLICKER else _flicker(told)
        else:
            line = Line(event.step, event.stage, event.kind, _words(event), event.latent)
        lines.append((place, line))
    return [line for _, line in reversed(lines) if not _told_again(line, passages)]


def _told_again(line: Line, passages: dict[tuple[int, int], list[Event]]) -> bool:
    # An earlier passage of a latent that flickers stands in the line of the newest one.
    told = passages.get((line.stage, line.latent), []) if line.kind in _PASSAGES else []
    return len(told) >= FLICKER and line != _flicker(told)


def _passage(event: Event) -> Line:
    text = f"z{event.latent} {'woke' if event.kind == 'wake' else 'fell asleep'}"
    return Line(event.step, event.stage, event.kind, text, event.latent)


def _flicker(told: list[Event]) -> Line:
    newest = told[-1]
    wakes = sum(event.kind == "wake" for event in told)
    text = f"z{newest.latent} flickers: {wakes} wakes, {'awake' if newest.kind == 'wake' else 'asleep'}"
    return Line(newest.step, newest.stage, newest.kind, text, newest.latent)


def _words(event: Event) -> str:
    title = _TITLES.get(event.kind, event.kind)
    who = f"z{event.latent} " if event.latent >= 0 else ""
    if event.kind == "stage":
        return event.text or f"stage {event.stage} begins"
    if not event.text:
        return who + title
    return who + (event.text if event.kind == "note" else f"{title}: {event.text}")
