"""Histograms as the figures of a distribution: what of them becomes channels."""

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

FIGURES = ("min", "q05", "q50", "q95", "max", "mean", "std")
"""Smallest value, 5 % quantile, median, 95 % quantile, largest value, mean, standard deviation."""
QUANTILES = (0.05, 0.5, 0.95)


@np.errstate(all="ignore")  # what is asked of infinite counts and limits is what comes of it
def of_message(histogram: Any) -> Array | None:
    """The figures of a histogram as tf.Summary has it, which tells all but the quantiles exactly; None of an empty one.

    Returns:
        FIGURES, (7,).
    """
    counts, limits = np.array(histogram.bucket), np.array(histogram.bucket_limit)
    if not histogram.num > 0 or not len(counts) or len(counts) != len(limits):
        return None
    low, high = histogram.min, histogram.max
    mean = histogram.sum / histogram.num
    spread = max(histogram.sum_squares / histogram.num - mean**2, 0.0) ** 0.5
    edges = np.clip(np.concatenate([[low], limits]), low, high)
    return np.array([low, *_quantiles(edges[:-1], edges[1:], counts), high, mean, spread])


@np.errstate(all="ignore")
def of_buckets(buckets: Array) -> Array | None:
    """The figures of buckets, (n, 3): left edge, right edge, count, the values of each being spread evenly.

    Returns:
        FIGURES, (7,); None where nothing was counted.
    """
    if buckets.ndim != 2 or buckets.shape[1] != 3:
        return None
    left, right, counts = buckets[buckets[:, 2] > 0].T.astype(np.float64)
    total = counts.sum()
    if not total > 0:
        return None
    centre = (left + right) / 2
    mean = float((counts * centre).sum() / total)
    variance = float((counts * ((centre - mean) ** 2 + (right - left) ** 2 / 12)).sum() / total)
    return np.array([left[0], *_quantiles(left, right, counts), right[-1], mean, variance**0.5])


def _quantiles(left: Array, right: Array, counts: Array) -> Array:
    """Where so much of the counts lies below, the values of each bucket being spread evenly over it."""
    below = np.concatenate([[0.0], np.cumsum(counts)])
    wanted = np.array(QUANTILES) * below[-1]
    at = np.clip(np.searchsorted(below, wanted, side="right") - 1, 0, len(counts) - 1)
    share = np.divide(wanted - below[at], counts[at], out=np.zeros(len(at)), where=counts[at] > 0)
    return np.asarray(left[at] + np.clip(share, 0, 1) * (right[at] - left[at]))
