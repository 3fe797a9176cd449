"""The state of a latent variable from its statistics: one meaning for screen, file and report.

Everything here is arithmetic on E[σ²] (the mean posterior variance of a latent: near 0 the latent carries
information, near 1 its posterior is the prior), on the KL of the latent and on Var[μ], by which its posterior's mean
moves with the data.

    Asperti & Trentin 2020   doi:10.1109/ACCESS.2020.3034828; figs 4-6: latents are held in a limbo of variance around
                             0.8 from which, one at a time, they wake
    Burda et al. 2016        Importance Weighted Autoencoders, arXiv:1509.00519
    Dai & Wipf 2019          Diagnosing and Enhancing VAE Models, arXiv:1903.05789

Knows nothing of files or screens.
"""

from enum import IntEnum, StrEnum
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from vaemon.decay import BLOCK, RunningMeans
from vaemon.thresholds import DEFAULT, Thresholds

Array = npt.NDArray[Any]


class LatentState(IntEnum):
    """Where a latent stands."""

    COLLAPSED = 0
    LIMBO = 1
    WAKING = 2
    ACTIVE = 3


class Failure(StrEnum):
    """How the latents of a stage fail as a whole."""

    NONE = ""
    COLLAPSE = "collapse"
    """Variance to 1: all or most posteriors are the prior, whatever the data."""
    IGNORED = "ignored"
    """Variance to 0: the prior is ignored, the code is that of a plain autoencoder."""


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


