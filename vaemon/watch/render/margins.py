"""What stands at the edges of every chart: ticks left of it, events at its foot, what is not finite at its top."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from vaemon.watch.render.axis import Scale, tick_label
from vaemon.watch.render.braille import Dots, Layer, Mask
from vaemon.watch.render.cells import Span, said

Array = npt.NDArray[Any]
Marks = tuple[tuple[int, str], ...]
"""Dot columns of events, each with its colour."""

GUTTER = 7
"""Cells left of the plot, for its ticks."""
MARKED = 5
"""From so many rows on, a chart has marks of every wake at its foot."""
QUIET = ("active", "limbo", "muted")
"""Colours of the marks that a lower chart leaves out."""


def gutter_width(width: int) -> int:
    """Cells left of a plot in a chart of that width; none where it is too narrow for ticks."""
    return GUTTER if width > 2 * GUTTER else 0


def place(scale: Scale, value: float) -> float:
    """Where one value stands, 0 at the bottom and 1 at the top; NaN for what the axis cannot show."""
    return float(scale.place(np.array([value]))[0])


def row_of(place: float, height: int, dots: Dots) -> int:
    """The row of cells in which the dot of a place is; -1 where it is outside."""
    return int(np.rint((1.0 - place) * (height * dots.down - 1))) // dots.down if 0 <= place <= 1 else -1


def bad_marks(bad: Array, height: int, cells: int, dots: Dots) -> Mask:
    """A solid cell at the top of each dot column that has something not finite in it; `bad` has a count for each."""
    mask = np.zeros((height * dots.down, cells * dots.across), bool)
    mask[: dots.down, : len(bad)] = bad > 0
    return mask


def feet(marks: Marks, height: int, cells: int, dots: Dots) -> list[Layer]:
    """Events at the foot, a layer for each colour; a low chart has only those that matter most.

    Draw them first: wakes are many, and a cell has one colour only.
    """
    layers = []
    for colour in dict.fromkeys(colour for _, colour in marks):
        at = [dot for dot, own in marks if own == colour and 0 <= dot < cells * dots.across]
        if height >= MARKED or colour not in QUIET:
            mask = np.zeros((height * dots.down, cells * dots.across), bool)
            mask[-1, at] = True
            layers.append(Layer(mask, colour, "^"))
    return layers


def upright(at: int, height: int, cells: int, dots: Dots) -> Mask:
    """The crosshair, dotted over the whole height; nothing where its dot column is outside."""
    mask = np.zeros((height * dots.down, cells * dots.across), bool)
    if 0 <= at < mask.shape[1]:
        mask[:: min(2, dots.down), at] = True
    return mask


def tick_labels(scale: Scale, height: int, dots: Dots, ticks: Sequence[float]) -> dict[int, str]:
    """Labels of ticks by row, the first ones first; none next to another, and none too long for the gutter."""
    labels: dict[int, str] = {}
    for tick in ticks:
        row, label = row_of(place(scale, tick), height, dots), tick_label(tick)
        if row >= 0 and len(label) < GUTTER and not labels.keys() & {row - 1, row, row + 1}:
            labels[row] = label
    return labels


def gutter_of(label: str, width: int) -> tuple[Span, ...]:
    """A label at the right end of a gutter of that width, which may be 0."""
    return (said(f"{label:>{width - 1}} ", "muted"),) if width else ()
