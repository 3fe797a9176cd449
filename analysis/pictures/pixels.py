"""From values in [0, 1] to bytes, and many images to one."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Pixels = npt.NDArray[np.uint8]

GAP = 2
"""Pixels between two images of a grid."""
WHITE, BLACK = 255, 0


def to_bytes(images: Array) -> Pixels:
    """Values in [0, 1], clamped there and rounded to the nearest of 0 to 255, halves to even; of any shape."""
    return np.rint(np.clip(images, 0.0, 1.0) * 255.0).astype(np.uint8)


def in_rows(images: Array) -> Array:
    """Images (n, H, W, C) as (rows, columns, H, W, C), about as many rows as columns; what is left over is white."""
    columns = max(math.isqrt(len(images) - 1) + 1, 1)
    rows = -(-len(images) // columns)
    grid = np.ones((rows * columns, *images.shape[1:]), images.dtype)
    grid[: len(images)] = images
    return grid.reshape(rows, columns, *images.shape[1:])


def tiled(images: Array, ground: int = WHITE) -> Pixels:
    """Images (rows, columns, H, W, C) as one picture (H', W', C), with the ground between them."""
    rows, columns, height, width, channels = images.shape
    down, across = rows * (height + GAP) - GAP, columns * (width + GAP) - GAP
    picture = np.full((down, across, channels), ground, np.uint8)
    for row in range(rows):
        for column in range(columns):
            y, x = row * (height + GAP), column * (width + GAP)
            picture[y : y + height, x : x + width] = to_bytes(images[row, column])
    return picture
