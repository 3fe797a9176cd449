"""What the places along a run's time axis mean, and which columns a picture's axis stands for."""

import math
from dataclasses import replace

import numpy as np

from vaemon.batch import Array, Columns
from vaemon.view.state import RunView
from vaemon.watch.render.axis import Ruler, TimeAxis, tick_label
from vaemon.watch.render.span import TimeSpan
from vaemon.watch.widgets.picture import Picture

_LARGE = 100_000
CELL_SECONDS = 1.5
"""A cell of a live run takes about so long to fill, or longer."""
MOST_COLUMNS = 128
"""A cell takes no more columns than that for want of time."""


def span_of(picture: Picture, cells: int) -> TimeSpan:
    """The time axis of a picture `cells` wide: room to grow for a live run, all of the width for one that is over."""
    span, look = _linear(picture, cells), picture.look
    return replace(span, log=True, first=picture.columns.first) if look.log_time else span


def _linear(picture: Picture, cells: int) -> TimeSpan:
    columns, window = picture.columns, picture.look.window
    if window is not None:
        return TimeSpan(max(-(-window.size // columns.width), 1), len(columns))
    return TimeSpan.over(len(columns)) if picture.over else TimeSpan.live(len(columns), cells, _least(columns))


def _least(columns: Columns) -> int:
    """Columns that a cell must have for it to take `CELL_SECONDS`, by how long they took up to now."""
    if len(columns) < 2:
        return 1
    each = float(columns.time[-1] - columns.time[0]) / (len(columns) - 1)
    wanted = CELL_SECONDS / each if each > 0 else 1.0
    return 1 << round(math.log2(max(min(wanted, MOST_COLUMNS), 1.0)))


def ruler_of(picture: Picture) -> Ruler | None:
    """What the axis counts; None before there is a column."""
    if not len(picture.columns):
        return None
    axis = picture.look.axis
    return ruler(edges_of(picture.view, picture.columns, axis), axis, log=picture.look.log_time)


def edges_of(view: RunView, columns: Columns, axis: TimeAxis) -> Array:
    """The time at the edges of columns of a run: steps, epochs, or seconds since the stage began. Shape (n + 1,)."""
    if axis is TimeAxis.TIME:
        begun = float(view.columns.time[0]) if len(view.columns) else float(columns.time[0])
        since = _edges(columns.time - begun, floor=-np.inf)
        return np.asarray(since - min(since[0], 0.0))
    steps = _edges(columns.step.astype(np.float64), floor=0.0)
    stage = view.info.stage(view.stage) if view.info is not None else None
    if axis is TimeAxis.EPOCH and stage is not None and stage.steps_per_epoch:
        return np.asarray(steps / stage.steps_per_epoch)
    return steps if axis is TimeAxis.STEP else _edges(columns.epoch.astype(np.float64), floor=0.0)


def ruler(edges: Array, axis: TimeAxis, *, log: bool = False) -> Ruler:
    """What times at edges are called, in a unit that suits the last of them; `log`: ticks stand at powers of ten."""
    if axis is not TimeAxis.TIME:
        is_step = axis is TimeAxis.STEP
        return Ruler(edges, _count_label if is_step else tick_label, finest=1.0 if is_step else 0.0, log=log)
    unit, size = next((u, s) for u, s in (("h", 3600.0), ("min", 60.0), ("s", 1.0)) if edges[-1] >= 2 * s or s == 1.0)
    return Ruler(edges / size, lambda value: f"{value:g} {unit}", log=log)


def steps_per_column(columns: Columns) -> float:
    """Steps that a column stands for; 0 where it cannot be told."""
    step = columns.step
    return float(step[-1] - step[0]) / (len(step) - 1) if len(step) > 1 else 0.0


def _edges(values: Array, floor: float) -> Array:
    # The left edge of the first column is as far before its right edge as columns are wide on average.
    values = np.maximum.accumulate(values)
    wide = (values[-1] - values[0]) / (len(values) - 1) if len(values) > 1 else 0.0
    return np.concatenate([[max(values[0] - wide, floor)], values])


def _count_label(value: float) -> str:
    return f"{value / 1000:,g}k" if value >= _LARGE else f"{value:,.0f}"
