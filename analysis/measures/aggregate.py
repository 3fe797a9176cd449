"""The aggregate posterior q(z) = E_x[N(μ(x), σ²(x))] against the prior N(0, I), by its first two moments.

It is a mixture of as many Gaussians as there are samples. What is told here is of the one Gaussian that has its mean
and covariance: KL(q || p) is never less than that Gaussian's (the difference is KL of q to it), so what is found far
from the prior here is far from it, but not the other way round. Skewness and kurtosis (`moments.py`) show more.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.measures.kl import gaussian_kl

Array = npt.NDArray[Any]


def aggregate_covariance(mu_covariance: Array, mean_variance: Array) -> npt.NDArray[np.float64]:
    """Cov(z) = Cov_x(μ) + diag(E_x[σ²]), the law of total covariance.

    Its diagonal is the variance that eq. 6 of Asperti & Trentin (2020) asks to be 1.

    Args:
        mu_covariance: Cov_x(μ), shape (k, k).
        mean_variance: E_x[σ²], shape (k,).
    """
    return np.asarray(mu_covariance, np.float64) + np.diag(np.asarray(mean_variance, np.float64))


def correlations(covariance: Array) -> npt.NDArray[np.float64]:
    """Pearson's ρ_ij = C_ij / √(C_ii C_jj).

    Args:
        covariance: C, shape (k, k).

    Returns:
        Shape (k, k), 1 on the diagonal; 0 beside it for a latent without variance, which is correlated with nothing.
    """
    covariance = np.asarray(covariance, np.float64)
    deviation = np.sqrt(np.diag(covariance))
    divisor = np.where(deviation == 0, 1.0, deviation)
    with np.errstate(invalid="ignore"):  # of infinite ones
        scaled = covariance / divisor / divisor[:, None]
    np.fill_diagonal(scaled, 1.0)
    return scaled


def largest_correlation(covariance: Array) -> float:
    """The largest |ρ_ij|, i ≠ j; the prior asks 0. NaN of fewer than two latents.

    Of μ it is larger than of z wherever E_x[σ²] is not 0: the mean representation is the more correlated (Bonheme &
    Grzes 2021).

    Args:
        covariance: shape (k, k).
    """
    beside = np.abs(correlations(covariance))[~np.eye(len(covariance), dtype=bool)]
    return float(beside.max()) if len(beside) else float("nan")


def total_correlation(covariance: Array) -> float:
    """½ (Σ_i log C_ii - log det C) = -½ log det ρ, nats: total correlation of a Gaussian (Watanabe 1960).

    How far the latents are from independent; the prior asks 0. It is the same of latents that are scaled.

    Args:
        covariance: C, shape (k, k).

    Returns:
        Not negative; infinite where some latents follow from others, NaN where a covariance is.
    """
    rho = correlations(covariance)
    if np.isnan(rho).any():
        return float("nan")
    try:
        root = np.linalg.cholesky(rho)
    except np.linalg.LinAlgError:
        return float("inf")
    return max(0.0, -float(np.log(np.diag(root)).sum()))


def chance_correlation(mu_covariance: Array, mean_variance: Array, samples: int) -> float:
    """The total correlation to expect of so many samples if the latents were independent, nats.

    An estimated correlation of independent values has variance 1/n, and -½ log det ρ is Σ_{i<j} ρ_ij²/2 where ρ is
    small. Only μ is estimated from samples: with a_i = Var(μ_i) / Var(z_i), E[ρ_ij²] = a_i a_j / n.

    Args:
        mu_covariance: Cov_x(μ), shape (k, k).
        mean_variance: E_x[σ²], shape (k,).
        samples: n.
    """
    of_mu = np.diag(np.asarray(mu_covariance, np.float64))
    of_z = of_mu + mean_variance
    with np.errstate(invalid="ignore"):  # of infinite ones
        share = np.divide(of_mu, of_z, out=np.zeros_like(of_mu), where=of_z != 0)
    return float(share.sum() ** 2 - np.square(share).sum()) / (4 * samples)


def marginal_kl(mean: Array, variance: Array) -> npt.NDArray[np.float64]:
    """KL(N(m_i, v_i) || N(0, 1)) = ½ (m² + v - log v - 1) of each latent's aggregate, nats (eq. 4 with its moments).

    Args:
        mean: m, shape (k,).
        variance: v, shape (k,); 0 gives inf.
    """
    with np.errstate(divide="ignore"):
        return gaussian_kl(mean, np.log(np.asarray(variance, np.float64)))


def kl_to_prior(mean: Array, covariance: Array) -> float:
    """KL(N(m, C) || N(0, I)) = ½ (tr C + |m|² - k - log det C), nats.

    Taken as the sum of `marginal_kl` over the latents and `total_correlation`, which it splits into exactly.

    Args:
        mean: m, shape (k,).
        covariance: C, shape (k, k).
    """
    return float(marginal_kl(mean, np.diag(covariance)).sum()) + total_correlation(covariance)
