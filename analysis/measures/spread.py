"""Mean and deviation of a figure over trainings that differ in nothing but their seed."""

import statistics
from collections.abc import Sequence
from typing import NamedTuple


class Spread(NamedTuple):
    """What several trainings say of one figure."""

    mean: float | None
    """None of no training."""
    std: float | None
    """Standard deviation of the trainings from which these are drawn: Σ (x - mean)² / (n - 1), its root; None of fewer
    than two."""
    n: int


def spread(values: Sequence[float]) -> Spread:
    """The mean of some values, and their standard deviation."""
    return Spread(
        mean=statistics.fmean(values) if values else None,
        std=statistics.stdev(values) if len(values) > 1 else None,
        n=len(values),
    )
