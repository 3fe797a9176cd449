"""In which order latents are listed, so that a list tells a story and does not dance.

Sleepers differ by less than the noise of a batch. A latent's place therefore moves only once its value has moved
by more than a slack (`settle`).
"""

from enum import StrEnum

import numpy as np

from vaemon.batch import Array

VARIANCE_SLACK = 0.05
"""Twice the noise of a batch of 100 on a latent's mean variance."""
KL_SLACK = 0.1
"""Nats."""


class Order(StrEnum):
    """What a list of latents is sorted by."""

    WAKE = "wake"
    """Those awake first, by the step at which they woke; then the sleepers, the most awake first."""
    VARIANCE = "variance"
    """Rising."""
    KL = "KL"
    """Falling."""
    INDEX = "index"


def settle(held: Array, now: Array, slack: float) -> Array:
    """The held values, each replaced by its present one where they differ by more than the slack.

    Args:
        held: what was held before, shape (k,); anything of another length is forgotten.
        now: present values, shape (k,), NaN where unknown.
        slack: a difference up to this is let pass.
    """
    if len(held) != len(now):
        return now
    with np.errstate(invalid="ignore"):
        moved = ~(np.abs(now - held) <= slack)
    return np.where(moved, now, held)


def sort_latents(order: Order, woke: Array, variance: Array, kl: Array) -> Array:
    """The latents' indices in that order; ties by index, unknown values last.

    Args:
        order: what to sort by.
        woke: step at which each latent woke, -1 for sleepers, shape (k,).
        variance: settled E[σ²], shape (k,).
        kl: settled KL, shape (k,).
    """
    index = np.arange(len(woke))
    asleep = woke < 0
    if order is Order.WAKE:
        return np.lexsort((index, np.where(asleep, variance, 0.0), woke, asleep))
    if order is Order.VARIANCE:
        return np.lexsort((index, variance))
    if order is Order.KL:
        return np.lexsort((index, -kl))
    return index
