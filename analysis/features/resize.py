"""How images come to another size: each way as a matrix (out, in) that acts on the rows, and again on the columns.

All of these are linear and separable, so that one product, R_h X R_wᵀ, is all of them, on any device.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

Matrix = npt.NDArray[np.float32]
Way = Callable[[int, int], Matrix]
"""Takes the side that there is and the one that is wanted, gives the matrix (out, in)."""


def tensorflow_bilinear(side: int, out: int) -> Matrix:
    """TensorFlow 1's resize_bilinear, align_corners=False: pixel i is taken from i · in/out, without the half pixel.

    So the last pixels repeat the edge, and nothing is averaged over where images shrink. In float32, as the original.
    """
    return _between_two(np.arange(out, dtype=np.float32) * np.float32(side / out), side)


def half_pixel_bilinear(side: int, out: int) -> Matrix:
    """PyTorch's F.interpolate(mode="bilinear", align_corners=False), not antialiased: from (i + 1/2) · in/out - 1/2."""
    at = np.float32(side / out) * (np.arange(out, dtype=np.float32) + np.float32(0.5)) - np.float32(0.5)
    return _between_two(np.maximum(at, np.float32(0)), side)


def antialiased_bilinear(side: int, out: int) -> Matrix:
    """Pillow's BILINEAR: a triangle as wide as what an output pixel covers."""
    return _filtered(side, out, 1.0, lambda x: np.maximum(1 - np.abs(x), 0))


def antialiased_bicubic(side: int, out: int) -> Matrix:
    """Pillow's BICUBIC: Keys' kernel with a = -1/2, as wide as what an output pixel covers."""
    return _filtered(side, out, 2.0, _keys)


def resized(images: Any, way: Way, size: int) -> Any:
    """Images (n, C, H, W), float32, as (n, C, size, size)."""
    rows, columns = (_on(way, side, size, images.device) for side in images.shape[-2:])
    return rows @ images @ columns.T


@lru_cache(maxsize=256)
def _on(way: Way, side: int, out: int, device: Any) -> Any:
    return torch.from_numpy(way(side, out)).to(device)


def _between_two(at: npt.NDArray[np.float32], side: int) -> Matrix:
    """Each row the weights of the two pixels beside a place; beyond the last there is only the last."""
    low = np.minimum(at.astype(np.int64), side - 1)
    high = np.minimum(low + 1, side - 1)
    weight = at - low.astype(np.float32)
    matrix = np.zeros((len(at), side), np.float32)
    rows = np.arange(len(at))
    matrix[rows, low] = 1 - weight
    matrix[rows, high] += weight
    return matrix


def _filtered(side: int, out: int, support: float, kernel: Callable[[Any], Any]) -> Matrix:
    """Pillow's weights: the kernel, stretched where images shrink, about each output pixel's centre, summing to 1."""
    stretch = max(side / out, 1.0)
    centre = (np.arange(out) + 0.5) * (side / out)
    low = np.maximum((centre - support * stretch + 0.5).astype(np.int64), 0)[:, None]
    high = np.minimum((centre + support * stretch + 0.5).astype(np.int64), side)[:, None]
    pixel = np.arange(side)
    weights = np.where((pixel >= low) & (pixel < high), kernel((pixel + 0.5 - centre[:, None]) / stretch), 0.0)
    return np.asarray(weights / weights.sum(1, keepdims=True), np.float32)


def _keys(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Keys (1981), a = -1/2."""
    a, x = -0.5, np.abs(x)
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = (((x - 5) * x + 8) * x - 4) * a
    return np.where(x < 1, near, np.where(x < 2, far, 0.0))
