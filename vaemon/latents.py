"""The state of a latent variable from its statistics: one meaning for screen, file and report.

Everything here is arithmetic on E[σ²] (the mean posterior variance of a latent: near 0 the latent carries
information, near 1 its posterior is the prior) and on the KL of the latent. Asperti & Trentin (2020,
doi:10.1109/ACCESS.2020.3034828), figs 4-6: latents are held in a limbo of variance around 0.8 from which, one at a
time, they wake.

Knows nothing of files or screens.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where the states of a latent begin and end."""

    inactive: float = 0.8
    """Asperti & Trentin 2020, footnote 3: inactive where E[σ²] >= 0.8."""
    wake: float = 0.3
    """A sleeping latent whose smoothed E[σ²] falls below this, and stays, has woken."""
    doze: float = 0.5
    """A latent below this is on its way; an active one that rises above it, and stays, has fallen asleep."""
    collapsed: float = 0.97
    """From here on, with next to no KL, the posterior is the prior."""
    collapsed_kl: float = 0.01
    """Nats."""
    hold: int = 25
    """Rows that a passage must last before it counts."""
    smoothing: float = 25.0
    """Rows; a batch of 100 leaves a noise of .027 on a latent's mean variance."""


DEFAULT = Thresholds()


class LatentState(IntEnum):
    """Where a latent stands."""

    COLLAPSED = 0
    LIMBO = 1
    WAKING = 2
    ACTIVE = 3


class Passage(NamedTuple):
    """A latent that woke, or fell asleep."""

    row: int
    """Which of the rows given to the tracker, counted from its first ever."""
    latent: int
    woke: bool
    """True: woke. False: fell asleep."""


def inactive(mean_variance: Array, threshold: float = DEFAULT.inactive) -> npt.NDArray[np.bool_]:
    """The paper's inactive latents: E[σ²] >= 0.8 (Asperti & Trentin 2020, footnote 3).

    Args:
        mean_variance: E[σ²] of each latent, shape (..., k).
        threshold: on E[σ²], the prior's variance being 1.
    """
    return np.asarray(mean_variance) >= threshold


def states(mean_variance: Array, kl: Array, awake: Array, at: Thresholds = DEFAULT) -> npt.NDArray[np.int8]:
    """The state of each latent, as `LatentState` values.

    active: below `wake`, or awake and not yet above `doze` (hysteresis). waking: below `doze`. collapsed: at
    `collapsed` or above with a KL below `collapsed_kl`. limbo: all others, NaN included.

    Args:
        mean_variance: smoothed E[σ²], shape (k,).
        kl: smoothed KL of each latent, nats, shape (k,).
        awake: whether each latent has woken and not fallen asleep since, shape (k,), bool.
        at: the thresholds.
    """
    result = np.full(len(mean_variance), LatentState.LIMBO, np.int8)
    result[mean_variance < at.doze] = LatentState.WAKING
    result[(mean_variance < at.wake) | (awake & (mean_variance <= at.doze))] = LatentState.ACTIVE
    result[(mean_variance >= at.collapsed) & (kl < at.collapsed_kl)] = LatentState.COLLAPSED
    return result


def smooth(rows: Array, window: float = DEFAULT.smoothing) -> Array:
    """The debiased exponential mean of the rows at the last of them; non-finite values are passed over.

    Args:
        rows: shape (n, ...), oldest first.
        window: rows over which a value's weight falls by e, at least 1.

    Returns:
        Shape (...); NaN where no row has a finite value.
    """
    rows = np.asarray(rows, dtype=np.float64)
    decay = 1.0 - 1.0 / window
    weight = decay ** np.arange(len(rows) - 1, -1, -1.0)
    shaped = weight.reshape(-1, *(1,) * (rows.ndim - 1))
    finite = np.isfinite(rows)
    total = np.where(finite, shaped, 0.0).sum(axis=0)
    with np.errstate(invalid="ignore"):
        return np.asarray((np.where(finite, rows, 0.0) * shaped).sum(axis=0) / np.where(total > 0, total, np.nan))


_NEVER = -(2**62)


class WakeTracker:
    """Finds wakes and falls asleep in a stream of E[σ²] rows, in the order they come.

    A latent is asleep until its smoothed variance falls below `wake` and stays below `doze` for `hold` rows; it
    is awake until the variance rises above `doze` and stays above `wake` for `hold` rows. The row reported is
    that of the crossing. How the rows are cut into calls makes no difference.
    """

    def __init__(self, latents: int, at: Thresholds = DEFAULT) -> None:
        self.at = at
        self.rows = 0
        """Rows seen."""
        self.awake = np.zeros(latents, bool)
        self._sum = np.zeros(latents)
        self._weight = np.zeros(latents)
        self._crossed = np.full(latents, _NEVER, np.int64)  # row of a crossing not yet held long enough

    def update(self, mean_variance: Array) -> list[Passage]:
        """Take further rows, shape (n, k), and tell the passages that they settle."""
        passages: list[Passage] = []
        for row in np.asarray(mean_variance, dtype=np.float64):
            self._take(row)
            passages.extend(self._settled())
        return passages

    def prime(self, awake: Array, recent: Array) -> None:
        """Go on where an earlier tracker stopped. Rows reported later may be negative: they lie in `recent`.

        Args:
            awake: which latents were awake, (k,), bool.
            recent: the last rows before the next one, (n, k); some 10 times `smoothing` of them suffice.
        """
        self.awake = np.asarray(awake, bool).copy()
        self.rows = -len(recent)
        for row in np.asarray(recent, dtype=np.float64):
            self._take(row)

    def _take(self, row: Array) -> None:
        finite = np.isfinite(row)
        decay = 1.0 - 1.0 / self.at.smoothing
        self._sum = np.where(finite, self._sum * decay + np.where(finite, row, 0.0), self._sum)
        self._weight = np.where(finite, self._weight * decay + 1.0, self._weight)
        with np.errstate(invalid="ignore"):
            value = self._sum / np.where(self._weight > 0, self._weight, np.nan)
        crossing = np.where(self.awake, value > self.at.doze, value < self.at.wake)
        undone = np.where(self.awake, value <= self.at.wake, value >= self.at.doze)
        self._crossed[undone] = _NEVER
        self._crossed[crossing & (self._crossed == _NEVER)] = self.rows
        self.rows += 1

    def _settled(self) -> list[Passage]:
        held = (self._crossed != _NEVER) & (self.rows - self._crossed >= self.at.hold)
        if not held.any():
            return []
        found = [Passage(int(self._crossed[i]), int(i), not self.awake[i]) for i in np.flatnonzero(held)]
        self.awake[held] ^= True
        self._crossed[held] = _NEVER
        return sorted(found)
