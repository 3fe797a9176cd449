"""Where events stand on a time axis, and their signs."""

import numpy as np

from vaemon.batch import Columns
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


def event_marks(
    picture: Picture, columns: Columns, span: TimeSpan, dots: int, latent: int | None = None
) -> tuple[tuple[int, str], ...]:
    """Dot columns of the events in sight, each with its colour, those that matter more last.

    Of wakes and falls asleep, those of one latent, or (None) of all.
    """
    if not len(columns):
        return ()
    stage, begin = picture.view.stage, _begin(columns)
    events = [each for each in picture.view.events if each.stage == stage and each.kind not in _UNMARKED]
    if latent is not None:
        events = [each for each in events if each.latent in (-1, latent)]
    places = np.searchsorted(columns.step, [each.step for each in events])
    marks = {
        (span.cell(int(place), dots), SIGNS.get(each.kind, OTHER)[1])
        for place, each in zip(places, events, strict=True)
        if place < span.filled and each.step > begin
    }
    weight = {"active": 0, "limbo": 1, "muted": 2, "accent": 3, "good": 4, "warn": 5, "bad": 6}
    return tuple(sorted(marks, key=lambda mark: (weight.get(mark[1], 2), mark)))


def _begin(columns: Columns) -> int:
    """The step before the first column, as far as the columns tell; they have the last step of each."""
    if not columns.first:
        return -1
    return int(columns.step[0]) - (int(columns.step[1] - columns.step[0]) if len(columns) > 1 else 1)