def mu_variance(mean_mu: Array, mu_squared: Array) -> npt.NDArray[np.float64]:
    """Var[μ] = E[μ²] - E[μ]², for where only the two means were recorded.

    Both must first be averaged over all samples: the mean of the batches' own variances would leave out how the
    batches' means differ.

    Args:
        mean_mu: E[μ] over all samples, shape (k,).
        mu_squared: E[μ²] over the same samples, shape (k,).

    Returns:
        Shape (k,), not negative: what rounding leaves below 0 is 0. Its error is that of E[μ²], so a variance far
        below E[μ]² · 10⁻⁷ (float32 records) cannot be seen.
    """
    mean = np.asarray(mean_mu, np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        return np.asarray(np.maximum(np.asarray(mu_squared, np.float64) - mean * mean, 0.0))


def active_units(mu_variance: Array, threshold: float = DEFAULT.unit) -> npt.NDArray[np.bool_]:
    """The active units: A = Var_x(E_{z~q(z|x)}[z]) > 0.01 (Burda et al. 2016, the activity statistic).

    No complement of the inactive latents: a latent may have E[σ²] >= 0.8 and Var[μ] > 0.01 at once (in the limbo
    most do), or neither.

    Args:
        mu_variance: Var_x[μ(x)] of each latent, shape (..., k); the mean of a Gaussian posterior is its E[z].
        threshold: on the activity, in units of the prior's variance.
    """
    return np.asarray(mu_variance) > threshold


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


def vacant(mean_variance: Array, kl: Array, at: Thresholds = DEFAULT) -> npt.NDArray[np.bool_]:
    """The latents that tell nothing of the data: inactive, with a KL below `collapsed_kl`.

    Stricter than the paper's inactive, for a latent in limbo is no failure: it tells a little, and may wake. (A second
    stage of 64 latents on `shapes` had 98 % inactive for a thousand rows, .08 nats each, and came out of it.) Where
    the KL is not known, those from `collapsed` on.

    Args:
        mean_variance: smoothed E[σ²], shape (k,).
        kl: smoothed KL of each latent, nats, shape (k,).
        at: the thresholds.
    """
    beyond = np.where(np.isnan(kl), at.collapsed, at.inactive)
    return np.asarray((mean_variance >= beyond) & ~(kl >= at.collapsed_kl))


def failure(
    mean_variance: Array, kl: Array, mu_squared: Array, at: Thresholds = DEFAULT, before: Failure = Failure.NONE
) -> Failure:
    """Whether the latents fail as a whole.

    collapse: `most` of them are vacant. ignored: `most` have E[σ²] below `ignored` while E[μ²] + E[σ²] is more than
    `law` from 1 in the mean over latents. The variance alone would not do: of data on a manifold of as many dimensions
    as there are latents the optimal VAE has γ and σ² near 0 (Dai & Wipf 2019), but it keeps the law, which any weight
    on the KL enforces at the optimum (Asperti & Trentin 2020, eq. 7). A VAE of 16 latents on `shapes` with γ held at
    .01 comes to σ² = 3e-4 and a law of 5, with the computed γ to σ² >= .013 and 1.06; one of 2 latents to .002.

    Args:
        mean_variance: smoothed E[σ²], shape (k,); latents of which it is not finite take no part.
        kl: smoothed KL of each latent, nats, shape (k,).
        mu_squared: smoothed E[μ²], shape (k,); where it is nowhere known, nobody can say that the prior is ignored.
        at: the thresholds.
        before: the failure there was: it is over only where it befalls no more than `fewer`, or half of `law`.
    """
    known = np.isfinite(mean_variance)
    if not known.any():
        return before
    ends = {each: at.fewer if before is each else np.nextafter(at.most, 0) for each in Failure}
    if vacant(mean_variance, kl, at)[known].mean() > ends[Failure.COLLAPSE]:
        return Failure.COLLAPSE
    off = np.abs(np.asarray(mu_squared, np.float64) + mean_variance - 1.0)
    off = off[np.isfinite(off)]
    broken = len(off) > 0 and off.mean() > at.law / (2 if before is Failure.IGNORED else 1)
    if broken and (mean_variance[known] < at.ignored).mean() > ends[Failure.IGNORED]:
        return Failure.IGNORED
    return Failure.NONE


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
_ENDLESS = 2**40  # rows
_PIECE, _PIECE_NUMBERS = 4096, 1 << 17  # rows, and their latents, looked at together: memory is taken by them


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
        # Asleep and awake: the sign that makes a crossing a rise, and the thresholds ahead and behind, so signed.
        self._sides = np.array([[-1.0, -at.wake, -at.doze], [1.0, at.doze, at.wake]])
        self._means = RunningMeans(latents, at.smoothing)
        self._piece = min(max(_PIECE_NUMBERS // max(latents, 1), 2 * BLOCK), _PIECE)
        self._crossed = np.full(latents, _NEVER, np.int64)  # row of a crossing not yet held long enough

    def update(self, mean_variance: Array) -> list[Passage]:
        """Take further rows, shape (n, k), and tell the passages that they settle."""
        return self._take(mean_variance, max(self.at.hold, 1))

    def prime(self, awake: Array, recent: Array) -> None:
        """Go on where an earlier tracker stopped. Rows reported later may be negative: they lie in `recent`.

        Args:
            awake: which latents were awake, (k,), bool.
            recent: the last rows before the next one, (n, k); some 10 times `smoothing` of them suffice.
        """
        self.awake = np.asarray(awake, bool).copy()
        self.rows = -len(recent)
        self._take(recent, _ENDLESS)

    def _take(self, rows: Array, hold: int) -> list[Passage]:
        settled: list[tuple[int, Passage]] = []
        for first in range(0, len(rows), self._piece):
            piece = rows[first : first + self._piece]
            near = self._near(*self._means.take(piece))
            latents = np.flatnonzero(near | (self._crossed != _NEVER))
            if len(latents):
                settled += self._look(latents, self._means.means(latents), hold)
            self.rows += len(piece)
        return [passage for _, passage in sorted(settled)]

    def _near(self, low: Array, high: Array) -> npt.NDArray[np.bool_]:
        """Where bounds of the means do not rule out a crossing, (k,); 1e-9 is far above their rounding."""
        wake, doze = self.at.wake, self.at.doze
        falls = low < wake + 1e-9 * (1 + abs(wake))
        rises = high > doze - 1e-9 * (1 + abs(doze))
        return np.where(self.awake, rises, falls)

    def _look(self, latents: Array, means: Array, hold: int) -> list[tuple[int, Passage]]:
        """The passages of some latents with the rows that settle them; means: (rows, latents), overwritten."""
        sign, ahead, behind = self._sides[self.awake[latents].astype(np.intp)].T
        facing = np.multiply(means, sign, out=means)
        stirs = np.asarray((facing > ahead).any(axis=0))
        crossed = self._crossed[latents]
        pending = crossed != _NEVER
        if pending.any():
            undone = (facing <= behind).any(axis=0)
            stirs[pending] = (undone | (self.rows + len(means) - crossed >= hold))[pending]
        return [
            each for i in stirs.nonzero()[0] for each in self._follow(int(latents[i]), sign[i] * facing[:, i], hold)
        ]

    def _follow(self, latent: int, means: Array, hold: int) -> list[tuple[int, Passage]]:
        """The passages of one latent with the rows that settle them; means: (rows,)."""
        found = []
        awake, crossed = bool(self.awake[latent]), int(self._crossed[latent])
        begin, end = self.rows, self.rows + len(means)
        turns = cache(lambda awake: self._turns(means, awake))
        while True:
            crossing, undone = turns(awake)
            crossed, settled = _held(crossed, begin, crossing, undone, hold)
            if crossed == _NEVER or settled >= end:
                break
            found.append((settled, Passage(crossed, latent, not awake)))
            awake, crossed, begin = not awake, _NEVER, settled + 1
        self.awake[latent], self._crossed[latent] = awake, crossed
        return found

    def _turns(self, means: Array, awake: bool) -> tuple[Array, Array]:
        """The rows in which a latent lies beyond the threshold ahead, and those in which not beyond that behind."""
        sign, ahead, behind = self._sides[int(awake)]
        facing = sign * means
        return self.rows + np.flatnonzero(facing > ahead), self.rows + np.flatnonzero(facing <= behind)


def _held(crossed: int, start: int, crossing: Array, undone: Array, hold: int) -> tuple[int, int]:
    """The first crossing that nothing undoes within `hold` rows or up to the last, and the row that settles it.

    Args:
        crossed: row of an earlier crossing, or `_NEVER`.
        start: the row to begin at.
        crossing: rows in which a crossing may begin, in order.
        undone: rows that undo one begun before them, in order; a new one may begin at once.
        hold: rows that a crossing must last, at least 1.
    """
    undone = np.append(undone, -_NEVER)
    if crossed != _NEVER:
        back = int(undone[np.searchsorted(undone, start)])
        if back > max(crossed + hold - 1, start):
            return crossed, max(crossed + hold - 1, start)
        start = back
    begun = crossing[np.searchsorted(crossing, start) :]
    holds = undone[np.searchsorted(undone, begun, "right")] - begun >= hold
    if not holds.any():
        return _NEVER, start
    first = int(begun[np.argmax(holds)])
    return first, first + hold - 1
