"""Mean and covariance of features, summed block by block in float64, so that no feature is held.

`d` is the width of the features, `n` the number of images.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.linalg import blas, lapack

from vaemon.errors import UsageError, VaemonError

Array = npt.NDArray[Any]

ROWS = 500
"""Rows that are summed at a time, in float64: of more, a process keeps the memory when they are long gone."""

COLUMNS = 256
"""Columns of a matrix that are mirrored at a time."""


@dataclass(frozen=True, eq=False, slots=True)
class FeatureStatistics:
    """Mean and covariance of the features of a set of images.

    Raises:
        VaemonError: a value is NaN or infinite, or the shapes do not belong together.
    """

    count: int
    """Images that they were taken of, n."""
    mean: Array
    """(d,), float64."""
    covariance: Array
    """(d, d), float64."""
    ddof: int = 1
    """What the covariance was divided by: n - ddof."""

    def __post_init__(self) -> None:
        width = self.mean.size
        if self.mean.shape != (width,) or self.covariance.shape != (width, width):
            raise VaemonError(
                f"a mean of shape {self.mean.shape} and a covariance of shape {self.covariance.shape} are no "
                "statistics of features: (d,) and (d, d) are expected"
            )
        if _unusable(self.mean[:, None]) or _unusable(self.covariance):
            raise VaemonError("statistics of features with NaN or infinity in them; compute them anew")


class FeatureSums:
    """Sums over features, from which their mean and covariance follow; 17 MB for 2,048 features, however many images.

    The products are those of the deviations from the mean of the first block, so that nothing large cancels in the
    covariance, whatever the mean of the features is (Chan et al. 1983, shifted data). They are kept as one triangle, in
    LAPACK's rectangular full packed format (Gustavson et al. 2010).
    """

    def __init__(self, width: int) -> None:
        """Begin with no features.

        Args:
            width: d.
        """
        self.width = width
        self.count = 0
        self._shift = np.zeros(width)
        self._total = np.zeros(width)  # Σ (x - shift)
        self._products = np.zeros(width * (width + 1) // 2)  # Σ (x - shift)(x - shift)ᵀ

    def add(self, block: Array) -> None:
        """Take the features of some more images.

        Args:
            block: (n, d), of any real type; never changed.

        Raises:
            VaemonError: it is not of shape (n, d), or has NaN or infinity; nothing of it is then taken.
        """
        if block.ndim != 2 or block.shape[1] != self.width:
            raise VaemonError(f"features of shape {block.shape} where (n, {self.width}) was expected")
        if bad := _unusable(block):
            raise VaemonError(
                f"the features of {bad} of {len(block)} images have NaN or infinity in them: no statistics"
            )
        for start in range(0, len(block), ROWS):
            rows = np.array(block[start : start + ROWS], np.float64, order="C")
            if not self.count:
                self._shift = rows.mean(axis=0)
            rows -= self._shift
            self._total += rows.sum(axis=0)
            self._products = lapack.dsfrk(self.width, len(rows), 1.0, rows.T, 1.0, self._products, overwrite_c=True)
            self.count += len(rows)

    def statistics(self, ddof: int = 1) -> FeatureStatistics:
        """Mean and covariance of all that was added.

        Args:
            ddof: the covariance is divided by n - ddof.

        Raises:
            UsageError: there are too few images for a covariance.
        """
        if self.count <= ddof:
            raise UsageError(f"{self.count} image(s) have no covariance of features; {ddof + 1} or more are needed")
        away = self._total / self.count
        covariance, _ = lapack.dtfttr(self.width, self._products)
        covariance = blas.dsyr(-self.count, away, a=covariance, overwrite_a=True)
        covariance /= self.count - ddof
        _mirror(covariance)
        return FeatureStatistics(self.count, self._shift + away, covariance, ddof)


def _mirror(matrix: Array) -> None:
    """Make a matrix of which the upper triangle is known symmetric, in place, without another of its size."""
    for start in range(0, len(matrix), COLUMNS):
        stop = start + COLUMNS
        square = np.triu(matrix[start:stop, start:stop])
        matrix[start:stop, start:stop] = square + np.triu(square, 1).T
        matrix[stop:, start:stop] = matrix[start:stop, stop:].T


def same_width(a: Array, b: Array) -> None:
    """See to it that two arrays end in the same number of features.

    Raises:
        UsageError: they do not.
    """
    if a.shape[-1] != b.shape[-1]:
        raise UsageError(
            f"one side has {a.shape[-1]} features, the other {b.shape[-1]}: compare what one extractor made of both"
        )


def check_features(a: Array, b: Array, least: int, what: str) -> None:
    """See to it that two sets of features can be compared.

    Args:
        a: features of one set of images, (n, d).
        b: of the other, (m, d).
        least: so many images must be on each side.
        what: that for which they must, to begin a sentence.

    Raises:
        UsageError: there are too few, or the sets are of different features.
        VaemonError: a feature is NaN or infinite.
    """
    same_width(a, b)
    if min(len(a), len(b)) < least:
        raise UsageError(f"{what} need at least {least} images on each side; there are {len(a)} and {len(b)}")
    for features in (a, b):
        if bad := _unusable(features):
            raise VaemonError(f"the features of {bad} of {len(features)} images have NaN or infinity in them")


def _unusable(features: Array) -> int:
    """How many rows have NaN or infinity in them, looked at some at a time."""
    parts = (features[start : start + ROWS] for start in range(0, len(features), ROWS))
    return sum(int((~np.isfinite(part).all(axis=1)).sum()) for part in parts)
