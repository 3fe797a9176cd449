"""Axes: from values to places, round ticks, short labels."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from vaemon.watch.render.cells import Row, Span, cut, plain, said
from vaemon.watch.render.span import TimeSpan

Array = npt.NDArray[Any]

FINE = (1, 1.5, 2, 2.5, 3, 4, 5)
"""Mantissas of the distance between ticks where there is room for few."""
LARGEST = 1e300
"""What is larger, or on a logarithmic axis smaller than one over it, cannot be told apart by arithmetic."""
TICK = "╵"
"""Stands before a label, at its place."""
OUTLIER = 4.0
"""A chart follows its values until they leave the range of nine tenths of them by so many times that range."""


class TimeAxis(StrEnum):
    """What the horizontal axis counts."""

    STEP = "step"
    EPOCH = "epoch"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class Scale:
    """A vertical axis."""

    low: float
    high: float
    log: bool = False

    def place(self, values: Array) -> Array:
        """Where values stand, 0 at the bottom and 1 at the top; NaN for what the axis cannot show."""
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            if not self.log:
                return np.asarray((values - self.low) / (self.high - self.low))
            above = math.log(self.low)
            return np.asarray((np.log(np.where(values > 0, values, np.nan)) - above) / (math.log(self.high) - above))

    def ticks(self, most: int) -> list[float]:
        """Round values on the axis, rising: so few that `most` rows, evenly spaced, could hold them."""
        if most < 1:
            return []
        if self.log and len(found := self._log_ticks(most)) >= 2:
            return found
        step = nice_step((self.high - self.low) / max(most - 1, 1), FINE)
        found = _multiples(step, self.low, self.high)[:most]
        return found if len(found) >= 2 else [self.low, self.high][:most]

    def _log_ticks(self, most: int) -> list[float]:
        first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
        for mantissas in ((1, 2, 5), (1, 3), (1,)):
            ticks = [m * 10.0**e for e in range(first, last + 1) for m in mantissas]
            ticks = [t for t in ticks if self.low * (1 - 1e-9) <= t <= self.high * (1 + 1e-9)]
            if len(ticks) <= most:
                return ticks
        return ticks[:: -(-len(ticks) // max(most, 1))]


def _multiples(step: float, low: float, high: float) -> list[float]:
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [_round(i * step) for i in range(first, last + 1)]


def _round(value: float) -> float:
    # Without the dust of binary fractions: 3 times 0.1 is 0.3.
    return float(f"{value:.12g}")


def nice_step(least: float, mantissas: Sequence[float] = (1, 2, 2.5, 5)) -> float:
    """The smallest of the mantissas times a power of ten that is at least `least`."""
    if not (math.isfinite(least) and least > 0):
        return 1.0
    power = 10.0 ** math.floor(math.log10(least))
    return next((m * power for m in mantissas if m * power >= least * (1 - 1e-9)), 10 * power)


def scale_for(values: Array, *, log: bool, keep: Sequence[float] = ()) -> Scale:
    """The axis that shows the values, its ends rounded outward so that it moves seldom.

    Far outliers are left off it, for one bad batch would press everything else flat.

    Args:
        values: any shape; what is not finite (and on a log axis, not positive) takes no part.
        log: whether the axis is logarithmic.
        keep: values that must be on the axis whatever the others are.
    """
    values = np.clip(values[np.isfinite(values)], -LARGEST, LARGEST)
    kept = [min(max(each, -LARGEST), LARGEST) for each in keep if math.isfinite(each)]
    if log:
        values, kept = values[values > 1 / LARGEST], [each for each in kept if each > 1 / LARGEST]
    if not len(values):
        return Scale(*((min(kept) / 2, max(kept) * 2) if kept and log else (0.1, 1.0) if log else (0.0, 1.0)), log)
    low, high = _without_outliers(np.log(values) if log else values)
    if log:
        return _log_scale(min([math.exp(low), *kept]), max([math.exp(high), *kept]))
    return _linear_scale(min([low, *kept]), max([high, *kept]))


def _without_outliers(values: Array) -> tuple[float, float]:
    low, high = (float(each) for each in np.quantile(values, (0.05, 0.95)))
    reach = OUTLIER * (high - low)
    inside = values[(values >= low - reach) & (values <= high + reach)]
    return (float(inside.min()), float(inside.max())) if len(inside) else (low, high)


def _linear_scale(low: float, high: float) -> Scale:
    if high - low <= 1e-12 * max(abs(low), abs(high), 1e-300):
        pad = abs(low) / 10 or 0.5
        return Scale(low - pad, high + pad)
    step = nice_step((high - low) / 8)
    first = math.floor(low / step + 1e-9)
    last = math.ceil(high / step - 1e-9)
    return Scale(_round(first * step), _round(last * step)) if last > first else Scale(low, high)


def _log_scale(low: float, high: float) -> Scale:
    if high / low < 1.0001:
        return Scale(low / 1.2, high * 1.2, log=True)
    return Scale(_mantissa(low, math.floor), _mantissa(high, math.ceil), log=True)


def _mantissa(value: float, toward: Callable[[float], int]) -> float:
    # Rounded outward to one digit of its power of ten.
    power = 10.0 ** math.floor(math.log10(value))
    rounded = toward(value / power * (1 + (1e-9 if toward is math.floor else -1e-9)))
    return max(rounded, 1) * power


def tick_label(value: float) -> str:
    """A tick, in as few characters as tell it exactly to three figures."""
    size = abs(value)
    if value == 0:
        return "0"
    if size >= 1e7 or size < 1e-3:
        return f"{value:.3g}".replace("e+0", "e").replace("e-0", "e-").replace("e+", "e")
    if size >= 10_000:
        return f"{value / 1000:.6g}k"
    return f"{value:,.5g}" if size >= 1000 else f"{value:.4g}"


@dataclass(frozen=True, eq=False, slots=True)
class Ruler:
    """What the places of a time axis mean: a rising value at each edge between columns."""

    values: Array
    """At the left edge of column 0, and at the right edge of each column; shape (n + 1,)."""
    label: Callable[[float], str]
    least: float = 1.0
    """Ticks stand at least so far apart."""
    finest: float = 0.0
    """Smaller values are not told apart: of steps there are only whole ones."""
    log: bool = False
    """Whether ticks stand at powers of ten."""

    def at(self, column: float) -> float:
        """The value at a place, counted in columns from the left; beyond the last it goes on as before."""
        known = len(self.values) - 1
        if column <= known or known < 1:
            return float(np.interp(column, np.arange(known + 1), self.values))
        return float(self.values[-1] + self._slope() * (column - known))

    def column(self, value: float) -> float:
        """The place of a value: the first, where many have it."""
        known = len(self.values) - 1
        if value > self.values[-1] and known >= 1:
            slope = self._slope()
            return known + (value - self.values[-1]) / slope if slope > 0 else math.inf
        after = int(np.searchsorted(self.values, value, side="left"))
        if after == 0:
            return 0.0
        before, behind = self.values[after - 1], self.values[after]
        return after - 1 + float((value - before) / (behind - before))

    def _slope(self) -> float:
        return float(self.values[-1] - self.values[0]) / (len(self.values) - 1)


def axis_row(ruler: Ruler, span: TimeSpan, cells: int) -> Row:
    """One row of ticks and labels under a picture `cells` wide that shows the columns of that axis."""
    first, last = ruler.at(float(span.column(np.array(0.0)))), ruler.at(span.total)
    if cells < 1 or not (last > first):
        return ()
    ticks = _ratios(ruler, span, first, last, cells) if ruler.log and first > 0 else []
    if len(ticks) < 2:
        widest = max(len(ruler.label(first)), len(ruler.label(last))) + 4
        step = nice_step(max((last - first) / max(cells / widest, 1), ruler.least))
        ticks = [i * step for i in range(math.ceil(first / step - 1e-9), math.floor(last / step + 1e-9) + 1)]
    text = [" "] * cells
    free = 0
    for tick in ticks:
        place, label = _cell(ruler, span, tick, cells), TICK + ruler.label(tick)
        if math.isfinite(place) and free <= int(place) <= cells - len(label):
            text[int(place) : int(place) + len(label)] = label
            free = int(place) + len(label) + 1
    return (said("".join(text), "muted"),)


def marked(row: Row, at: int, sign: Span) -> Row:
    """An axis with a sign in a cell of it, in the place of the tick whose label it would lie in."""
    text = plain(row)
    begin = text.rfind(TICK, 0, at + 1)
    end = text.find(TICK, at + 1)
    label = text[max(begin, 0) : end if end >= 0 else len(text)].rstrip()
    if 0 <= begin < at < begin + len(label):
        text = text[:begin] + " " * len(label) + text[begin + len(label) :]
    return (*cut((said(text, "muted"),), 0, at), sign, *cut((said(text, "muted"),), at + 1, len(text) - at - 1))


def _cell(ruler: Ruler, span: TimeSpan, value: float, cells: int) -> float:
    place = ruler.column(value)
    return float(span.share(np.array(place))) * cells if math.isfinite(place) else math.inf


def _ratios(ruler: Ruler, span: TimeSpan, low: float, high: float, cells: int) -> list[float]:
    """Ticks of a logarithmic axis: powers of ten, and what is between them where there is room."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    found: list[float] = []
    for mantissas in ((1, 2, 5), (1, 3), (1,)):
        found = [_round(m * 10.0**power) for power in powers for m in mantissas]
        found = [tick for tick in found if low <= tick <= high and tick >= ruler.finest]
        places = [_cell(ruler, span, tick, cells) for tick in found]
        if all(b - a > len(ruler.label(tick)) + 1 for a, b, tick in zip(places, places[1:], found, strict=False)):
            break
    return found
