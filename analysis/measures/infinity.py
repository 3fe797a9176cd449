"""The FID that infinitely many samples would have."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from analysis.measures.features import ROWS, FeatureStatistics, FeatureSums, check_features
from analysis.measures.frechet import covariance_root, distance_of_roots
from vaemon.errors import UsageError

Array = npt.NDArray[Any]

SMALLEST = 5000
"""N of the first point, as in the authors' code."""


class Extrapolation(NamedTuple):
    """A line through FIDs of fewer and more samples, over 1/N."""

    value: float
    """Where it meets 1/N = 0: FID∞."""
    slope: float
    """What the bias is: FID_N is about value + slope / N."""
    sizes: Array
    """N of each FID, (points,)."""
    distances: Array
    """The FIDs, (points,)."""


def fid_infinity(
    real: FeatureStatistics, fake: Array, smallest: int = SMALLEST, points: int = 15, seed: int = 0
) -> Extrapolation:
    """FID∞ of generated images: FID of N of them, drawn at random, against 1/N (Chong & Forsyth 2020).

    FID is biased: finitely many samples make it larger, by about a constant over N that depends on the model. N goes in
    equal steps from the fewest images to all of them; `smallest` and `points` are those of the authors' code. The real
    side is taken as it is, with whatever bias its own number has.

    Args:
        real: the real images' statistics.
        fake: features of generated images, (n, d).
        smallest: N of the first point.
        points: how many FIDs are taken.
        seed: what the images of each are drawn by; equal seeds give equal figures.

    Raises:
        UsageError: there are too few images for two different N, or the sets are of different features.
        VaemonError: a feature is NaN or infinite.
    """
    if points < 2 or smallest < 2:
        raise UsageError(f"FID∞ is read off a line: {points} points from {smallest} images on make none")
    check_features(fake, real.mean[None], 1, "FID∞")
    if len(fake) <= smallest:
        raise UsageError(
            f"FID∞ goes on from {smallest} images; there are {len(fake)}: give it more, or begin with fewer"
        )
    sizes = np.linspace(smallest, len(fake), points).astype(int)
    root, draws = covariance_root(real.covariance), np.random.default_rng(seed)
    distances = np.empty(points)
    for i, size in enumerate(sizes):
        drawn = _statistics(fake, draws.permutation(len(fake))[:size], real.ddof)
        distances[i] = distance_of_roots(real, root, drawn, covariance_root(drawn.covariance))
    value, slope = line_at_infinity(sizes, distances)
    return Extrapolation(value, slope, sizes, distances)


def line_at_infinity(sizes: Array, values: Array) -> tuple[float, float]:
    """Intercept and slope of the least-squares line through values over 1/N (Chong & Forsyth 2020).

    Args:
        sizes: N, (points,), at least two different ones.
        values: one for each N, (points,).
    """
    inverse = 1.0 / np.asarray(sizes, np.float64)
    away = inverse - inverse.mean()
    slope = float(away @ np.asarray(values, np.float64) / (away @ away))
    return float(np.mean(values)) - slope * float(inverse.mean()), slope


def _statistics(features: Array, chosen: Array, ddof: int) -> FeatureStatistics:
    """Of the chosen rows, never all of them at once."""
    sums = FeatureSums(features.shape[1])
    for start in range(0, len(chosen), ROWS):
        sums.add(features[chosen[start : start + ROWS]])
    return sums.statistics(ddof)
