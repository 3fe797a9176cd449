"""One chart: a title, a line over time with its envelope, ticks at the left. Pure: arrays and a size to rows."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from vaemon.watch.render.axis import Scale, scale_for, tick_label
from vaemon.watch.render.braille import ASCII, BRAILLE, Dots, Layer, band, dashes, draw, line
from vaemon.watch.render.cells import Row, Span, fit, said
from vaemon.watch.render.span import Pooled

Array = npt.NDArray[Any]

SMOOTHING = 0.8
"""Weight of what came before, a dot column; the mean of some five of them."""
MARKED = 5
"""From so many rows on, a chart has marks of every wake at its foot."""
QUIET = ("active", "limbo", "muted")
"""Colours of the marks that a lower chart leaves out."""
GUTTER = 7
"""Cells left of the plot, for its ticks."""


@dataclass(frozen=True, eq=False, slots=True)
class Plot:
    """What a chart draws; each array has one value a dot column, the painted ones only."""

    pooled: Pooled
    reference: Array | None = None
    """A second line, drawn below the first."""
    level: float | None = None
    """A level line that must be on the chart."""
    smoothed: bool = False
    """Whether the line is smoothed; the means then stay faintly behind it, in the place of the envelope."""
    log: bool = False
    at: int | None = None
    """Dot column of the crosshair."""
    marks: tuple[tuple[int, str], ...] = ()
    """Dot columns of events, each with its colour; drawn at the foot."""


def smooth(values: Array) -> Array:
    """The debiased exponential mean up to each value; gaps stay gaps and take no part."""
    result = np.full(len(values), np.nan)
    total = weight = 0.0
    for i, value in enumerate(values):
        if np.isfinite(value):
            total = SMOOTHING * total + value
            weight = SMOOTHING * weight + 1.0
            result[i] = total / weight
    return result


def not_positive(plot: Plot) -> int:
    """How many dot columns a logarithmic axis cannot show, for their mean is not positive."""
    return int(np.count_nonzero(plot.pooled.mean <= 0)) if plot.log else 0


def chart_rows(plot: Plot, height: int, width: int, *, ascii_only: bool) -> list[Row]:
    """The plot with its gutter, `height` rows of `width` cells; where it is too narrow, the plot alone."""
    gutter = GUTTER if width > 2 * GUTTER else 0
    cells = width - gutter
    if height < 1 or cells < 1:
        return []
    dots = ASCII if ascii_only else BRAILLE
    scale = _scale(plot)
    rows = draw(_layers(plot, scale, height, cells, dots), height, cells, dots)
    labels = _labels(plot, scale, height) if gutter else {}
    return [fit((*_gutter(labels.get(y, ""), gutter), *row), width) for y, row in enumerate(rows)]


def _scale(plot: Plot) -> Scale:
    values = plot.pooled.mean
    if plot.reference is not None:
        values = np.concatenate([values, plot.reference])
    return scale_for(values, log=plot.log, keep=() if plot.level is None else (plot.level,))


def _layers(plot: Plot, scale: Scale, height: int, cells: int, dots: Dots) -> list[Layer]:
    size = (height, cells, dots)
    mean = scale.place(plot.pooled.mean)
    layers = []
    if plot.level is not None:
        layers.append(Layer(dashes(_place(scale, plot.level), *size), "reference", "-"))
    if plot.smoothed:
        layers.append(Layer(line(mean, *size), "band", "."))
        mean = scale.place(smooth(plot.pooled.mean))
    else:
        # On a logarithmic axis, an envelope that reaches to zero or below goes down to the edge.
        low = np.where(plot.log & (plot.pooled.low <= 0), 0.0, scale.place(plot.pooled.low))
        layers.append(Layer(band(low, scale.place(plot.pooled.high), *size), "band", "."))
    if plot.at is not None:
        layers.append(Layer(_upright(plot.at, *size), "cursor", "|"))
    if plot.reference is not None:
        layers.append(Layer(line(scale.place(plot.reference), *size), "reference", "-"))
    layers.append(Layer(line(mean, *size), "line", "*"))
    layers.append(Layer(_marks(plot.pooled.bad, *size), "bad", "x"))
    return [*_feet(plot, height >= MARKED, *size), *layers]


def _place(scale: Scale, value: float) -> float:
    return float(scale.place(np.array([value]))[0])


def _marks(bad: Array, height: int, cells: int, dots: Dots) -> Array:
    # Where values were not finite, the column has a solid cell at the top.
    mask = np.zeros((height * dots.down, cells * dots.across), bool)
    mask[: dots.down, : len(bad)] = bad > 0
    return mask


def _feet(plot: Plot, many: bool, height: int, cells: int, dots: Dots) -> list[Layer]:
    # What is drawn goes before them: wakes are many, and a cell has one colour only.
    layers = []
    for colour in dict.fromkeys(colour for _, colour in plot.marks):
        at = [dot for dot, own in plot.marks if own == colour and 0 <= dot < cells * dots.across]
        if many or colour not in QUIET:
            mask = np.zeros((height * dots.down, cells * dots.across), bool)
            mask[-1, at] = True
            layers.append(Layer(mask, colour, "^"))
    return layers


def _upright(at: int, height: int, cells: int, dots: Dots) -> Array:
    mask = np.zeros((height * dots.down, cells * dots.across), bool)
    if 0 <= at < mask.shape[1]:
        mask[:: min(2, dots.down), at] = True
    return mask


def _labels(plot: Plot, scale: Scale, height: int) -> dict[int, str]:
    """Labels by row, the level line's first; none next to another, and none that is too long for the gutter."""
    labels: dict[int, str] = {}
    ticks = scale.ticks((height + 1) // 2)
    for tick in ticks if plot.level is None else [plot.level, *ticks]:
        place = _place(scale, tick)
        row = round((1.0 - place) * (height - 1)) if 0 <= place <= 1 else -1
        label = tick_label(tick)
        if row >= 0 and len(label) < GUTTER and not labels.keys() & {row - 1, row, row + 1}:
            labels[row] = label
    return labels


def _gutter(label: str, width: int) -> tuple[Span, ...]:
    return (said(f"{label:>{width - 1}} ", "muted"),) if width else ()
