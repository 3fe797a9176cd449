"""Whether the arrays of an answer fit each other: what draws them takes them for what they say they are."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from vaemon.batch import Batch, Columns, Listed, Series
from vaemon.wire.frames import WireError


def check(value: Any) -> None:
    """Look at an answer of any kind.

    Raises:
        WireError: its arrays do not fit each other.
    """
    match value:
        case Batch(columns=columns, latest=latest):
            check(columns)
            _expect(latest is None or all(each.ndim < 2 for each in latest.smoothed.values()), "smoothed values")
        case Columns():
            _check_columns(value)
        case Series(step=step, mean=mean, low=low, high=high):
            _expect(step.ndim == 1 and all(_stand_by(step, each) for each in (mean, low, high)), "a series")
        case np.ndarray():
            _expect(value.dtype == np.uint8 and value.ndim == 4 and value.shape[3] in (1, 3), "images")
        case Listed(batch=batch):
            check(batch)
        case tuple():
            for each in value:
                check(each)


def _check_columns(columns: Columns) -> None:
    step, width = columns.step, columns.width
    _expect(width > 0 and width & (width - 1) == 0 and columns.first >= 0, "columns")
    _expect(step.ndim == 1 and step.shape == columns.time.shape == columns.epoch.shape, "columns")
    _expect(all(_stand_by(step, each) for part in (columns.mean, columns.absent) for each in part.values()), "columns")
    figures: Iterable[Any] = (each for part in (columns.low, columns.high, columns.bad) for each in part.values())
    _expect(all(each.shape == step.shape for each in figures), "columns")


def _stand_by(step: Any, each: Any) -> bool:
    """Whether an array has a scalar, or a vector, for each step."""
    return each.ndim in (1, 2) and len(each) == len(step)


def _expect(fits: bool, what: str) -> None:
    if not fits:
        raise WireError(f"{what} came whose arrays do not fit each other")
