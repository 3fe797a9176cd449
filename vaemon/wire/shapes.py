"""Whether the arrays of an answer fit each other: what draws them takes them for what they say they are."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from vaemon.batch import Batch, Columns, Listed, Series
from vaemon.channels import CHANNELS
from vaemon.wire.frames import WireError


def check(value: Any) -> None:
    """Look at an answer of any kind.

    Raises:
        WireError: its arrays do not fit each other.
    """
    match value:
        case Batch():
            _check_batch(value)
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


def _check_batch(batch: Batch) -> None:
    """Each row has one number of a scalar, and of a latent channel one for each latent of the stage."""
    check(batch.columns)
    stage = batch.info.stage(batch.stage)
    latents = stage.latents if stage is not None else 0
    for part in (batch.columns.mean, batch.columns.absent):
        _expect(all(_is_row(name, each.shape[1:], latents) for name, each in part.items()), "columns")
    if batch.latest is not None:
        smoothed = batch.latest.smoothed.items()
        _expect(all(each.dtype.kind == "f" for _, each in smoothed), "smoothed values")
        _expect(all(_is_row(name, each.shape, latents) for name, each in smoothed), "smoothed values")


def _is_row(name: str, shape: tuple[int, ...], latents: int) -> bool:
    kind = CHANNELS[name].kind if name in CHANNELS else None
    return (shape == () and kind != "latent") or (shape == (latents,) and kind != "scalar")


def _check_columns(columns: Columns) -> None:
    step, width = columns.step, columns.width
    _expect(width > 0 and width & (width - 1) == 0 and columns.first >= 0, "columns")
    _expect(step.ndim == 1 and step.shape == columns.time.shape == columns.epoch.shape, "columns")
    _expect(all(_stand_by(step, each) for part in (columns.mean, columns.absent) for each in part.values()), "columns")
    figures: Iterable[Any] = (each for part in (columns.low, columns.high, columns.bad) for each in part.values())
    _expect(all(each.shape == step.shape for each in figures), "columns")
    measured: Iterable[Any] = (each for part in (columns.mean, columns.low, columns.high) for each in part.values())
    _expect(all(each.dtype.kind == "f" for each in (columns.time, *measured)), "columns")
    counts = (step, columns.epoch, *columns.bad.values(), *columns.absent.values())
    _expect(all(each.dtype.kind in "iu" for each in counts), "columns")


def _stand_by(step: Any, each: Any) -> bool:
    """Whether an array has a scalar, or a vector, for each step."""
    return each.ndim in (1, 2) and len(each) == len(step)


def _expect(fits: bool, what: str) -> None:
    if not fits:
        raise WireError(f"{what} came whose arrays do not fit each other")
