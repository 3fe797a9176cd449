"""Latent walls of several runs side by side, each pressed into the room it has. Pure: arrays and a size to a grid."""

from typing import Any

import numpy as np
import numpy.typing as npt

from vaemon.watch.render import heat
from vaemon.watch.render.cells import Grid
from vaemon.watch.render.overlay import resample

Array = npt.NDArray[Any]


def bands(variance: Array, order: Array, count: int) -> Array:
    """The latents in that order pressed into, or spread over, `count` bands: the mean of those that share one.

    Args:
        variance: E[σ²], shape (n, k), NaN where unknown.
        order: the latents, the first at the top, shape (m,).
        count: how many bands.

    Returns:
        Shape (n, count).
    """
    sorted_ = variance[:, order]
    starts = np.arange(count) * len(order) // count
    ends = np.maximum((np.arange(count) + 1) * len(order) // count, starts + 1)
    known = np.isfinite(sorted_)
    nothing = np.zeros((len(variance), 1))
    total = np.concatenate([nothing, np.cumsum(np.where(known, sorted_, 0.0), axis=1)], axis=1)
    weight = np.concatenate([nothing, np.cumsum(known, axis=1)], axis=1)
    weight = weight[:, ends] - weight[:, starts]
    return np.asarray((total[:, ends] - total[:, starts]) / np.where(weight > 0, weight, np.nan))


def wall_grid(
    edges: Array, variance: Array, order: Array, stretch: tuple[float, float], size: tuple[int, int], *, shaded: bool
) -> Grid:
    """One wall, in the inks of `heat.INKS`.

    Args:
        edges: places of the edges between columns on the time axis, shape (n + 1,).
        variance: E[σ²] of each column, shape (n, k).
        order: the latents, the first at the top.
        stretch: the ends of the time axis.
        size: rows of text, and cells.
        shaded: by density instead of colour, one band a row instead of two.
    """
    height, cells = size
    pressed = bands(variance, order, height if shaded else 2 * height)
    values = resample(edges, pressed, *stretch, cells)
    if shaded:
        return heat.shaded(values, cells)
    levels = heat.levels(values, cells)
    return heat.stacked(levels[0::2], levels[1::2])
