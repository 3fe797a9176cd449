"""The KL divergence of a Gaussian posterior to the standard normal prior."""

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def gaussian_kl(mean: Array, log_variance: Array) -> npt.NDArray[np.float64]:
    """KL(N(μ, σ²) || N(0, 1)) = ½(μ² + σ² - log σ² - 1), in nats (Asperti & Trentin 2020, eq. 4).

    Args:
        mean: μ, any shape.
        log_variance: log σ², of the same shape; -inf (σ = 0) gives inf.

    Returns:
        One value an element, not negative. Near the prior it is computed as ½(μ² + (eᵗ - 1 - t)), t = log σ²,
        which does not lose the digits that σ² - 1 would cancel.
    """
    mean = np.asarray(mean, np.float64)
    log_variance = np.asarray(log_variance, np.float64)
    with np.errstate(over="ignore"):  # what is too large is infinitely far
        return np.asarray(0.5 * (mean * mean + _exp_beyond_line(log_variance)))


def _exp_beyond_line(t: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """eᵗ - 1 - t, without cancellation: its Taylor series where |t| is small."""
    with np.errstate(over="ignore", invalid="ignore"):  # of the branch not taken
        far = np.expm1(t) - t
        near = t * t * (0.5 + t * (1 / 6 + t * (1 / 24 + t / 120)))
    return np.where(np.abs(t) < 1e-3, near, far)
