"""Heat strips: E[σ²] of latents over time, on a fixed scale from 0 to 1.

Low variance means that a latent carries information: it is drawn bright and warm; 1 is asleep and dark. With
colours a cell shows two values, side by side or one above the other; without, one by the density of its shade.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from vaemon.watch.render.cells import Grid, Ink
from vaemon.watch.render.levels import LEVELS, SHADES

Array = npt.NDArray[Any]

BAD = LEVELS
"""The level of what is not finite, or not known."""
EMPTY = LEVELS + 1
"""The level of what has not happened yet."""

GRIP = 0.02
"""A level is kept until the value has left it by so much: less than the noise of a batch does not flicker."""

SHADE_FROM = (0.0, 0.3, 0.5, 0.8, 0.97)
"""Where the five shades begin: the bounds of active, waking, limbo, inactive and collapsed."""

_NAMES = [f"heat{level}" for level in range(LEVELS)] + ["bad", "ground"]
_STRANGE = len(_NAMES) ** 2  # inks of a cell with a value that is not finite begin here
_SHADED = _STRANGE + len(_NAMES)  # and those of the shades here
INKS = (
    *(Ink(first, second) for first in _NAMES for second in _NAMES),
    *(Ink("bad", other) for other in _NAMES),
    *(Ink(f"shade{i}") for i in range(len(SHADES))),
    Ink("bad"),
    Ink(),
)
"""The table of all grids made here."""

_SPACE, _CROSS, _ABOVE, _BESIDE = ord(" "), ord("×"), ord("▀"), ord("▌")
_SHADE_CODES = np.array([*map(ord, SHADES), _CROSS, _SPACE])


def levels(values: Array, width: int) -> Array:
    """The level of each value, `EMPTY` beyond the last.

    Args:
        values: E[σ²], shape (painted, k); more than 1 counts as 1, less than 0 as 0.
        width: values that the picture is wide, at least `painted`.

    Returns:
        Shape (k, width).
    """
    finite = np.isfinite(values)
    clipped = np.clip(np.where(finite, values, 0.0), 0.0, 1.0)
    level = np.minimum((clipped * LEVELS).astype(np.int64), LEVELS - 1)
    for before, now, value in zip(level, level[1:], clipped[1:], strict=False):
        kept = (value >= before / LEVELS - GRIP) & (value <= (before + 1) / LEVELS + GRIP)
        now[kept] = before[kept]
    result = np.full((values.shape[1], width), EMPTY)
    result[:, : len(values)] = np.where(finite, level, BAD).T
    return result


def stacked(upper: Array, lower: Array) -> Grid:
    """Two latents a row of text: levels of the upper and the lower ones, each of shape (height, cells)."""
    return _paired(upper, lower, _ABOVE)


def edged(upper: Array) -> Grid:
    """The last half row of a latent that takes several: levels of shape (height, cells), nothing below them."""
    return _paired(upper, np.full_like(upper, EMPTY), _ABOVE)


def sided(fine: Array) -> Grid:
    """One latent a row of text, two moments a cell: levels of shape (height, 2 * cells)."""
    return _paired(fine[:, 0::2], fine[:, 1::2], _BESIDE)


def _paired(first: Array, second: Array, glyph: int) -> Grid:
    # Two equal values are a space on their colour: shorter on the wire than a block in two colours.
    equal = first == second
    codes = np.where(equal, _SPACE, glyph)
    inks = np.where(equal, EMPTY, first) * len(_NAMES) + second
    strange = (first == BAD) | (second == BAD)
    other = np.where(first == BAD, second, first)
    other = np.where(other == BAD, EMPTY, other)
    return Grid(np.where(strange, _CROSS, codes), np.where(strange, _STRANGE + other, inks))


def shaded(values: Array, width: int) -> Grid:
    """One latent a row of text, by density instead of colour: E[σ²] of shape (painted, k)."""
    finite = np.isfinite(values)
    shade = np.searchsorted(SHADE_FROM, np.where(finite, values, 0.0), side="right") - 1
    ink = np.full((values.shape[1], width), len(SHADES) + 1)
    ink[:, : len(values)] = np.where(finite, np.clip(shade, 0, len(SHADES) - 1), len(SHADES)).T
    return Grid(_SHADE_CODES[ink], _SHADED + ink)
