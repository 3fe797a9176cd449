"""Moments of the posteriors of a data set, from its batches, in float64.

Any cut into batches, merged in any order, gives what one pass over all samples would (to rounding).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.measures.kl import gaussian_kl

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False, slots=True)
class Moments:
    """Means over `count` samples; every array has shape (k,), float64."""

    count: int
    mean_mu: Array
    """E[μ]."""
    mu_spread: Array
    """Σ (μ - E[μ])², the sum of squared deviations."""
    mu_squared: Array
    """E[μ²]."""
    mean_variance: Array
    """E[σ²]."""
    mean_deviation: Array
    """E[σ]."""
    kl: Array
    """E[KL] of each latent to N(0, 1), nats."""

    @property
    def mu_variance(self) -> Array:
        """Var[μ], of the samples as they are (divided by n, not by n - 1)."""
        return self.mu_spread / self.count


def posterior_moments(mean: Array, log_variance: Array) -> Moments:
    """The moments of one batch of Gaussian posteriors.

    Args:
        mean: μ, shape (n, k), n >= 1.
        log_variance: log σ², shape (n, k).
    """
    mean = np.asarray(mean, np.float64)
    log_variance = np.asarray(log_variance, np.float64)
    mean_mu = mean.mean(axis=0)
    with np.errstate(over="ignore", invalid="ignore"):
        return Moments(
            count=len(mean),
            mean_mu=mean_mu,
            mu_spread=np.square(mean - mean_mu).sum(axis=0),
            mu_squared=np.square(mean).mean(axis=0),
            mean_variance=np.exp(log_variance).mean(axis=0),
            mean_deviation=np.exp(0.5 * log_variance).mean(axis=0),
            kl=gaussian_kl(mean, log_variance).mean(axis=0),
        )


def merge(a: Moments, b: Moments) -> Moments:
    """The moments of two sets of samples together (Chan et al. 1979, the pairwise update).

    With δ = E_b[μ] - E_a[μ] and n = n_a + n_b: E[μ] = E_a[μ] + δ n_b / n, and the squared deviations add up with
    δ² n_a n_b / n. Nothing large is ever subtracted, whatever the mean.
    """
    share = b.count / (a.count + b.count)
    shift = b.mean_mu - a.mean_mu
    return Moments(
        count=a.count + b.count,
        mean_mu=a.mean_mu + shift * share,
        mu_spread=a.mu_spread + b.mu_spread + np.square(shift) * (a.count * share),
        mu_squared=a.mu_squared + (b.mu_squared - a.mu_squared) * share,
        mean_variance=a.mean_variance + (b.mean_variance - a.mean_variance) * share,
        mean_deviation=a.mean_deviation + (b.mean_deviation - a.mean_deviation) * share,
        kl=a.kl + (b.kl - a.kl) * share,
    )
