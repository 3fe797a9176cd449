"""Principal components of pixels as features: no weights, no chance, and fitted to the reference. For demos and tests.

They say whether two sets differ in colours and coarse forms, not whether images look real.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from scipy.linalg import eigh

from analysis.features.images import ImageSet
from analysis.features.recipes import Block, Role, as_tensor
from analysis.features.resize import antialiased_bilinear, resized
from analysis.measures.features import FeatureSums
from vaemon.errors import DataNotFound

SIDE = 32
"""Pixels a side that images are brought to where the reference's are larger."""
COMPONENTS = 64

Rows = npt.NDArray[np.float32]


class PixelFeatures:
    """The first 64 components of the reference's pixels in [0, 1]; fewer where it has fewer images or pixels."""

    distance = "FD-pixels"
    recipe = None

    def __init__(self, reference: ImageSet, told: Callable[[int, int], None]) -> None:
        """Fit them.

        Args:
            reference: images, all of which are read.
            told: shown how many of them are.

        Raises:
            DataNotFound: there are fewer than two.
        """
        if reference.count < 2:
            raise DataNotFound(
                f"{reference.name} holds {reference.count or 'no'} image; components of pixels need two or more"
            )
        self._side = 0
        sums: FeatureSums | None = None
        done = 0
        for _, block in reference.read(lambda block: True):
            self._side = self._side or min(SIDE, max(block[0].shape[1:3]))
            pixels = self._pixels(block)
            sums = sums or FeatureSums(pixels.shape[1])
            sums.add(pixels)
            done += len(pixels)
            told(done, reference.count)
        assert sums is not None
        found = sums.statistics()
        self.width = min(COMPONENTS, len(found.mean), max(1, reference.count - 1))
        self._mean = found.mean
        self._axes = _principal(found.covariance, self.width)
        self.made_by = f"pixels {self.width} of {self._side} {reference.key}" if reference.key else ""

    def fetch(self) -> None:
        """Nothing."""

    def __call__(self, block: Block, role: Role) -> Rows:
        """Components (n, d)."""
        return np.asarray((self._pixels(block) - self._mean) @ self._axes, np.float32)

    def _pixels(self, block: Block) -> npt.NDArray[np.float64]:
        """(n, 3 · side²), in [0, 1]."""
        parts = [resized(as_tensor(images, torch.device("cpu")), antialiased_bilinear, self._side) for images in block]
        pixels: Any = torch.cat(parts).flatten(1).double() / 255
        return np.asarray(pixels.numpy())


def _principal(covariance: npt.NDArray[np.float64], count: int) -> npt.NDArray[np.float64]:
    """The axes of the greatest variances, (d, count), the greatest first, each with its largest entry positive."""
    size = len(covariance)
    axes = eigh(covariance, subset_by_index=(size - count, size - 1))[1][:, ::-1]
    largest = np.abs(axes).argmax(0)
    return np.asarray(axes * np.sign(axes[largest, np.arange(count)]))
