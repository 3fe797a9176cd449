"""Several runs over one time axis: their lines in one chart, each told by a colour and a letter. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from vaemon.watch.render.axis import Scale, scale_for
from vaemon.watch.render.braille import ASCII, BRAILLE, Dots, Layer, Mask, dashes, draw, line
from vaemon.watch.render.cells import Row, cut, fit, said
from vaemon.watch.render.margins import bad_marks, gutter_of, gutter_width, place, row_of, tick_labels, upright

Array = npt.NDArray[Any]

TAIL = 2
"""Cells at the right of the lines, where their letters stand."""
DASH = 2
"""Where lines meet, so many cells in a row go to each of them."""


@dataclass(frozen=True, eq=False, slots=True)
class Curve:
    """One run's line."""

    places: Array
    """A value a dot column, NaN where there is none, shape (n,)."""
    sign: str
    """A letter."""
    ink: str
    raw: Array | None = None
    """The line as it was before it was smoothed, drawn faintly behind it; None where it is not smoothed."""


@dataclass(frozen=True, eq=False, slots=True)
class Overlay:
    """What the chart draws."""

    curves: tuple[Curve, ...]
    """The topmost last."""
    level: float | None = None
    """A level line that must be on the chart."""
    log: bool = False
    at: int | None = None
    """Dot column of the crosshair."""
    bad: Array = field(default_factory=lambda: np.zeros(0, bool))
    """Dot columns in which a value of any run was not finite."""


def resample(edges: Array, values: Array, low: float, high: float, cells: int) -> Array:
    """The mean of the finite values in each of `cells` equal parts of an axis from `low` to `high`.

    Args:
        edges: rising places of the edges between columns, shape (n + 1,).
        values: a value a column, shape (n, ...).
        low: where the axis begins.
        high: where it ends.
        cells: how many parts.

    Returns:
        Shape (painted, ...), with the parts of the axis that begin before the last edge; NaN where none is finite.
    """
    bounds = low + (high - low) * np.arange(cells + 1) / max(cells, 1)
    centres = (bounds[:-1] + bounds[1:]) / 2
    painted = int(np.searchsorted(centres, edges[-1], side="right")) if len(values) else 0
    middles = (edges[:-1] + edges[1:]) / 2
    first = np.searchsorted(middles, bounds[:painted])
    end = np.searchsorted(middles, bounds[1 : painted + 1])
    # A part that has the middle of no column shows the column that it lies in.
    within = np.clip(np.searchsorted(edges, centres[:painted]) - 1, 0, max(len(values) - 1, 0))
    first, end = np.where(end > first, first, within), np.where(end > first, end, within + 1)
    finite = np.isfinite(values)
    zero = np.zeros((1, *values.shape[1:]))
    total = np.concatenate([zero, np.cumsum(np.where(finite, values, 0.0), axis=0)])
    count = np.concatenate([zero, np.cumsum(finite, axis=0)])
    weight = count[end] - count[first]
    return np.asarray((total[end] - total[first]) / np.where(weight > 0, weight, np.nan))


def overlay_rows(overlay: Overlay, height: int, width: int, *, ascii_only: bool) -> list[Row]:
    """The lines with the gutter, `height` rows of `width` cells; each line ends in its letter."""
    gutter = gutter_width(width)
    cells = width - gutter - TAIL
    if height < 1 or cells < 1:
        return []
    dots = ASCII if ascii_only else BRAILLE
    known = [each for curve in overlay.curves for each in (curve.places, curve.raw) if each is not None]
    values = np.concatenate([*known, np.zeros(0)])
    scale = scale_for(values, log=overlay.log, keep=() if overlay.level is None else (overlay.level,))
    rows = draw(_layers(overlay, scale, height, cells, ascii_only), height, cells, dots)
    level = [] if overlay.level is None else [overlay.level]
    ticks = [*level, *scale.ticks((height + 1) // 2)]
    labels = tick_labels(scale, height, dots, ticks) if gutter else {}
    ends = _ends(overlay, scale, height, dots)
    return [
        fit((*gutter_of(labels.get(y, ""), gutter), *_signed(row, ends.get(y, [])), said(" " * TAIL)), width)
        for y, row in enumerate(rows)
    ]


def _layers(overlay: Overlay, scale: Scale, height: int, cells: int, ascii_only: bool) -> list[Layer]:
    dots = ASCII if ascii_only else BRAILLE
    size = (height, cells, dots)
    layers = []
    if overlay.level is not None:
        layers.append(Layer(dashes(place(scale, overlay.level), *size), "reference", "-"))
    raw = [curve.raw for curve in overlay.curves if curve.raw is not None]
    layers += [Layer(line(scale.place(each), *size), "band", ".") for each in raw]
    if overlay.at is not None:
        layers.append(Layer(upright(overlay.at, *size), "cursor", "|"))
    masks = _in_turn([line(scale.place(curve.places), *size) for curve in overlay.curves], dots)
    layers += [Layer(mask, each.ink, each.sign) for mask, each in zip(masks, overlay.curves, strict=True)]
    layers.append(Layer(bad_marks(overlay.bad, *size), "bad", "x"))
    return layers


def _in_turn(masks: list[Mask], dots: Dots) -> list[Mask]:
    """The lines without the dots of cells that go to another: those where several meet go to each of them in turn."""
    if not masks or not masks[0].size:
        return masks
    stack = np.stack(masks)
    count, rows, columns = stack.shape
    cells = stack.reshape(count, rows // dots.down, dots.down, columns // dots.across, dots.across)
    there = cells.any(axis=(2, 4))
    rank = np.cumsum(there, axis=0) - 1
    turn = (np.arange(there.shape[2]) // DASH) % np.maximum(there.sum(axis=0), 1)
    kept = there & (rank == turn)
    return list((cells & kept[:, :, None, :, None]).reshape(stack.shape))


def _ends(overlay: Overlay, scale: Scale, height: int, dots: Dots) -> dict[int, list[tuple[int, Curve]]]:
    """Where the letters stand: just after the end of each line; the lower of two that meet goes a row down."""
    ends = []
    for curve in overlay.curves:
        places = scale.place(curve.places)
        known = np.flatnonzero(np.isfinite(places))
        if len(known):
            end = min(max(float(places[known[-1]]), 0.0), 1.0)
            ends.append((int(known[-1]) // dots.across + 1, end, curve))
    rows: dict[int, list[tuple[int, Curve]]] = {}
    for column in {column for column, _, _ in ends}:
        here = sorted((end for end in ends if end[0] == column), key=lambda end: -end[1])
        stands = _apart([row_of(end, height, dots) for _, end, _ in here], height)
        for row, (_, _, curve) in zip(stands, here, strict=True):
            rows.setdefault(row, []).append((column, curve))
    return rows


def _apart(rows: list[int], height: int) -> list[int]:
    """Rising rows moved apart so that no two are the same; where there are more than fit, the last ones share."""
    apart: list[int] = []
    for row in rows:
        apart.append(max(row, apart[-1] + 1) if apart else row)
    for i in range(len(apart) - 1, -1, -1):
        apart[i] = max(min(apart[i], height - len(apart) + i), 0)
    return apart


def _signed(row: Row, ends: Sequence[tuple[int, Curve]]) -> Row:
    for column, curve in ends:
        wide = sum(len(span.text) for span in row)
        before = (*cut(row, 0, column), said(" " * max(column - wide, 0)))
        letter = said(curve.sign, curve.ink, bold=True)
        row = tuple(span for span in (*before, letter, *cut(row, column + 1, max(wide - column - 1, 0))) if span.text)
    return row
