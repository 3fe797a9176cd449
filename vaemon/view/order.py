"""In which order latents are listed, so that a list tells a story and does not dance.

Sleepers differ by less than the noise of a batch. A latent's place therefore moves only once its value has moved
by more than a slack (`settle`).
"""

from enum import StrEnum

import numpy as np

from vaemon.batch import Array
from vaemon.view.state import RunView, values

VARIANCE_SLACK = 0.05
"""Twice the noise of a batch of 100 on a latent's mean variance."""
KL_SLACK = 0.1
"""Nats."""
LEAST_SECONDS = 4.0
"""A list is made anew after so many seconds of the run: when training is fast, all rows would trade places at once."""
SETTLED_ROWS = 50
"""Before so many rows nothing is known well enough to be held."""


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


class Ranking:
    """Lists the latents of a run again and again, each in its place until it has really moved."""

    def __init__(self) -> None:
        """Begin without a memory."""
        self._asked: object = None
        self._listed: Array = np.zeros(0, np.int64)
        self._time = 0.0  # of the newest row when they were listed
        self._stage = 0
        self._variance: Array = np.zeros(0)
        self._kl: Array = np.zeros(0)

    def of(self, view: RunView, order: Order, pins: frozenset[int] = frozenset()) -> Array:
        """The latents of the view in that order, the pinned ones first; listed anew every few seconds of the run."""
        now = view.latest.time if view.latest is not None else 0.0
        asked = (view.stage, view.latents, order, pins, view.woke.tobytes() if order is Order.WAKE else b"")
        if asked == self._asked and 0.0 <= now - self._time < LEAST_SECONDS and view.rows > SETTLED_ROWS:
            return self._listed
        self._asked, self._time = asked, now
        self._listed = self._list(view, order, pins)
        return self._listed

    def _list(self, view: RunView, order: Order, pins: frozenset[int]) -> Array:
        if view.stage != self._stage:
            self._stage, self._variance, self._kl = view.stage, np.zeros(0), np.zeros(0)
        variance, kl = values(view)
        self._variance = settle(self._variance, variance, VARIANCE_SLACK)
        self._kl = settle(self._kl, kl, KL_SLACK)
        listed = sort_latents(order, view.woke, self._variance, self._kl)
        pinned = np.isin(listed, sorted(pins))
        return np.concatenate([listed[pinned], listed[~pinned]])
