"""The runs that are compared: which of them, in what colour, over which common axis."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vaemon.batch import Array, Columns
from vaemon.latents import inactive
from vaemon.thresholds import Thresholds
from vaemon.view.state import RunView
from vaemon.view.words import NOTHING
from vaemon.watch.render.axis import TimeAxis, axis_row
from vaemon.watch.render.cells import Row, said
from vaemon.watch.render.palette import RUN_COLOURS
from vaemon.watch.render.span import FROM, TimeSpan
from vaemon.watch.widgets.picture import Beside, Picture
from vaemon.watch.widgets.time import edges_of, ruler

SIGNS = "abcdefgh"
TICKED = 512
"""Parts of a time axis by which its ticks are placed."""
MOST = min(len(SIGNS), RUN_COLOURS)
"""Runs that are compared at once; of more, those around the one that is shown."""


@dataclass(frozen=True, eq=False, slots=True)
class Entrant:
    """One of the runs that are compared."""

    run: Beside
    sign: str
    ink: str
    stage: int
    """The stage that is compared; 0 where the run that is shown has none yet, and each has its newest."""
    view: RunView
    columns: Columns
    """Of the stage that is compared; none where the run has no such stage."""
    edges: Array
    """The places of the columns on the time axis, shape (n + 1,); none where there are no columns."""

    @property
    def drawn(self) -> object:
        """What all that is drawn of the columns depends on."""
        columns = self.columns
        return (
            self.run.name,
            self.view.thresholds,
            self.view.stage,
            self.view.cursor.segments,
            columns.first,
            len(columns),
            columns.width,
        )

    def counted(self, state: str) -> Array:
        """How many latents each column has "active" (E[σ²] below `wake`), or "inactive"; NaN where unknown. (n,)."""
        return _count(self._variance, state, self.view.thresholds)

    def counted_at(self, state: str, column: int) -> str:
        """The same of one column, in words."""
        counts = _count(self._variance[[column]], state, self.view.thresholds)
        return NOTHING if np.isnan(counts[0]) else f"{int(counts[0])}"

    @property
    def _variance(self) -> Array:
        return self.columns.mean.get("mean_variance", np.zeros((len(self.columns), 0)))

    def column_at(self, place: float) -> int | None:
        """The column that a place of the axis lies in; None beyond the ends."""
        if not len(self.columns) or not self.edges[0] <= place <= self.edges[-1]:
            return None
        return min(max(int(np.searchsorted(self.edges, place)) - 1, 0), len(self.columns) - 1)


def _count(variance: Array, state: str, at: Thresholds) -> Array:
    with np.errstate(invalid="ignore"):
        which = variance < at.wake if state == "active" else inactive(variance, at.inactive)
    return np.where(np.isfinite(variance).any(axis=1), which.sum(axis=1), np.nan)


def entrants(picture: Picture) -> list[Entrant]:
    """The runs to compare, in the order in which they were named; at most `MOST`."""
    first = page_of(picture.beside)
    return [_entrant(picture, run, SIGNS[i], f"run{i}") for i, run in enumerate(picture.beside[first : first + MOST])]


def page_of(runs: Sequence[Beside]) -> int:
    """The place of the first run that is compared: runs are compared `MOST` by `MOST`."""
    return next((i for i, run in enumerate(runs) if run.shown), 0) // MOST * MOST


def _entrant(picture: Picture, run: Beside, sign: str, ink: str) -> Entrant:
    view, stage = (picture.view if run.shown else run.view), picture.view.stage
    columns = (picture.columns if run.shown else view.columns) if view.stage == stage or not stage else Columns()
    edges = edges_of(view, columns, picture.look.axis) if len(columns) else np.zeros(0)
    return Entrant(run, sign, ink, stage, view, columns, edges)


@dataclass(frozen=True, slots=True)
class Stretch:
    """The part of the time axis that is in sight, the same for all runs."""

    low: float
    high: float
    axis: TimeAxis
    at: float | None = None
    """The place of the crosshair."""
    log: bool = False
    """Whether it is logarithmic; then `low` is more than 0."""

    @property
    def ends(self) -> tuple[float, float]:
        """Both ends as they are drawn."""
        low, high = self.drawn(np.array([self.low, self.high]))
        return float(low), float(high)

    def drawn(self, places: Array) -> Array:
        """Where places stand, in what is drawn evenly: their logarithms, on a logarithmic axis."""
        return np.log10(np.maximum(places, self.low)) if self.log else places

    def cell(self, place: float, cells: int) -> int:
        """The one of so many cells in which a place lies."""
        low, high = self.ends
        return math.floor((float(self.drawn(np.array(place))) - low) / (high - low) * cells)

    def row(self, left: int, cells: int) -> Row:
        """One row of ticks, the name of the axis left of them, where there is room for it."""
        name = (said(f"{self.axis:>{left - 1}} ", "muted"),) if left > len(self.axis) else (said(" " * left),)
        places = np.linspace(*self.ends, TICKED + 1)
        marked = ruler(10.0**places if self.log else places, self.axis, log=self.log)
        return (*name, *axis_row(marked, TimeSpan(TICKED, TICKED), cells))


def stretch(picture: Picture, runs: Sequence[Entrant]) -> Stretch:
    """What is in sight: all of the longest run, or what the one shown is looked at closely by.

    While one of them grows, there is room for it; the room doubles once it is full, up to where the runs are to end.
    """
    axis, look = picture.look.axis, picture.look
    shown = next((each for each in runs if each.run.shown and len(each.columns)), None)
    at = None
    if shown is not None and look.at is not None:
        at = float(shown.edges[shown.columns.place(look.at) + 1])
    begun = [each for each in runs if len(each.columns)]
    if shown is not None and look.window is not None:
        total = max(-(-look.window.size // shown.columns.width), 1)
        low, high = float(shown.edges[0]), ruler(shown.edges, TimeAxis.STEP).at(total)
    else:
        longest = max((float(each.edges[-1]) for each in begun), default=1.0) or 1.0
        low, high = 0.0, _room(longest, begun, axis)
    if look.log_time and low <= 0:  # from an octave before the first column on
        low = min((float(each.edges[1]) for each in begun if each.edges[1] > 0), default=high) * FROM
    return Stretch(low, high, axis, at, look.log_time)


def _room(longest: float, runs: Sequence[Entrant], axis: TimeAxis) -> float:
    if all(each.view.info is not None and each.view.info.state.over for each in runs):
        return longest
    doubled = float(2.0 ** math.ceil(math.log2(longest)))
    ends = [_planned(each.view, axis) for each in runs]
    return min(doubled, max([longest, *(end for end in ends if end is not None)])) if None not in ends else doubled


def _planned(view: RunView, axis: TimeAxis) -> float | None:
    stage = view.info.stage(view.stage) if view.info is not None else None
    if stage is None or not stage.total_steps or axis is TimeAxis.TIME:
        return None
    if axis is TimeAxis.STEP:
        return float(stage.total_steps)
    return stage.total_steps / stage.steps_per_epoch if stage.steps_per_epoch else None
