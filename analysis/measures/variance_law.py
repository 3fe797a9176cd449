"""The variance law: the aggregate posterior of a latent should have mean 0 and variance 1, as the prior has."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def variance_law(mu_squared: Array, mean_variance: Array) -> npt.NDArray[np.float64]:
    """E_x[μ²] + E_x[σ²] of each latent; the prior asks 1 (Asperti & Trentin 2020, eq. 7).

    It is the second moment of the mixture E_x[N(μ(x), σ²(x))], hence its variance given E_x[μ] = 0 (eq. 6).

    Args:
        mu_squared: E_x[μ²], shape (k,).
        mean_variance: E_x[σ²], shape (k,).
    """
    return np.asarray(mu_squared, np.float64) + np.asarray(mean_variance, np.float64)


def variance_law_as_published(mu_variance: Array, mean_deviation: Array) -> npt.NDArray[np.float64]:
    """Var_x[μ] + E_x[σ] of each latent: what the published code prints as the variance law.

    It has the standard deviation where eq. 7 has the variance, and the variance of μ where eq. 7 has its second
    moment. Even where the law holds exactly it exceeds 1 (for 0 < σ < 1).

    Args:
        mu_variance: Var_x[μ], shape (k,).
        mean_deviation: E_x[σ], shape (k,).
    """
    return np.asarray(mu_variance, np.float64) + np.asarray(mean_deviation, np.float64)


class LawSummary(NamedTuple):
    """A law over all latents, as one figure and its spread."""

    mean: float
    """Mean over latents: the figure in the paper's tables."""
    deviation: float
    """mean - 1."""
    worst: float
    """The largest |law - 1| of a latent; it does not cancel, as the mean's deviation may."""


def summarize_law(law: Array) -> LawSummary:
    """The mean over latents of a variance law, and how far it is from 1 (Asperti & Trentin 2020, eq. 7).

    Args:
        law: one value a latent, shape (k,), k >= 1; NaN makes all three NaN.
    """
    law = np.asarray(law, np.float64)
    mean = float(law.mean())
    return LawSummary(mean, mean - 1.0, float(np.abs(law - 1.0).max()))


def largest_mean(mean_mu: Array) -> float:
    """The largest |E_x[μ]| of a latent; the prior asks 0 (Asperti & Trentin 2020, eq. 6).

    The law of eq. 7 is a variance only where this is small.

    Args:
        mean_mu: E_x[μ], shape (k,), k >= 1.
    """
    return float(np.abs(np.asarray(mean_mu, np.float64)).max())


def mean_share(mean_mu: Array) -> float:
    """Mean over latents of E_x[μ]²: the part of eq. 7's law that is no variance but a displaced mean.

    E[μ²] = Var[μ] + E[μ]², so this is by how much the law with E[μ²] exceeds that with Var[μ].

    Args:
        mean_mu: E_x[μ], shape (k,), k >= 1.
    """
    with np.errstate(over="ignore"):  # of means beyond 1e154
        return float(np.square(np.asarray(mean_mu, np.float64)).mean())
