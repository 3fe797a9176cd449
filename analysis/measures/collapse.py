"""Posterior collapse of a latent, judged sample by sample."""

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

EPSILON = 0.01
"""Nats; vaemon's choice: where the dashboard's `collapsed` begins."""
DELTA = 0.01
"""Vaemon's choice: a latent may differ from the prior on one sample of a hundred."""


def share_near_prior(kl: Array, epsilon: float = EPSILON) -> npt.NDArray[np.float64]:
    """P_x[KL(q(z_i|x) || p(z_i)) < ε] of each latent, over the samples there are (Lucas et al. 2019).

    Args:
        kl: of each sample and latent, nats, shape (n, k), n >= 1.
        epsilon: nats.

    Returns:
        Shape (k,), from 0 to 1; NaN where a sample's KL is.
    """
    kl = np.asarray(kl)
    return np.where(np.isnan(kl).any(axis=0), np.nan, (kl < epsilon).mean(axis=0))


def collapsed(share: Array, delta: float = DELTA) -> npt.NDArray[np.bool_]:
    """The (ε, δ)-collapsed latents: P_x[KL(q(z_i|x) || p(z_i)) < ε] >= 1 - δ (Lucas et al. 2019).

    Stricter than a mean KL below ε in that a latent used by few samples has not collapsed, and laxer in that those
    few may be passed over.

    Args:
        share: the probability on the left, shape (k,); NaN counts as not collapsed.
        delta: from 0 to 1.
    """
    # A share is a ratio of whole numbers: 99 of 100 must not fail for the rounding of 1 - δ.
    return np.asarray(share) >= 1.0 - delta - 1e-12
