"""Where events stand on a time axis, and their signs."""

from typing import NamedTuple

import numpy as np

from vaemon.batch import Array, Columns, Event
from vaemon.latents import LatentState
from vaemon.view.status import SIGNS as STATUS_SIGNS
from vaemon.view.status import Kind
from vaemon.watch.render.glyphs import STATE
from vaemon.watch.render.span import TimeSpan
from vaemon.watch.widgets.picture import Picture

SIGNS = {
    "wake": (STATE[LatentState.ACTIVE], "active"),
    "sleep": (STATE[LatentState.LIMBO], "limbo"),
    "stage": ("▸", "accent"),
    "checkpoint": ("◆", "accent"),
    "evaluation": ("≈", "good"),
    "resume": ("▸", "accent"),
    "stop": ("■", "warn"),
    "nan": ("✗", "bad"),
    "collapse": (STATUS_SIGNS[Kind.ALARM], "bad"),
    "ignored": (STATUS_SIGNS[Kind.ALARM], "bad"),
    "restored": ("●", "good"),
    "drop": ("▲", "warn"),
    "error": ("✗", "bad"),
    "recovered": ("●", "good"),
    "alert": ("▲", "warn"),
}
"""The sign of each kind of event, and its colour."""

OTHER = ("·", "muted")
_UNMARKED = ("stage", "note", "checkpoint")

_WEIGHT = {"active": 0, "limbo": 1, "muted": 2, "accent": 3, "good": 4, "warn": 5, "bad": 6}
_COLOURS = tuple(_WEIGHT)
_MOST_HELD = 4


class _Marked(NamedTuple):
    """The events of a stage that have marks, as arrays."""

    events: tuple[Event, ...]
    """All events of the run that they were taken from."""
    stage: int
    step: Array
    latent: Array
    colour: Array
    """Places in `_COLOURS`."""


_held: list[_Marked] = []  # the newest first: all charts of a frame ask for the same, and a long run has many events


def event_marks(
    picture: Picture, columns: Columns, span: TimeSpan, dots: int, latent: int | None = None
) -> tuple[tuple[int, str], ...]:
    """Dot columns of the events in sight, each with its colour, those that matter more last.

    Of wakes and falls asleep, those of one latent, or (None) of all.
    """
    if not len(columns):
        return ()
    marked = _marked(picture.view.events, picture.view.stage)
    places = np.searchsorted(columns.step, marked.step)
    seen = (places < span.filled) & (marked.step > _begin(columns))
    if latent is not None:
        seen &= (marked.latent == -1) | (marked.latent == latent)
    cells = span.cells_of(places[seen], dots)
    found = np.unique(marked.colour[seen] * max(dots, 1) + cells)
    return tuple((int(each % max(dots, 1)), _COLOURS[each // max(dots, 1)]) for each in found)


def _marked(events: tuple[Event, ...], stage: int) -> _Marked:
    nothing = _Marked((), stage, *(np.zeros(0, np.int64) for _ in range(3)))
    before = next((each for each in _held if each.stage == stage and _goes_on(each.events, events)), nothing)
    if before.events is events:
        return before
    new = [each for each in events[len(before.events) :] if each.stage == stage and each.kind not in _UNMARKED]
    added = (
        [each.step for each in new],
        [each.latent for each in new],
        [_WEIGHT[SIGNS.get(each.kind, OTHER)[1]] for each in new],
    )
    arrays = (
        np.concatenate([old, np.array(more, np.int64)])
        for old, more in zip((before.step, before.latent, before.colour), added, strict=True)
    )
    _held[:] = [_Marked(events, stage, *arrays), *(each for each in _held if each is not before)][:_MOST_HELD]
    return _held[0]


def _goes_on(before: tuple[Event, ...], now: tuple[Event, ...]) -> bool:
    """Whether events are those that there were, and perhaps some more."""
    if before is now:
        return True
    return 0 < len(before) <= len(now) and before[0] is now[0] and before[-1] is now[len(before) - 1]


def _begin(columns: Columns) -> int:
    """The step before the first column, as far as the columns tell; they have the last step of each."""
    if not columns.first:
        return -1
    return int(columns.step[0]) - (int(columns.step[1] - columns.step[0]) if len(columns) > 1 else 1)
