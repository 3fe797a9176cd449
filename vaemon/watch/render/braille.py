"""Line charts in dots: braille, two by four to a cell, or one to a cell in ASCII.

A picture is a pile of layers, each a grid of dots in one colour. A cell has one colour only: it shows the dots of
the topmost layer that has any there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from vaemon.watch.render.cells import Grid, Ink, Row

Array = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Dots:
    """How many dots a cell has."""

    across: int
    down: int


BRAILLE = Dots(2, 4)
ASCII = Dots(1, 1)

_BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))


@dataclass(frozen=True, eq=False, slots=True)
class Layer:
    """Dots of one colour."""

    mask: Mask
    """Shape (height * dots.down, width * dots.across)."""
    fg: str
    mark: str = "*"
    """What a dot is in ASCII."""
    bold: bool = False


def draw(layers: Sequence[Layer], height: int, width: int, dots: Dots) -> list[Row]:
    """The layers, the lowest first, as `height` rows of `width` cells."""
    codes = np.full((height, width), ord(" "))
    inks = np.zeros((height, width), np.int64)
    for number, layer in enumerate(layers, start=1):
        pattern = _patterns(layer.mask, dots)
        drawn = pattern > 0
        codes[drawn] = 0x2800 + pattern[drawn] if dots == BRAILLE else ord(layer.mark)
        inks[drawn] = number
    return Grid(codes, inks).rows([Ink(), *(Ink(layer.fg, bold=layer.bold) for layer in layers)])


def _patterns(mask: Mask, dots: Dots) -> Array:
    """Which dots of each cell are set, as the bits of braille; 0 where none is."""
    if dots != BRAILLE:
        return mask.view(np.uint8)
    patterns = np.zeros((len(mask) // dots.down, mask.shape[1] // dots.across), np.uint16)
    for down, bits in enumerate(_BITS):
        for across, bit in enumerate(bits):
            patterns += mask[down :: dots.down, across :: dots.across] * np.uint16(bit)
    return patterns


def line(place: Array, height: int, width: int, dots: Dots) -> Mask:
    """A line through one place a dot column.

    Args:
        place: 0 at the bottom, 1 at the top, NaN for a gap, shape (n,) with n at most the dot columns; what is
            outside is drawn at the edge.
        height: rows of cells.
        width: cells.
        dots: dots a cell.
    """
    return lines(place[:, None], height, width, dots)


def lines(places: Array, height: int, width: int, dots: Dots) -> Mask:
    """Many lines at once, places of shape (n, k), one line a column of it; else as in `line`."""
    rows, columns = height * dots.down, width * dots.across
    if not rows or not columns or not places.size:
        return np.zeros((rows, columns), bool)
    row = _rows(places, rows)
    before = np.concatenate([row[:1], row[:-1]])
    before = np.where(np.isnan(before), row, before)
    # A column reaches from its own dot to the one next to its neighbour's, so that steep lines have no holes.
    top = np.where(before < row, before + 1, row)
    end = np.where(before > row, before - 1, row) + 1
    at, _ = known = np.nonzero(np.isfinite(row))
    # Each line begins and ends somewhere in a column: a dot is drawn where more have begun than ended.
    begun, ended = (
        np.bincount((edge[known].astype(np.int64) * columns + at), minlength=(rows + 1) * columns)
        for edge in (top, end)
    )
    return np.asarray((begun - ended).reshape(rows + 1, columns)[:-1].cumsum(axis=0) > 0)


def band(low: Array, high: Array, height: int, width: int, dots: Dots) -> Mask:
    """Everything between two places a dot column; arguments as in `line`."""
    return _filled(_rows(high, height * dots.down), _rows(low, height * dots.down), height, width, dots)


def dashes(place: float, height: int, width: int, dots: Dots) -> Mask:
    """A dashed level line over the whole width; nothing where its place is outside."""
    mask = np.zeros((height * dots.down, width * dots.across), bool)
    if 0.0 <= place <= 1.0 and mask.size:
        mask[int(_rows(np.array([place]), len(mask))[0])] = (
            np.arange(mask.shape[1]) % (4 * dots.across) < 2 * dots.across
        )
    return mask


def _rows(place: Array, rows: int) -> Array:
    # Dot rows from the top, as floats for the gaps' sake.
    return np.asarray(np.rint((1.0 - np.clip(place, 0.0, 1.0)) * max(rows - 1, 0)))


def _filled(top: Array, bottom: Array, height: int, width: int, dots: Dots) -> Mask:
    mask = np.zeros((height * dots.down, width * dots.across), bool)
    row = np.arange(len(mask))[:, None]
    mask[:, : len(top)] = (row >= top) & (row <= bottom)
    return mask
