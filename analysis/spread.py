"""A figure over several runs: mean and deviation."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np


class Spread(NamedTuple):
    """A mean over runs."""

    mean: float
    deviation: float | None
    """The sample standard deviation (n - 1); None of a single run, or where a paper prints none."""
    runs: int | None
    """How many runs it is over; None of a paper's."""


def spread(values: Iterable[float]) -> Spread | None:
    """Mean and sample standard deviation; None of no values. What is not finite makes both not finite."""
    known = list(values)
    if not known:
        return None
    with np.errstate(invalid="ignore"):
        return Spread(float(np.mean(known)), float(np.std(known, ddof=1)) if len(known) > 1 else None, len(known))
