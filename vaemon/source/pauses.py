"""How long a training pauses between two rows now and then: for an evaluation, a checkpoint."""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from vaemon.runfile.schema import LEVELS
from vaemon.runfile.series import StageRows

Array = npt.NDArray[Any]

BINS = 2048
"""Bins of the pyramid's first level that are looked at, the newest: some 65,000 rows, or the epochs in them."""


def longest_pause(rows: StageRows, count: int, newest: Mapping[str, Array], resumed: Collection[int]) -> float:
    """The longest time between two rows of late, seconds; 0 where it cannot be told.

    Of the newest rows it is exact. Of those before, one knows how long each bin took: the slowest, less what its other
    rows usually take.

    Args:
        rows: the stage's.
        count: so many of them have been.
        newest: "step" and "time" of the newest of these.
        resumed: steps at which the run was gone on with: the time before these was no pause of the training.
    """
    exact = _between(newest["step"], newest["time"], resumed)
    clocks = rows.clocks(max(count // LEVELS[0] - BINS, 0), count // LEVELS[0])
    bins = np.concatenate([np.zeros(0), *(_between(clock["step"], clock["time"], resumed) for clock in clocks)])
    pauses = bins - np.median(bins) * (1 - 1 / LEVELS[0]) if len(bins) else bins
    return float(max(exact.max(initial=0.0), pauses.max(initial=0.0)))


def _between(step: Array, time: Array, resumed: Collection[int]) -> Array:
    """The times between neighbours, those left out between which the run was gone on with."""
    passed = np.diff(time)
    at = np.searchsorted(step, np.fromiter(resumed, np.int64, len(resumed))) - 1
    return np.delete(passed, at[(at >= 0) & (at < len(passed))])
