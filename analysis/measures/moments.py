"""Moments of the posteriors of a data set, from its batches, in float64.

Any cut into batches, merged in any order, gives what one pass over all samples would (to rounding).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.measures.collapse import EPSILON, share_near_prior
from analysis.measures.kl import gaussian_kl

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False, slots=True)
class Moments:
    """Means over `count` samples; arrays have shape (k,) where nothing else is said, float64."""

    count: int
    mean_mu: Array
    """E[μ]."""
    mu_scatter: Array
    """Σ (μ - E[μ])(μ - E[μ])ᵀ, the sum of products of deviations, shape (k, k)."""
    mu_squared: Array
    """E[μ²]."""
    mean_variance: Array
    """E[σ²]."""
    variance_spread: Array
    """Σ (σ² - E[σ²])²."""
    mean_deviation: Array
    """E[σ]."""
    kl: Array
    """E[KL] of each latent to N(0, 1), nats."""
    near_prior: Array
    """Share of the samples whose KL is below ε."""
    cubes: Array
    """Σ E[(z - E[z])³ | x]."""
    fourths: Array
    """Σ E[(z - E[z])⁴ | x]."""

    @property
    def mu_covariance(self) -> Array:
        """Cov[μ], (k, k), of the samples as they are (divided by n, not by n - 1)."""
        return self.mu_scatter / self.count

    @property
    def mu_variance(self) -> Array:
        """Var[μ], likewise."""
        return np.diag(self.mu_scatter) / self.count

    @property
    def variance_variance(self) -> Array:
        """Var[σ²], likewise."""
        return self.variance_spread / self.count

    @property
    def z_squares(self) -> Array:
        """Σ E[(z - E[z])² | x]."""
        return np.asarray(np.diag(self.mu_scatter) + self.count * self.mean_variance)

    @property
    def skewness(self) -> Array:
        """E[(z - E[z])³] / Var[z]^1.5 of the aggregate posterior; the prior has 0. NaN without variance."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(self.cubes / self.count / (self.z_squares / self.count) ** 1.5)

    @property
    def kurtosis(self) -> Array:
        """E[(z - E[z])⁴] / Var[z]² - 3 of the aggregate posterior; the prior has 0. NaN without variance."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(self.fourths * self.count / self.z_squares**2 - 3.0)


def posterior_moments(mean: Array, log_variance: Array, epsilon: float = EPSILON) -> Moments:
    """The moments of one batch of Gaussian posteriors.

    Args:
        mean: μ, shape (n, k), n >= 1.
        log_variance: log σ², shape (n, k).
        epsilon: nats; of `near_prior`.
    """
    mean = np.asarray(mean, np.float64)
    log_variance = np.asarray(log_variance, np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        mean_mu = mean.mean(axis=0)
        off = mean - mean_mu
        variance = np.exp(log_variance)
        kl = gaussian_kl(mean, log_variance)
        return Moments(
            count=len(mean),
            mean_mu=mean_mu,
            mu_scatter=off.T @ off,
            mu_squared=np.square(mean).mean(axis=0),
            mean_variance=variance.mean(axis=0),
            variance_spread=np.square(variance - variance.mean(axis=0)).sum(axis=0),
            mean_deviation=np.exp(0.5 * log_variance).mean(axis=0),
            kl=kl.mean(axis=0),
            near_prior=share_near_prior(kl, epsilon),
            # Of a Gaussian about a point at distance d: d³ + 3 d σ², and d⁴ + 6 d² σ² + 3 σ⁴.
            cubes=(off**3 + 3 * off * variance).sum(axis=0),
            fourths=(off**4 + 6 * off**2 * variance + 3 * variance**2).sum(axis=0),
        )


def merge(a: Moments, b: Moments) -> Moments:
    """The moments of two sets of samples together (Chan et al. 1979, the pairwise update; Pébay 2008 beyond squares).

    With δ = E_b[μ] - E_a[μ] and n = n_a + n_b: E[μ] = E_a[μ] + δ n_b / n, and the products of deviations add up with
    δ δᵀ n_a n_b / n. Nothing large is ever subtracted, whatever the mean.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # of what is infinite
        count = a.count + b.count
        share = b.count / count
        shift = b.mean_mu - a.mean_mu
        widened = b.mean_variance - a.mean_variance

        def together(of_a: Array, of_b: Array) -> Array:
            return np.asarray(of_a * (1 - share) + of_b * share)  # a difference of two infinite KLs would be NaN

        cubes, fourths = _higher(a, b, shift)
        return Moments(
            count=count,
            mean_mu=a.mean_mu + shift * share,
            mu_scatter=a.mu_scatter + b.mu_scatter + np.outer(shift, shift) * (a.count * share),
            mu_squared=together(a.mu_squared, b.mu_squared),
            mean_variance=together(a.mean_variance, b.mean_variance),
            variance_spread=a.variance_spread + b.variance_spread + np.square(widened) * (a.count * share),
            mean_deviation=together(a.mean_deviation, b.mean_deviation),
            kl=together(a.kl, b.kl),
            near_prior=together(a.near_prior, b.near_prior),
            cubes=cubes,
            fourths=fourths,
        )


def _higher(a: Moments, b: Moments, shift: Array) -> tuple[Array, Array]:
    """The sums of third and fourth powers of deviations together (Pébay 2008, the pairwise formulas)."""
    p, q = a.count / (a.count + b.count), b.count / (a.count + b.count)
    both = a.count * q
    cubes = a.cubes + b.cubes + shift**3 * (both * (p - q)) + 3 * shift * (p * b.z_squares - q * a.z_squares)
    fourths = (
        a.fourths
        + b.fourths
        + shift**4 * (both * (p * p - p * q + q * q))
        + 6 * shift**2 * (p * p * b.z_squares + q * q * a.z_squares)
        + 4 * shift * (p * b.cubes - q * a.cubes)
    )
    return cubes, fourths
