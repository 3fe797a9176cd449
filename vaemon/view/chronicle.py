"""The events of a run as lines to read, a latent that flickers told once."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from vaemon.batch import Event
from vaemon.evaluations import EVALUATION, Evaluation, evaluations
from vaemon.latents import Failure
from vaemon.view.evaluations import brief
from vaemon.view.words import FAILURES

FLICKER = 3
"""A latent that passed between sleep and waking so often is told in one line."""

CHECKPOINT = "checkpoint"
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
    """The events as lines, the newest first.

    A latent that flickers stands in one line, where its newest passage is; so do the checkpoints of a stage.
    """
    told = _by_step(events)
    evaluated = {(each.stage, each.step): each for each in evaluations(told)}
    passages: dict[tuple[int, int], list[Event]] = {}
    saved: dict[int, list[Event]] = {}
    for event in told:
        if _passes(event):
            passages.setdefault((event.stage, event.latent), []).append(event)
        elif event.kind == CHECKPOINT:
            saved.setdefault(event.stage, []).append(event)
    lines = []
    for event in reversed(told):
        own = passages[event.stage, event.latent] if _passes(event) else []
        if event.kind == EVALUATION:
            # All events of one evaluation are told in one line.
            if (found := evaluated.pop((event.stage, event.step), None)) is not None:
                lines.append(_evaluation(found))
        elif event.kind == CHECKPOINT:
            lines += [_checkpoints(saved.pop(event.stage))] if event.stage in saved else []
        elif len(own) < FLICKER:
            lines.append(_passage(event) if own else _line(event))
        elif event is own[-1]:
            lines.append(_flicker(own))
    return lines


def _by_step(events: Iterable[Event]) -> list[Event]:
    """The events in the order in which they happened: a wake is recorded only once it has held."""
    events = list(events)
    stages = dict.fromkeys(event.stage for event in events if event.stage)
    places = {stage: place for place, stage in enumerate(stages)}
    # What belongs to no stage was found while reading, and comes last.
    return sorted(events, key=lambda event: (places.get(event.stage, len(places)), event.step))


def _checkpoints(saved: list[Event]) -> Line:
    newest = saved[-1]
    line = _line(newest)
    return replace(line, text=f"{line.text}, the newest of {len(saved)}") if len(saved) > 1 else line


def _passes(event: Event) -> bool:
    return event.kind in _PASSAGES and event.latent >= 0


def _line(event: Event) -> Line:
    return Line(event.step, event.stage, event.kind, _words(event), event.latent)


def _passage(event: Event) -> Line:
    text = f"z{event.latent} {'woke' if event.kind == 'wake' else 'fell asleep'}"
    return Line(event.step, event.stage, event.kind, text, event.latent)


def _flicker(told: list[Event]) -> Line:
    newest = told[-1]
    wakes = sum(event.kind == "wake" for event in told)
    now = "awake" if newest.kind == "wake" else "asleep"
    text = f"z{newest.latent} flickers: {wakes} wakes since step {told[0].step:,}, {now}"
    return Line(newest.step, newest.stage, newest.kind, text, newest.latent)


def _evaluation(found: Evaluation) -> Line:
    text = f"{EVALUATION}: {brief(found)}" if found.values else EVALUATION
    return Line(found.step, found.stage, EVALUATION, text)


def _words(event: Event) -> str:
    title = _TITLES.get(event.kind, event.kind)
    who = f"z{event.latent} " if event.latent >= 0 else ""
    if event.kind == "stage":
        return event.text or f"stage {event.stage} begins"
    if not event.text:
        return who + title
    return who + (event.text if event.kind == "note" else f"{title}: {event.text}")
