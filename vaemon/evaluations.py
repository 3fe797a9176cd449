"""Evaluations: figures of a moment, such as those of a test set, kept as events of the run.

A row of the epoch table is one event, or several of one step where the text of an event is too short for all.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from vaemon.batch import Event

EVALUATION = "evaluation"
"""The kind of the events."""
MOST_BYTES = 224
"""Of an event's text, in UTF-8."""
LONGEST_NAME = 120


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The figures of one step."""

    stage: int
    step: int
    time: float
    values: Mapping[str, float]


def to_texts(values: Mapping[str, float]) -> list[str]:
    """The values as compact JSON objects, each short enough for an event.

    Raises:
        ValueError: a name is empty, or longer than 120 bytes as JSON writes it.
    """
    texts: list[str] = []
    pending = ""
    for name, value in values.items():
        key = json.dumps(name, ensure_ascii=False)
        if not name or len(key.encode(errors="replace")) > LONGEST_NAME + 2:
            raise ValueError(f"the name {name[:40]!r} is empty or longer than {LONGEST_NAME} bytes")
        pair = f"{key}:{_written(value)}"
        longer = f"{pending},{pair}" if pending else pair
        if pending and len(longer.encode(errors="replace")) + 2 > MOST_BYTES:
            texts.append(f"{{{pending}}}")
            longer = pair
        pending = longer
    return [*texts, f"{{{pending}}}"] if pending else texts


def _written(value: float) -> str:
    whole = math.isfinite(value) and value == int(value) and abs(value) < 2**53
    return str(int(value)) if whole else json.dumps(float(value))


def of_event(event: Event) -> dict[str, float]:
    """The values that an event carries; none where its text is not such an object."""
    try:
        found = json.loads(event.text)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {name: float(value) for name, value in found.items() if _is_number(value)}


def _is_number(value: object) -> bool:
    return isinstance(value, float) or (isinstance(value, int) and abs(value) < 2**63)


def evaluations(events: Iterable[Event]) -> list[Evaluation]:
    """One evaluation a step, of several with one name the value recorded last; by stage and step."""
    found: dict[tuple[int, int], Evaluation] = {}
    for event in events:
        if event.kind != EVALUATION:
            continue
        at = (event.stage, event.step)
        before: Mapping[str, float] = found[at].values if at in found else {}
        found[at] = Evaluation(*at, event.time, {**before, **of_event(event)})
    return [found[at] for at in sorted(found)]


def to_events(stage: int, step: int, time: float, values: Mapping[str, float]) -> Sequence[Event]:
    """The values of a step as events. Raises ValueError where a name cannot be."""
    return [Event(step, time, stage, EVALUATION, text=text) for text in to_texts(values)]
