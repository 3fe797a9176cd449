"""Posterior collapse and an ignored prior, found in the rows of a stage as they come.

Rows are looked at in spans of 32, counted from the first of the stage: how they are cut into calls makes no difference,
and a tracker that begins in the middle sees the same spans.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from vaemon.latents import Failure, failure, vacant
from vaemon.thresholds import DEFAULT, Thresholds

Array = npt.NDArray[Any]

JUDGED_BY = ("mean_variance", "latent_kl", "mu_squared")
"""The channels that a failure is seen in."""
SPAN = 32
"""Rows whose mean is judged; it takes the noise of a batch away as well as the smoothing does."""
_PIECE, _PIECE_NUMBERS = 8 * SPAN, 1 << 16  # rows, and their latents, looked at together: memory is taken by them
_ENDLESS = 2**40  # spans


class Turn(NamedTuple):
    """A failure that began, or was over."""

    row: int
    """The row of the stage that settled it."""
    failure: Failure
    """NONE: it is over."""
    means: tuple[Array, Array, Array]
    """Of `JUDGED_BY`, over the span that settled it, each (k,)."""


class FailureTracker:
    """Follows how the latents of one stage fare as a whole.

    A failure begins once it has lasted for `lasting` rows, and is over once it has not been there for as many. In the
    first `grace` rows only a collapse of latents that had been well counts: for `lasting` rows some latent was below
    `wake`, and no more than `fewer` were vacant.
    """

    def __init__(self, latents: int, at: Thresholds = DEFAULT, row: int = 0) -> None:
        """Begin at a row of the stage."""
        self.at = at
        self.row = row
        """The row of the stage that comes next."""
        self.failure = Failure.NONE
        self._lasting = max(-(-at.lasting // SPAN), 1)  # spans
        self._well = 0  # spans
        self._verdict = Failure.NONE
        self._spans = 0  # in succession that another verdict has stood
        self._skip = -row % SPAN
        self._piece = min(max(_PIECE_NUMBERS // max(latents, 1), SPAN), _PIECE)
        self._open = np.zeros((len(JUDGED_BY), 0, latents))

    def update(self, rows: Mapping[str, Array]) -> list[Turn]:
        """Take further rows of the channels of `JUDGED_BY`, each (n, k), and tell the turns that they settle."""
        return list(self._take(rows, self._lasting))

    def prime(self, failure: Failure, recent: Mapping[str, Array]) -> None:
        """Go on where an earlier tracker stopped.

        Args:
            failure: how things stood then.
            recent: rows up to where it stopped, from the one that this tracker begins at; `lasting` and two spans of
                them suffice.
        """
        self.failure = failure
        list(self._take(recent, _ENDLESS))

    def _take(self, rows: Mapping[str, Array], lasting: int) -> Iterator[Turn]:
        for first in range(0, len(rows[JUDGED_BY[0]]), self._piece):
            piece = np.stack([rows[name][first : first + self._piece] for name in JUDGED_BY])
            self.row += piece.shape[1]
            skipped = min(self._skip, piece.shape[1])
            self._skip -= skipped
            held = np.concatenate([self._open, piece[:, skipped:]], axis=1, dtype=np.float64)
            whole = held.shape[1] // SPAN * SPAN
            self._open = held[:, whole:].copy()
            end = self.row - self._open.shape[1] - whole
            for means in _means(held[:, :whole]):
                end += SPAN
                if self._judge(means, end, lasting):
                    yield Turn(end - 1, self.failure, means)

    def _judge(self, means: tuple[Array, Array, Array], rows: int, lasting: int) -> bool:
        """Whether a span that ends after so many rows of the stage brings a turn."""
        variance, kl, mu_squared = means
        known = np.isfinite(variance)
        if known.any() and self._well < self._lasting:
            well = (variance < self.at.wake).any() and vacant(variance, kl, self.at)[known].mean() <= self.at.fewer
            self._well = self._well + 1 if well else 0
        verdict = failure(variance, kl, mu_squared, self.at, self.failure)
        if verdict is not self.failure and not self._counts(verdict, rows):
            verdict = Failure.NONE
        self._spans = self._spans + 1 if verdict is self._verdict else 1
        self._verdict = verdict
        if verdict is self.failure or self._spans < lasting:
            return False
        self.failure = verdict
        return True

    def _counts(self, verdict: Failure, rows: int) -> bool:
        was_well = verdict is Failure.COLLAPSE and self._well >= self._lasting
        return verdict is Failure.NONE or rows >= self.at.grace or was_well


def _means(rows: Array) -> Iterator[tuple[Array, Array, Array]]:
    """Means of the finite values of each span, of each channel; rows: (channels, rows, k)."""
    for first in range(0, rows.shape[1], SPAN):
        span = rows[:, first : first + SPAN]
        finite = np.isfinite(span)
        count = finite.sum(axis=1)
        with np.errstate(invalid="ignore"):
            variance, kl, mu_squared = np.where(finite, span, 0.0).sum(axis=1) / np.where(count, count, np.nan)
        yield variance, kl, mu_squared
