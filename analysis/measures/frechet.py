"""The Fréchet distance between two Gaussians, exact also where their covariances are singular."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.linalg import lapack, svdvals

from analysis.measures.features import FeatureStatistics, same_width
from vaemon.errors import VaemonError

Array = npt.NDArray[Any]

NOISE = 1e-13
"""Pivots of a correlation matrix up to here are zeros: sums over features leave 1e-14 of them by rounding."""

NO_COVARIANCE = -1e-3
"""What is left of a correlation matrix's diagonal, where no rounding explains it, float32's neither."""


def frechet_distance(a: FeatureStatistics, b: FeatureStatistics) -> float:
    """‖μ_a - μ_b‖² + tr(Σ_a + Σ_b - 2 (Σ_a Σ_b)^½), the FID where the features are Inception's (Heusel et al. 2017).

    It is the square of the 2-Wasserstein distance of the two Gaussians (Dowson & Landau 1982). The covariances are
    taken as they are: nothing is added to a diagonal. Exact to rounding, also with fewer images than features, where
    the usual forms by the eigenvalues or the root of Σ_a Σ_b lose half of the digits.

    Returns:
        Not negative: less than zero by rounding is zero. Exactly 0 of equal statistics.

    Raises:
        UsageError: the two are of different features.
        VaemonError: a covariance is none.
    """
    same_width(a.mean, b.mean)
    if np.array_equal(a.mean, b.mean) and np.array_equal(a.covariance, b.covariance):
        covariance_root(a.covariance)  # which refuses what is none
        return 0.0
    return distance_of_roots(a, covariance_root(a.covariance), b, covariance_root(b.covariance))


@np.errstate(over="ignore", invalid="ignore")  # what becomes infinite is refused
def distance_of_roots(a: FeatureStatistics, root_a: Array, b: FeatureStatistics, root_b: Array) -> float:
    """The same with the roots of both covariances at hand: one set is often compared with many.

    With Σ_a = R Rᵀ and Σ_b = S Sᵀ, the eigenvalues of Σ_a Σ_b are the squares of the singular values of RᵀS, and zeros;
    hence tr (Σ_a Σ_b)^½ is their sum. No square root is taken of what rounding has left of a zero.

    Args:
        a: one set.
        root_a: R, of `covariance_root`.
        b: the other.
        root_b: S.

    Raises:
        VaemonError: the numbers are too large to be computed with.
    """
    apart = a.mean - b.mean
    trace = np.trace(a.covariance) + np.trace(b.covariance)
    shared = root_a.T @ root_b
    common = svdvals(shared, overwrite_a=True, check_finite=False).sum() if shared.size else 0.0
    found = float(apart @ apart + trace - 2 * common)
    if not math.isfinite(found):
        raise VaemonError("these statistics have numbers too large to be compared; compute them anew")
    return max(0.0, found)


@np.errstate(over="ignore", invalid="ignore")
def covariance_root(covariance: Array) -> Array:
    """R of full column rank with R Rᵀ = Σ: Cholesky with complete pivoting (LAPACK's dpstrf; Higham 1990).

    It is done on the correlation matrix, since rounding errs in proportion to the deviations of the two features: so
    what is noise can be told from a small variance.

    Args:
        covariance: Σ, (d, d), symmetric, positive semidefinite to rounding.

    Returns:
        (d, r), r the rank; r is 0 where nothing varies.

    Raises:
        VaemonError: it is not positive semidefinite.
    """
    width = len(covariance)
    variance = np.diagonal(covariance)
    deviation = np.sqrt(np.where(variance > 0, variance, 1.0))
    correlation = np.divide(covariance, deviation, order="F")
    correlation /= deviation[:, None]
    noise = max(NOISE, width * np.finfo(np.float64).eps)
    factor, order, rank, _ = lapack.dpstrf(correlation, tol=noise, lower=True, overwrite_a=True)
    root = np.empty((width, rank))
    root[order - 1] = np.tril(factor[:, :rank])
    left = np.where(variance > 0, 1.0, variance) - np.square(root).sum(axis=1)
    if not left.min(initial=0.0) >= NO_COVARIANCE:  # NaN, of what was infinite, fails too
        raise VaemonError(
            "these statistics have a covariance that is none (not positive semidefinite); compute them anew"
        )
    return np.asarray(root * deviation[:, None])
