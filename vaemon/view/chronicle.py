"""The events of a run as lines to read, a latent that flickers told once."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
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


Key = tuple[int, int, int]
"""Where an event stands: the place of its stage, its step, its place among those recorded."""
_AT_THE_END = 1 << 62

Group = tuple[str, int, int]
"""Which events are told together: of what kind, in which stage, of which latent or step."""


def chronicle(events: Iterable[Event]) -> list[Line]:
    """The events as lines, the newest first.

    They stand in the order in which they happened: a wake is recorded only once it has held. A latent that flickers
    stands in one line, where its newest passage is; so do the checkpoints of a stage.
    """
    return Chronicle().lines(tuple(events))


class Chronicle:
    """The lines of events of which more and more come; only the lines of those that are new are made."""

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._events: tuple[Event, ...] = ()
        self._places: dict[int, int] = {}  # of the stages, in the order in which they began
        self._groups: dict[Group, list[tuple[Key, Event]]] = {}
        self._told: dict[Group, dict[Key, Line]] = {}
        self._keys: list[Key] = []  # of the lines, the oldest first
        self._lines: list[Line] = []

    def lines(self, events: tuple[Event, ...]) -> list[Line]:
        """What `chronicle` gives; it takes little time where the events asked for before are the first of these."""
        if events[: len(self._events)] != self._events:
            self._forget()
        grown: set[Group] = set()
        for place, event in enumerate(events[len(self._events) :], start=len(self._events)):
            key = self._key(event, place)
            if (group := _group(event)) is None:
                self._put(key, _line(event))
            else:
                self._groups.setdefault(group, []).append((key, event))
                grown.add(group)
        for group in grown:
            self._tell(group)
        self._events = events
        return self._lines[::-1]

    def _key(self, event: Event, place: int) -> Key:
        # What belongs to no stage was found while reading, and comes last.
        stage = self._places.setdefault(event.stage, len(self._places)) if event.stage else _AT_THE_END
        return stage, event.step, place

    def _tell(self, group: Group) -> None:
        for key in self._told.get(group, ()):
            place = bisect_left(self._keys, key)
            del self._keys[place], self._lines[place]
        self._groups[group].sort()
        self._told[group] = _lines_of(group, self._groups[group])
        for key, line in self._told[group].items():
            self._put(key, line)

    def _put(self, key: Key, line: Line) -> None:
        place = bisect_left(self._keys, key)
        self._keys.insert(place, key)
        self._lines.insert(place, line)


def _group(event: Event) -> Group | None:
    if _passes(event):
        return "passage", event.stage, event.latent
    if event.kind == CHECKPOINT:
        return CHECKPOINT, event.stage, 0
    return (EVALUATION, event.stage, event.step) if event.kind == EVALUATION else None


def _lines_of(group: Group, members: Sequence[tuple[Key, Event]]) -> dict[Key, Line]:
    """The lines of events that are told together, each where the newest that it tells is."""
    newest, events = members[-1][0], [event for _, event in members]
    if group[0] == EVALUATION:
        return {newest: _evaluation(evaluations(events)[0])}
    if group[0] == CHECKPOINT:
        return {newest: _checkpoints(events)}
    if len(events) < FLICKER:
        return {key: _passage(event) for key, event in members}
    return {newest: _flicker(events)}


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
