"""Active, mixed and passive variables: the polarised regime of a VAE."""

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

NEAR = 0.1
"""How far E_x[σ²] of an active variable may be from 0, and of a passive one from 1."""
SPREAD = 0.1
"""Below this lies Var_x(σ²) of active and of passive variables."""


def variable_kinds(
    mean_variance: Array, variance_variance: Array, near: float = NEAR, spread: float = SPREAD
) -> npt.NDArray[np.str_]:
    """Whether each latent is an "active", a "passive" or a "mixed" variable.

    In the polarised regime (Rolinek et al. 2019) a latent is active, σ² far below 1 for every sample, or
    passive, σ² near 1 with μ near 0. A mixed variable is active for some samples and passive for others (Bonheme &
    Grzes 2021). The rule is the one by which the code of Bonheme & Grzes tells them apart, with its thresholds:

        active    E_x[σ²] <= near        and  Var_x(σ²) < spread
        passive   |E_x[σ²] - 1| <= near  and  Var_x(σ²) < spread
        mixed     all others

    By it a latent with σ² = ½ on every sample is mixed, too, though it is passive nowhere. As σ² is seldom above 1,
    its variance seldom passes .1, and E_x[σ²] decides.

    Args:
        mean_variance: E_x[σ²(x)], shape (k,).
        variance_variance: Var_x(σ²(x)), shape (k,).
        near: see there.
        spread: see there.

    Returns:
        Shape (k,), words; empty where either is NaN.
    """
    mean, variance = np.asarray(mean_variance), np.asarray(variance_variance)
    steady = variance < spread
    kinds = np.where(steady & (mean <= near), "active", "mixed")
    kinds = np.where(steady & (np.abs(mean - 1.0) <= near), "passive", kinds)
    return np.where(np.isnan(mean) | np.isnan(variance), "", kinds)
