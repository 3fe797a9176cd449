"""Active units: latents whose posterior mean moves with the input."""

from typing import Any

import numpy as np
import numpy.typing as npt

from vaemon import latents

Array = npt.NDArray[Any]

THRESHOLD = latents.ACTIVE_UNIT


def active_units(mu_variance: Array, threshold: float = THRESHOLD) -> npt.NDArray[np.bool_]:
    """The active units: A = Var_x(E_{z~q(z|x)}[z]) > 0.01 (Burda et al. 2016, the activity statistic).

    No complement of the inactive latents: a latent may have E[σ²] >= 0.8 and Var(μ) > 0.01 at once (in the limbo
    most do), or neither.

    Args:
        mu_variance: Var_x(μ(x)) of each latent, shape (k,); the mean of a Gaussian posterior is its E[z].
        threshold: on the activity, in units of the prior's variance.
    """
    return np.asarray(mu_variance) > threshold
