"""What an encoder gives back, as the mean and variance of Gaussian posteriors: known by its type or its names."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from vaemon.errors import UsageError

MEANS = ("mean", "mu", "loc", "embedding")
LOG_VARIANCES = ("log_variance", "logvar", "log_var", "log_covariance")
VARIANCES = ("variance", "var")
DEVIATIONS = ("stddev", "std", "scale", "sigma")
HOLDERS = ("latent_dist",)
"""Names under which an output holds its distribution, as diffusers' AutoencoderKLOutput does."""


class Posterior(NamedTuple):
    """The Gaussian posteriors of a batch: means, and either variances or their logarithms, of one shape."""

    mean: Any
    variance: Any = None
    log_variance: Any = None


def gaussian_of(output: Any) -> Posterior:
    """The posteriors in what an encoder gave back.

    Args:
        output: a torch Normal or Independent(Normal); a mapping or object with one of MEANS and one of
            LOG_VARIANCES, VARIANCES or DEVIATIONS; (mean, log-variance), whatever of other shapes stands beside
            them; or a sequence that has a distribution in it.

    Raises:
        UsageError: it is none of these, or which it is cannot be told.
    """
    found = _told(output)
    if found is None:
        raise UsageError(
            f"the encoder gave back {_described(output)}, in which no mean and log-variance can be told; hand in "
            "extract=, a function from that to (mean, log_variance) or to a torch.distributions.Normal"
        )
    return found


def _told(output: Any) -> Posterior | None:
    if _is_tensor(output):
        return None
    distributions = getattr(sys.modules.get("torch"), "distributions", None)
    if distributions is not None and isinstance(output, distributions.Distribution):
        return _of_distribution(output, distributions)
    if found := _by_name(output):
        return found
    return _of_sequence(output) if isinstance(output, list | tuple) else None


def _of_distribution(output: Any, distributions: Any) -> Posterior:
    within = output.base_dist if isinstance(output, distributions.Independent) else output
    if not isinstance(within, distributions.Normal):
        raise UsageError(
            f"the encoder gave back a {type(within).__name__}; the statistics of latents are defined for Gaussians "
            "of independent latents, torch.distributions.Normal or Independent(Normal)"
        )
    return Posterior(within.mean, variance=within.variance)


def _by_name(output: Any) -> Posterior | None:
    holder = _first(output, HOLDERS, anything=True)
    if holder is not None:
        return _told(holder)
    mean = _first(output, MEANS)
    if mean is None:
        return None
    if (log_variance := _first(output, LOG_VARIANCES)) is not None:
        return Posterior(mean, log_variance=log_variance)
    if (variance := _first(output, VARIANCES)) is not None:
        return Posterior(mean, variance=variance)
    deviation = _first(output, DEVIATIONS)
    return None if deviation is None else Posterior(mean, variance=deviation * deviation)


def _of_sequence(output: Sequence[Any]) -> Posterior | None:
    for each in output:
        if not _is_tensor(each) and not isinstance(each, list | tuple) and (found := _told(each)) is not None:
            return found
    tensors = [each for each in output if _is_tensor(each) and len(each.shape) > 1]
    first = tensors[0] if tensors else None
    alike = [each for each in tensors if first is not None and each.shape == first.shape]
    # Of three, one is a sample: (z, mean, log-variance) and (mean, variance, z) are both in use.
    return Posterior(alike[0], log_variance=alike[1]) if len(alike) == 2 else None


def _first(output: Any, names: Sequence[str], anything: bool = False) -> Any:
    for name in names:
        value = output.get(name) if isinstance(output, Mapping) else getattr(output, name, None)
        if value is not None and (anything or _is_tensor(value)):
            return value
    return None


def _is_tensor(value: Any) -> bool:
    return hasattr(value, "shape") and hasattr(value, "dtype")


def _described(output: Any) -> str:
    if _is_tensor(output):
        return f"one tensor of shape {tuple(output.shape)}"
    if isinstance(output, Mapping):
        return f"a {type(output).__name__} with {', '.join(map(str, output)) or 'nothing in it'}"
    if isinstance(output, list | tuple):
        inside = ", ".join(str(tuple(each.shape)) if _is_tensor(each) else type(each).__name__ for each in output)
        return f"a {type(output).__name__} of {len(output)}: {inside}"
    return f"a {type(output).__name__}"
