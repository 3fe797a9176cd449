"""Ex-post renormalisation of the second stage's latents, per latent and as the published code has it.

The latents z that a second stage generates vary less than those it was trained on: "around .85" on CelebA where 1 is
expected (Asperti & Trentin 2020, section IV-B). "The simplest solution consists in normalizing the generated
latent variables, to meet the expected variance." How, the paper leaves open; the published code (asperti/BalancingVAE)
takes one factor for all latents of a batch, the functions named `published_…`.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.measures.variance_law import variance_law_as_published

Array = npt.NDArray[Any]

PUBLISHED_BATCH = 100
"""Latents that the published code generates, and renormalises, together."""
PUBLISHED_RULE = 0.25
"""It renormalises where the loss of variance is more than so many times the second stage's mse."""


def variance_shortfall(variance: Array, target: Array | float = 1.0) -> npt.NDArray[np.float64]:
    """target_i - Var[z_i]: how much of its variance each generated latent lacks (Asperti & Trentin 2020).

    Args:
        variance: Var[z_i], shape (k,).
        target: what is expected: 1, as the prior has, or each latent's own, shape (k,).
    """
    return np.asarray(target, np.float64) - np.asarray(variance, np.float64)


def renormalising_factors(variance: Array, target: Array | float = 1.0) -> npt.NDArray[np.float64]:
    """√(target_i / Var[z_i]), by which each latent is stretched to the variance expected (Asperti & Trentin 2020).

    Args:
        variance: Var[z_i], shape (k,); where it is 0 the factor is 1, for nothing makes a constant vary.
        target: as of `variance_shortfall`.
    """
    variance = np.asarray(variance, np.float64)
    target = np.broadcast_to(np.asarray(target, np.float64), variance.shape)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(variance == 0, 1.0, np.sqrt(target / variance))


def renormalise(z: Array, mean: Array, factor: Array) -> npt.NDArray[np.float32]:
    """E[z_i] + factor_i (z_i - E[z_i]): the mean of each latent stays where it was.

    Args:
        z: shape (n, k).
        mean: E[z_i], shape (k,).
        factor: shape (k,).
    """
    mean = np.asarray(mean, np.float64)
    moved: npt.NDArray[np.float64] = mean + np.asarray(factor, np.float64) * (z - mean)
    return moved.astype(np.float32)


def published_target(mu_variance: Array, mean_deviation: Array) -> float:
    """The standard deviation that the published code aims at: √ of the mean over latents of Var[μ] + E[σ].

    Args:
        mu_variance: Var_x[μ] of the first stage, shape (k,).
        mean_deviation: E_x[σ], shape (k,).
    """
    return float(np.sqrt(variance_law_as_published(mu_variance, mean_deviation).mean()))


def published_variance_loss(mu: Array, z_hat: Array) -> float:
    """(mean Var[μ] - mean Var[ẑ]) / mse(μ, ẑ): what the published code decides by.

    Where it exceeds `PUBLISHED_RULE`, latents are renormalised. A second stage that rebuilds μ exactly gives 0, one
    that gives c μ, shrunk about its mean, (1 + c) / (1 - c), and one that only adds noise less than 0.

    Args:
        mu: of the first stage, shape (n, k).
        z_hat: what the second stage makes of them, shape (n, k).
    """
    mu, z_hat = np.asarray(mu, np.float64), np.asarray(z_hat, np.float64)
    lost = mu.var(axis=0).mean() - z_hat.var(axis=0).mean()
    error = np.square(mu - z_hat).mean()
    return float(lost / error) if error else 0.0


def published_factor(z: Array, target: float) -> float:
    """The published code's one factor of a batch: target / mean over latents of the deviation of z, about zero.

    Args:
        z: one generated batch, `PUBLISHED_BATCH` of them, shape (n, k).
        target: a standard deviation, `published_target`.
    """
    deviation = float(np.asarray(z, np.float64).std(axis=0).mean())
    return target / deviation if deviation else 1.0
