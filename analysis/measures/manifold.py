"""Precision and recall: what share of one set lies where the other is."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from analysis.measures.features import check_features

Array = npt.NDArray[Any]

NEIGHBOURS = 3
"""As Kynkäänniemi et al. (2019) have it."""
ROWS = 1000
"""Images of either side whose distances are in memory at once: 8 MB of distances, and 2 * 16 of 2,048 features."""


class PrecisionRecall(NamedTuple):
    """Shares between 0 and 1."""

    precision: float
    """Of the generated images that lie among the real ones: how good they are."""
    recall: float
    """Of the real images that lie among the generated ones: how much of the data is covered."""


def precision_recall(real: Array, fake: Array, neighbours: int = NEIGHBOURS) -> PrecisionRecall:
    """Improved precision and recall (Kynkäänniemi et al. 2019).

    The manifold of a set is the union of the balls around its images, each of which reaches to that image's k-th
    nearest neighbour in the set, the image itself not counted. Precision is the share of `fake` within that of `real`,
    recall the share of `real` within that of `fake`.

    Args:
        real: features of real images, (n, d).
        fake: features of generated images, (m, d).
        neighbours: k.

    Raises:
        UsageError: a set has no k-th neighbour, or the sets are of different features.
        VaemonError: a feature is NaN or infinite.
    """
    check_features(real, fake, neighbours + 1, f"precision and recall by {neighbours} neighbours")
    centre = np.asarray(real.mean(axis=0, dtype=np.float64))
    real_reach, fake_reach = (squared_reach(each, neighbours, centre) for each in (real, fake))
    precise, recalled = np.zeros(len(fake), bool), np.zeros(len(real), bool)
    for at, here in _blocks(real, centre):
        for other, there in _blocks(fake, centre):
            distances = squared_distances(here, there)
            precise[other] |= (distances <= real_reach[at, None]).any(axis=0)
            recalled[at] |= (distances <= fake_reach[other]).any(axis=1)
    return PrecisionRecall(float(precise.mean()), float(recalled.mean()))


def squared_reach(features: Array, neighbours: int, centre: Array) -> npt.NDArray[np.float64]:
    """The squared distance of each image to its k-th nearest neighbour in the same set, (n,).

    Args:
        features: (n, d), n > k.
        neighbours: k.
        centre: about where the features lie, (d,); distances do not depend on it, their rounding does.
    """
    reach = np.empty(len(features))
    for at, here in _blocks(features, centre):
        nearest = np.empty((len(here), 0))
        for _, there in _blocks(features, centre):
            nearest = np.concatenate((nearest, squared_distances(here, there)), axis=1)
            if nearest.shape[1] > neighbours + 1:
                nearest = np.partition(nearest, neighbours, axis=1)[:, : neighbours + 1]
        reach[at] = nearest.max(axis=1)  # of k + 1, for the nearest is the image itself
    return reach


def squared_distances(a: Array, b: Array) -> npt.NDArray[np.float64]:
    """‖x - y‖² of every row of a with every row of b, as ‖x‖² + ‖y‖² - 2 xᵀy, (n, m).

    What is less than this form's rounding is zero, so that equal images are no distance apart.
    """
    size = np.square(a).sum(axis=1)[:, None] + np.square(b).sum(axis=1)
    distances = size - 2.0 * (a @ b.T)
    distances[distances < 1e-13 * size] = 0.0
    return np.asarray(distances)


def _blocks(features: Array, centre: Array) -> Iterator[tuple[slice, Array]]:
    """The features less the centre, in float64, a block at a time, and where in the set each block stands."""
    for start in range(0, len(features), ROWS):
        at = slice(start, start + ROWS)
        yield at, features[at].astype(np.float64) - centre
