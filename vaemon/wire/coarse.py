"""Numbers rounded to what a screen shows: they take less of a wire, for zlib finds the zeros that rounding leaves."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from vaemon.batch import Batch, Columns

Array = npt.NDArray[Any]

DRAWN, WRITTEN, SCALAR = 11, 17, 24
"""Significant bits kept of a latent in a column (a colour, a dot), of the newest latents, which are written in digits,
and of a scalar: relative errors of at most 1/4000, 1/260,000 and, as of float32, 1/33,000,000."""


def coarsened(batch: Batch) -> Batch:
    """The same answer, its columns and newest smoothed values rounded; the newest scalars are not."""
    latest = batch.latest
    if latest is not None:
        latest = replace(latest, smoothed=_each(latest.smoothed, WRITTEN))
    return replace(batch, columns=coarse_columns(batch.columns), latest=latest)


def coarse_columns(columns: Columns) -> Columns:
    """The same columns, rounded."""
    return replace(
        columns,
        mean=_each(columns.mean, DRAWN),
        low=_each(columns.low, SCALAR),
        high=_each(columns.high, SCALAR),
    )


def _each(values: Mapping[str, Array], bits: int) -> dict[str, Array]:
    latent = max((each.ndim for each in values.values()), default=0)
    return {name: rounded(each, bits if each.ndim == latent > 0 else SCALAR) for name, each in values.items()}


def rounded(values: Array, bits: int) -> Array:
    """The nearest floats of so many significant bits, 2 to 24, of the same kind; what is not finite stays."""
    values = np.asarray(values)
    if values.dtype.kind != "f" or not values.size:
        return values
    away = np.finfo(values.dtype).nmant - (bits - 1)
    if away <= 0:
        return values
    raw: Array = np.ascontiguousarray(values).view(f"u{values.dtype.itemsize}").reshape(values.shape)
    half = raw.dtype.type(1 << (away - 1))
    # Half a unit added carries into the exponent where it must.
    near = (raw + half) >> away << away
    return np.where(np.isfinite(values), near.view(values.dtype), values)
