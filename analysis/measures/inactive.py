"""Inactive latents as the published code counts them; as the paper does, `vaemon.latents.inactive`."""

from typing import Any

import numpy as np
import numpy.typing as npt

from vaemon.thresholds import DEFAULT

Array = npt.NDArray[Any]


def inactive_as_published(mean_deviation: Array, threshold: float = DEFAULT.inactive) -> npt.NDArray[np.bool_]:
    """The published code's inactive latents: E_x[σ] > 0.8.

    The code of Asperti & Trentin (asperti/BalancingVAE) averages exp(log σ), the standard deviation, where the
    paper's footnote 3 has the variance. As σ >= σ² wherever σ <= 1, this counts at least as many.

    Args:
        mean_deviation: E_x[σ(x)] of each latent, shape (k,); NaN counts as not inactive.
        threshold: on E_x[σ], the prior's deviation being 1.

    Returns:
        Yes or no of each, shape (k,).
    """
    return np.asarray(mean_deviation) > threshold
