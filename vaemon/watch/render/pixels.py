"""Sample images as cells: half blocks in their own colours, or shades where there are none. Pure: bytes to rows.

Where the terminal shows true pictures, the same grids are pixels for it to draw.

As many of the samples are shown as can be made out, up to 8 x 8.
"""

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from vaemon.watch.render.cells import Grid, Ink, Row

Array = npt.NDArray[Any]

LEAST = 9
"""Half blocks that a sample takes at least along its longer side; in fewer nothing can be made out."""
MOST_ASIDE = 8
"""Samples along either side of a grid."""
BITS = 5
"""Of each colour that are kept: more cannot be told apart here, and cost styles and bytes."""
SHADES = " ░▒▓█"
ASCII_SHADES = " .:-=+*#%@"
"""From nothing to all ink."""

_HALF, _SPACE = ord("▀"), ord(" ")
_GROUND = 1 << 3 * BITS
"""The code of a pixel where there is no sample."""
_LUMA = np.array([0.299, 0.587, 0.114])


class Grain(NamedTuple):
    """The pixels of which pictures are made on the screen."""

    across: int
    """In the width of a cell."""
    down: int
    """In its height."""
    least: int
    """That a sample takes at least along its longer side; in fewer nothing can be made out."""
    gap: int
    """Between two samples."""


HALVES = Grain(across=1, down=2, least=LEAST, gap=1)
"""Half blocks: two in a cell, one above the other."""


class Plan(NamedTuple):
    """How samples are laid out."""

    down: int
    """Samples below each other."""
    across: int
    height: int
    """Pixels of the screen that each takes."""
    width: int

    def shown(self, count: int) -> int:
        """How many of so many samples are shown."""
        return min(count, self.down * self.across)


def plan(count: int, height: int, width: int, cells: int, rows: int, grain: Grain = HALVES) -> Plan | None:
    """The layout that shows as many samples as can be made out, and those as large as can be; None where none fits.

    A single sample may be smaller than one can make out.

    Args:
        count: samples at hand.
        height: of a sample, in its own pixels.
        width: of a sample.
        cells: width of the place for them.
        rows: of text that it is high.
        grain: the pixels of the screen.
    """
    best, gap, room = None, grain.gap, (rows * grain.down, cells * grain.across)
    for side in range(1, MOST_ASIDE + 1):
        # So many along the shorter side of the place, as many as fit along the longer one.
        room_down, room_across = ((each - gap * (side - 1)) // side for each in room)
        scale = min(room_down / height, room_across / width)
        each_down, each_across = int(height * scale), int(width * scale)
        if min(each_down, each_across) < 1 or (side > 1 and max(each_down, each_across) < grain.least):
            break
        down, across = (
            min((limit + gap) // (each + gap), MOST_ASIDE)
            for limit, each in zip(room, (each_down, each_across), strict=True)
        )
        best = Plan(down, across, each_down, each_across)
        if down * across >= count:
            break
    return best


def extent(count: int, made: Plan, grain: Grain) -> tuple[int, int]:
    """The rows and cells that so many samples take, not all of the last ones, it may be."""
    shown = made.shown(count)
    down, across = -(-shown // made.across), min(made.across, shown)
    sides = ((down, made.height, grain.down), (across, made.width, grain.across))
    rows, cells = (-(-(n * (size + grain.gap) - grain.gap) // cell) for n, size, cell in sides)
    return rows, cells


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
    canvas, there = _canvas(images, made, HALVES)
    return _shaded(canvas, there, shades) if shades else _coloured(canvas, there)


def grid_pixels(images: Array, made: Plan, grain: Grain) -> Array:
    """Images as red, green, blue and opacity, uint8, (height, width, 4): of their own size, or smaller.

    Who shows them enlarges them to the size that was planned: a picture enlarged here has many times the bytes.

    Args:
        images: uint8, (n, h, w, c), c 1 or 3.
        made: how they are laid out.
        grain: the pixels of the screen.
    """
    height, width = images.shape[1:3]
    shrunk = min(made.height / height, made.width / width, 1.0)
    gap = max(round(grain.gap * shrunk * height / made.height), 1)
    sent = made if shrunk < 1 else made._replace(height=height, width=width)
    canvas, there = _canvas(images, sent, Grain(1, 1, 1, gap))
    colours = np.clip(np.round(canvas), 0, 255).astype(np.uint8)
    return np.concatenate([colours, np.where(there, 255, 0).astype(np.uint8)[..., None]], axis=2)


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


def _canvas(images: Array, made: Plan, grain: Grain) -> tuple[Array, Array]:
    """The samples on one picture, (height, width, 3), and where there are any; both as large as whole cells."""
    samples = shrink(images[: made.down * made.across], made.height, made.width)
    gap, (rows, cells) = grain.gap, extent(len(images), made, grain)
    canvas = np.zeros((rows * grain.down, cells * grain.across, 3), np.float32)
    there = np.zeros(canvas.shape[:2], bool)
    for number, sample in enumerate(samples):
        y, x = (number // made.across) * (made.height + gap), (number % made.across) * (made.width + gap)
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
