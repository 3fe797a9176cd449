"""Sample images as cells: half blocks in their own colours, or shades where there are none. Pure: bytes to rows.

As many of the samples are shown as can be made out, up to 8 x 8.
"""

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from vaemon.watch.render.cells import Grid, Ink, Row

Array = npt.NDArray[Any]

LEAST = 9
"""Pixels of the screen that a sample takes at least along its longer side; in fewer nothing can be made out."""
MOST_ASIDE = 8
"""Samples along either side of a grid."""
GAP = 1
"""Pixels between two samples."""
BITS = 5
"""Of each colour that are kept: more cannot be told apart here, and cost styles and bytes."""
SHADES = " ░▒▓█"
ASCII_SHADES = " .:-=+*#%@"
"""From nothing to all ink."""

_HALF, _SPACE = ord("▀"), ord(" ")
_GROUND = 1 << 3 * BITS
"""The code of a pixel where there is no sample."""
_LUMA = np.array([0.299, 0.587, 0.114])


class Plan(NamedTuple):
    """How samples are laid out."""

    down: int
    """Samples below each other."""
    across: int
    height: int
    """Pixels of the screen that each takes; a cell has two, one above the other."""
    width: int

    def shown(self, count: int) -> int:
        """How many of so many samples are shown."""
        return min(count, self.down * self.across)


def plan(count: int, height: int, width: int, cells: int, rows: int) -> Plan | None:
    """The layout that shows as many samples as can be made out, and those as large as can be; None where none fits.

    A single sample may be smaller than one can make out.

    Args:
        count: samples at hand.
        height: of a sample, in its own pixels.
        width: of a sample.
        cells: width of the place for them.
        rows: of text that it is high.
    """
    best = None
    for side in range(1, MOST_ASIDE + 1):
        # So many along the shorter side of the place, as many as fit along the longer one.
        room_down, room_across = ((room - GAP * (side - 1)) // side for room in (2 * rows, cells))
        scale = min(room_down / height, room_across / width)
        each_down, each_across = int(height * scale), int(width * scale)
        if min(each_down, each_across) < 1 or (side > 1 and max(each_down, each_across) < LEAST):
            break
        down, across = (
            min((room + GAP) // (each + GAP), MOST_ASIDE)
            for room, each in ((2 * rows, each_down), (cells, each_across))
        )
        best = Plan(down, across, each_down, each_across)
        if down * across >= count:
            break
    return best


def grid_rows(images: Array, cells: int, rows: int, shades: str = "") -> list[Row]:
    """Images as rows of cells, at the left and at the top of the place for them; none where nothing fits.

    Args:
        images: uint8, (n, h, w, c), c 1 or 3.
        cells: width of the place.
        rows: its height.
        shades: signs from dark to bright, to draw without colours; empty: with.
    """
    count, height, width = images.shape[:3]
    made = plan(count, height, width, cells, rows)
    if made is None:
        return []
    canvas, there = _canvas(images, made)
    return _shaded(canvas, there, shades) if shades else _coloured(canvas, there)


def shrink(images: Array, height: int, width: int) -> Array:
    """Images (n, h, w, c) at another size, (n, height, width, c), float: each pixel the mean of the area it covers."""
    count, before, across, channels = images.shape
    flat = _weights(before, height) @ images.reshape(count, before, across * channels).astype(np.float32)
    return np.asarray(_weights(across, width) @ flat.reshape(count, height, across, channels))


def _weights(before: int, after: int) -> npt.NDArray[np.float32]:
    """What share each of `before` pixels has in each of `after`, shape (after, before); rows sum to 1."""
    edges = np.linspace(0.0, before, after + 1)
    place = np.arange(before)
    upper = np.minimum(edges[1:, None], place + 1)
    lower = np.maximum(edges[:-1, None], place)
    overlap = np.clip(upper - lower, 0.0, None)
    return np.asarray(overlap / overlap.sum(axis=1, keepdims=True), np.float32)


def _canvas(images: Array, made: Plan) -> tuple[Array, Array]:
    """The samples on one picture, (height, width, 3), and where there are any; both of an even height."""
    samples = shrink(images[: made.down * made.across], made.height, made.width)
    down, across = -(-len(samples) // made.across), min(made.across, len(samples))
    height, width = (n * (size + GAP) - GAP for n, size in ((down, made.height), (across, made.width)))
    canvas = np.zeros((height + height % 2, width, 3), np.float32)
    there = np.zeros(canvas.shape[:2], bool)
    for number, sample in enumerate(samples):
        y, x = (number // made.across) * (made.height + GAP), (number % made.across) * (made.width + GAP)
        canvas[y : y + made.height, x : x + made.width] = sample  # a grey one in all three colours
        there[y : y + made.height, x : x + made.width] = True
    return canvas, there


def _coloured(canvas: Array, there: Array) -> list[Row]:
    levels = np.clip(canvas, 0, 255).astype(np.int64) >> (8 - BITS)
    codes = np.where(there, levels @ np.array([1 << 2 * BITS, 1 << BITS, 1]), _GROUND)
    upper, lower = codes[0::2], codes[1::2]
    pairs, inks = np.unique(upper * (_GROUND + 1) + lower, return_inverse=True)
    table = [Ink(_name(int(pair) // (_GROUND + 1)), _name(int(pair) % (_GROUND + 1))) for pair in pairs]
    # Two equal pixels are a space on their colour: shorter on the wire.
    return Grid(np.where(upper == lower, _SPACE, _HALF), inks.reshape(upper.shape)).rows(table)


@lru_cache(maxsize=1 << 14)
def _name(code: int) -> str:
    if code == _GROUND:
        return "ground"
    channels = (code >> shift & (1 << BITS) - 1 for shift in (2 * BITS, BITS, 0))
    return "#" + "".join(f"{level << (8 - BITS) | level >> (2 * BITS - 8):02x}" for level in channels)


def _shaded(canvas: Array, there: Array, shades: str) -> list[Row]:
    light = np.where(there, canvas @ _LUMA, 0.0)
    count = there[0::2].astype(np.int64) + there[1::2]
    mean = (light[0::2] + light[1::2]) / np.maximum(count, 1)
    level = np.clip(mean / 256 * len(shades), 0, len(shades) - 1).astype(np.int64)
    signs = np.array([*map(ord, shades)])
    return Grid(np.where(count > 0, signs[level], _SPACE), np.zeros_like(level)).rows([Ink()])
