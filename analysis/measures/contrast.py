"""The published code's adjustment of contrast: images stretched about their mean image; no part of the paper's method.

Asperti & Trentin's code (asperti/BalancingVAE) does this to reconstructions before it computes their FID and mse, and
means to do it to generated images, too, but never comes to that.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False, slots=True)
class PixelMoments:
    """Mean and spread of every value of an image, over many images; float64."""

    count: int
    mean: Array
    """(H, W, C)."""
    spread: Array
    """Sum of squared deviations from it, (H, W, C)."""

    @property
    def mean_deviation(self) -> float:
        """The standard deviation over the images, mean over the values of an image."""
        return float(np.sqrt(self.spread / self.count).mean())


def pixel_moments(blocks: Iterable[Array]) -> PixelMoments:
    """The moments of images that come in blocks, each (n, H, W, C) with n >= 1; at least one block."""
    return reduce(_merged, map(_of_block, blocks))


def _of_block(images: Array) -> PixelMoments:
    images = np.asarray(images, np.float64)
    mean = images.mean(axis=0)
    return PixelMoments(len(images), mean, np.square(images - mean).sum(axis=0))


def _merged(a: PixelMoments, b: PixelMoments) -> PixelMoments:
    """Both together (Chan et al. 1979, the pairwise update)."""
    count, shift = a.count + b.count, b.mean - a.mean
    mean = a.mean + shift * (b.count / count)
    return PixelMoments(count, mean, a.spread + b.spread + np.square(shift) * (a.count * b.count / count))


def contrast_factor(real: PixelMoments, made: PixelMoments) -> float:
    """Mean deviation of the real images over that of those made; 1 where those are all alike."""
    return real.mean_deviation / made.mean_deviation if made.mean_deviation else 1.0


def adjust_contrast(images: Array, mean: Array, factor: float) -> npt.NDArray[np.float32]:
    """x̄ + factor (x - x̄), clipped to [0, 1].

    Args:
        images: (n, H, W, C), in [0, 1].
        mean: x̄ of all that were made, (H, W, C).
        factor: `contrast_factor`.
    """
    return np.clip(mean + factor * (images - mean), 0.0, 1.0).astype(np.float32)
