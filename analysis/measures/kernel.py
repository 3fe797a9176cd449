"""The kernel inception distance (KID): how far apart two sets of features are, with an error bar."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from analysis.measures.features import check_features

Array = npt.NDArray[Any]


class KernelDistance(NamedTuple):
    """KID, of many random subsets."""

    mean: float
    deviation: float
    """Standard deviation over the subsets (divided by their number)."""


def kid(a: Array, b: Array, subset: int = 1000, subsets: int = 100, seed: int = 0) -> KernelDistance:
    """Mean and deviation of MMD² over random subsets of both sets (Bińkowski et al. 2018, with its cubic kernel).

    Of random subsets without replacement, equally large on both sides. The deviation is one subset's: it tells what
    chance makes of so many images, and is nothing where a subset is all there is.

    Args:
        a: features of one set of images, (n, d).
        b: of the other, (m, d).
        subset: images of a subset.
        subsets: how many subsets are drawn.
        seed: what they are drawn by; equal seeds give equal figures.

    Raises:
        UsageError: there are fewer images than a subset has, or the sets are of different features.
        VaemonError: a feature is NaN or infinite.
    """
    check_features(a, b, max(subset, 2), f"KID's subsets of {subset} images")
    draws = np.random.default_rng(seed)
    found = [squared_mmd(_drawn(a, subset, draws), _drawn(b, subset, draws)) for _ in range(subsets)]
    return KernelDistance(float(np.mean(found)), float(np.std(found)))


def squared_mmd(a: Array, b: Array) -> float:
    """The unbiased estimate of MMD², under the cubic kernel (Gretton et al. 2012; Bińkowski et al. 2018).

    The mean of k(x, x') over pairs within a, and within b, less twice the mean over pairs of one of each; a pair is of
    two different images. Unbiased, so that it is negative as often as not where the two come from one distribution.

    Args:
        a: (n, d), n >= 2, float64.
        b: (m, d), m >= 2, float64.
    """
    return _mean_within(a) + _mean_within(b) - 2.0 * float(cubic_kernel(a, b).mean())


def cubic_kernel(a: Array, b: Array) -> npt.NDArray[np.float64]:
    """k(x, y) = (xᵀy / d + 1)³ of every row of a with every row of b, (n, m) (Bińkowski et al. 2018)."""
    inner = a @ b.T
    inner /= a.shape[1]
    inner += 1.0
    return np.asarray(inner * inner * inner)


def _mean_within(a: Array) -> float:
    """The mean kernel of two different rows."""
    kernel = cubic_kernel(a, a)
    return float((kernel.sum() - np.trace(kernel)) / (len(a) * (len(a) - 1)))


def _drawn(features: Array, count: int, draws: np.random.Generator) -> Array:
    """So many of the rows, each at most once, in float64."""
    return features[draws.choice(len(features), count, replace=False)].astype(np.float64)
