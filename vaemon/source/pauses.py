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


def pause_in_rows(rows: Mapping[str, Array], resumed: Collection[int]) -> float:
    """The longest time between two of some rows, seconds; 0 where there are no two.

    Args:
        rows: "step" and "time" of each.
        resumed: steps at which the run was gone on with: the time before these was no pause of the training.
    """
    return float(_between(rows["step"], rows["time"], resumed).max(initial=0.0))


def pause_in_bins(rows: StageRows, count: int, resumed: Collection[int]) -> float:
    """The same of the bins among the first `count` rows of a stage, the newest `BINS`.

    One knows how long each bin took: it is the slowest, less what its other rows usually take.
    """
    clocks = rows.clocks(max(count // LEVELS[0] - BINS, 0), count // LEVELS[0])
    bins = np.concatenate([np.zeros(0), *(_between(clock["step"], clock["time"], resumed) for clock in clocks)])
    return float(max(bins.max() - np.median(bins) * (1 - 1 / LEVELS[0]), 0.0)) if len(bins) else 0.0


def _between(step: Array, time: Array, resumed: Collection[int]) -> Array:
    """The times between neighbours, those left out between which the run was gone on with."""
    passed = np.diff(time)
    at = np.searchsorted(step, np.fromiter(resumed, np.int64, len(resumed))) - 1
    return np.delete(passed, at[(at >= 0) & (at < len(passed))])
