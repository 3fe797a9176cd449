"""One chart: a title, a line over time with its envelope, ticks at the left. Pure: arrays and a size to rows."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from vaemon.watch.render.axis import Scale, scale_for
from vaemon.watch.render.braille import ASCII, BRAILLE, Dots, Layer, band, dashes, draw, line
from vaemon.watch.render.cells import Row, fit
from vaemon.watch.render.margins import Marks, bad_marks, feet, gutter_of, gutter_width, place, tick_labels, upright
from vaemon.watch.render.span import Pooled

Array = npt.NDArray[Any]

MOSTLY = (0.05, 0.95)
"""The quantiles between which a mean is most of the time: what it does at the beginning is left aside."""


@dataclass(frozen=True, eq=False, slots=True)
class Plot:
    """What a chart draws; each array has one value a dot column, the painted ones only."""

    pooled: Pooled
    reference: Array | None = None
    """A second line, drawn below the first."""
    level: float | None = None
    """A level line that must be on the chart."""
    smoothed: Array | None = None
    """The line where it is smoothed; the means then stay faintly behind it, in the place of the envelope."""
    log: bool = False
    at: int | None = None
    """Dot column of the crosshair."""
    marks: Marks = ()
    """Dot columns of events, each with its colour; drawn at the foot."""


def not_positive(plot: Plot) -> int:
    """How many dot columns a logarithmic axis cannot show, for their mean is not positive."""
    return int(np.count_nonzero(plot.pooled.mean <= 0)) if plot.log else 0


def chart_rows(plot: Plot, height: int, width: int, *, ascii_only: bool) -> list[Row]:
    """The plot with its gutter, `height` rows of `width` cells; where it is too narrow, the plot alone."""
    gutter = gutter_width(width)
    cells = width - gutter
    if height < 1 or cells < 1:
        return []
    dots = ASCII if ascii_only else BRAILLE
    scale = _scale(plot)
    rows = draw(_layers(plot, scale, height, cells, dots), height, cells, dots)
    ticks = [*(() if plot.level is None else (plot.level,)), *scale.ticks((height + 1) // 2)]
    labels = tick_labels(scale, height, dots, ticks) if gutter else {}
    return [fit((*gutter_of(labels.get(y, ""), gutter), *row), width) for y, row in enumerate(rows)]


def _scale(plot: Plot) -> Scale:
    values = plot.pooled.mean
    if plot.reference is not None:
        values = np.concatenate([values, plot.reference])
    noisy = _noisy(plot.pooled) if plot.smoothed is None else ()
    return scale_for(values, log=plot.log, keep=noisy if plot.level is None else (*noisy, plot.level))


def _noisy(pooled: Pooled) -> tuple[float, ...]:
    """The bounds of an envelope that is wider than the way of the mean, most of the time; nothing where it is not.

    Of what is mostly noise the envelope is what there is to see: beyond the axis it would fill the whole chart.
    """
    known = np.isfinite(pooled.mean) & np.isfinite(pooled.low) & np.isfinite(pooled.high)
    if not known.any():
        return ()
    mean, low, high = pooled.mean[known], pooled.low[known], pooled.high[known]
    begin, end = np.quantile(mean, MOSTLY)
    with np.errstate(over="ignore"):
        if np.median(high - low) <= end - begin:
            return ()
    return float(np.quantile(low, 0.1)), float(np.quantile(high, 0.9))


def _layers(plot: Plot, scale: Scale, height: int, cells: int, dots: Dots) -> list[Layer]:
    size = (height, cells, dots)
    mean = scale.place(plot.pooled.mean)
    layers = []
    if plot.smoothed is not None:
        layers.append(Layer(line(mean, *size), "band", "."))
        mean = scale.place(plot.smoothed)
    else:
        # On a logarithmic axis, an envelope that reaches to zero or below goes down to the edge.
        low = np.where(plot.log & (plot.pooled.low <= 0), 0.0, scale.place(plot.pooled.low))
        layers.append(Layer(band(low, scale.place(plot.pooled.high), *size), "band", "."))
    if plot.level is not None:  # above the envelope, which would hide it
        layers.append(Layer(dashes(place(scale, plot.level), *size), "reference", "-"))
    if plot.at is not None:
        layers.append(Layer(upright(plot.at, *size), "cursor", "|"))
    if plot.reference is not None:
        layers.append(Layer(line(scale.place(plot.reference), *size), "reference", "-"))
    layers.append(Layer(line(mean, *size), "line", "*"))
    layers.append(Layer(bad_marks(plot.pooled.bad, *size), "bad", "x"))
    return [*feet(plot.marks, *size), *layers]
