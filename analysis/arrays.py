"""Posteriors as bare arrays in an .npz: other people's models, or one's own, without a run."""

from collections.abc import Iterator
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.npyio import NpzFile

from analysis.inputs import Origin, PosteriorStatistics, statistics_of
from analysis.measures.collapse import EPSILON
from analysis.measures.moments import merge, posterior_moments
from vaemon.errors import UsageError
from vaemon.exchange.npz import UNREADABLE, check_packed

Array = npt.NDArray[Any]

MEAN = "mean"
SPREADS = ("variance", "log_variance", "std")
"""The arrays of which one must stand beside the mean."""
EXPECTED = "it must hold `mean` and one of `variance`, `log_variance`, `std`, each of shape (samples, latents)"
BLOCK = 1000
"""Samples taken at a time; no figure depends on it."""


@np.errstate(over="ignore", invalid="ignore")  # of absurd numbers it finds infinite figures, and says no more
def read_posterior(path: Path, epsilon: float = EPSILON) -> PosteriorStatistics:
    """The statistics of posteriors N(μ, σ²) in a file; samples in which a latent is not finite are left out.

    Args:
        path: an .npz with `mean` and one of `variance`, `log_variance`, `std`, each (n, k); of (n, k, h, w) every
            position is a sample.
        epsilon: nats; below it the KL of one sample's posterior counts as none.

    Raises:
        UsageError: there is no such file, or it does not hold posteriors; the sentence says what is wrong.
    """
    mean, spread, name = _arrays(path)
    kept = np.isfinite(mean).all(axis=1) & ~_impossible(spread).any(axis=1)
    if not kept.any():
        bad = ~np.isfinite(mean) | _impossible(spread)
        worst = int(bad.sum(axis=0).argmax())
        raise UsageError(
            f"{path}: no sample is finite in all latents; latent {worst} is not in {bad[:, worst].sum():,}"
        )
    blocks = _blocks(mean[kept], _log_variance(spread[kept], name))
    moments = reduce(merge, (posterior_moments(mean, log_variance, epsilon) for mean, log_variance in blocks))
    origin = Origin("posterior", 0, 0, moments.count, left_out=int((~kept).sum()), data=str(path))
    return statistics_of(moments, origin)


def _arrays(path: Path) -> tuple[Array, Array, str]:
    """Mean and spread, each (n, k), float64, and the name of the spread."""
    try:
        with path.open("rb") as stream:
            held = np.load(stream, allow_pickle=False)
            if not isinstance(held, NpzFile):
                raise UsageError(f"{path} holds one array, not several; save them by np.savez: {EXPECTED}")
            name = _spread_name(path, list(held))
            check_packed(held, path.stat().st_size, (MEAN, name))
            mean, spread = (_flat(path, each, held[each]) for each in (MEAN, name))
    except FileNotFoundError as error:
        raise UsageError(f"there is no file {path}") from error
    except UNREADABLE as error:
        why = str(error) or type(error).__name__
        raise UsageError(
            f"{path} cannot be read as an .npz of plain arrays, as np.savez writes ({why}): {EXPECTED}"
        ) from error
    if mean.shape != spread.shape:
        raise UsageError(f"{path}: `mean` is of shape {mean.shape}, `{name}` of {spread.shape}; they must be equal")
    _refuse_negative(path, name, spread)
    return mean, spread, name


def _spread_name(path: Path, names: list[str]) -> str:
    found = [each for each in SPREADS if each in names]
    if MEAN not in names or not found:
        raise UsageError(f"{path} holds {', '.join(map(repr, names)) or 'nothing'}; {EXPECTED}")
    if len(found) > 1:
        raise UsageError(
            f"{path} holds {' and '.join(map(repr, found))}; leave one, for they may contradict each other"
        )
    return found[0]


def _flat(path: Path, name: str, values: Array | bytes) -> Array:
    if isinstance(values, bytes):  # what np.load makes of a member that is no array
        raise UsageError(f"{path}: `{name}` is no array of NumPy's; {EXPECTED}")
    if not (np.issubdtype(values.dtype, np.floating) or np.issubdtype(values.dtype, np.integer)):
        raise UsageError(f"{path}: `{name}` is of dtype {values.dtype}; it must be numbers")
    if values.ndim not in (2, 4) or 0 in values.shape:
        raise UsageError(f"{path}: `{name}` is of shape {values.shape}; it must be (samples, latents)")
    if values.ndim == 4:
        values = np.moveaxis(values, 1, -1).reshape(-1, values.shape[1])
    return values.astype(np.float64)


def _refuse_negative(path: Path, name: str, spread: Array) -> None:
    if name != "log_variance" and (spread < 0).any():
        i = int((spread < 0).any(axis=0).argmax())
        raise UsageError(
            f"{path}: `{name}` is negative, first in latent {i}; if it is a logarithm, save log σ² as `log_variance`"
        )


def _impossible(spread: Array) -> npt.NDArray[np.bool_]:
    """Where a spread is NaN or infinite; σ = 0 is possible, if odd, and its logarithm -inf."""
    return np.asarray(np.isnan(spread) | (spread == np.inf))


def _log_variance(spread: Array, name: str) -> Array:
    if name == "log_variance":
        return spread
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(spread) * (2 if name == "std" else 1))


def _blocks(mean: Array, log_variance: Array) -> Iterator[tuple[Array, Array]]:
    for start in range(0, len(mean), BLOCK):
        yield mean[start : start + BLOCK], log_variance[start : start + BLOCK]
