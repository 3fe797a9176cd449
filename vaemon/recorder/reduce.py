"""From the posteriors of a batch to one number a latent, on whatever device they are, in float32 or better.

The same few operations serve NumPy arrays, torch tensors and arrays of libraries like them; nothing here waits for a
device.
"""

import sys
from typing import Any

import numpy as np

from vaemon.errors import UsageError
from vaemon.recorder.row import is_elsewhere, on_host


@np.errstate(all="ignore")  # what is not finite is recorded as that
def posterior_to_channels(mean: Any, variance: Any = None, log_variance: Any = None) -> dict[str, Any]:
    """The four latent channels of a batch of Gaussian posteriors, each of shape (k,).

    Args:
        mean: posterior means, (batch, k), or (batch, k, h, w) for spatial latents: the places of a map then
            count as further samples of its latent.
        variance: posterior variances, like `mean`.
        log_variance: their logarithms; give one of the two.

    Returns:
        mean_variance E[σ²], mean_mu E[μ], mu_squared E[μ²], and latent_kl, the KL to N(0, 1) in nats, per sample
        (½(μ² + σ² - log σ² - 1), Kingma & Welling 2014; for a map the sum over its places).

    Raises:
        UsageError: the shapes do not fit, or not exactly one of variance and log_variance is given.
    """
    if (variance is None) == (log_variance is None):
        raise UsageError("log() takes `mean` with exactly one of `variance` and `log_variance`")
    mean, second = _shaped(mean), _shaped(variance if log_variance is None else log_variance)
    if tuple(second.shape) != tuple(mean.shape) or len(mean.shape) not in (2, 4):
        raise UsageError(
            f"posteriors are (batch, k) or (batch, k, h, w); mean is {tuple(mean.shape)}, "
            f"{'variance' if log_variance is None else 'log_variance'} is {tuple(second.shape)}"
        )
    mean, second = _single(mean), _single(second)
    if variance is None:
        log_variance, variance = second, _exp(second)
    else:
        log_variance, variance = _log(second), second
    over = (0,) if len(mean.shape) == 2 else (0, 2, 3)
    places = 1 if len(mean.shape) == 2 else mean.shape[2] * mean.shape[3]
    mean_variance, mean_mu, mu_squared, mean_log = _means((variance, mean, mean * mean, log_variance), over)
    return {
        "mean_variance": mean_variance,
        "mean_mu": mean_mu,
        "mu_squared": mu_squared,
        "latent_kl": 0.5 * places * (mu_squared + mean_variance - mean_log - 1.0),
    }


def _means(several: tuple[Any, ...], over: tuple[int, ...]) -> Any:
    if hasattr(several[0], "detach"):
        # One pass instead of four: on a device it is the calls that cost, not what they compute.
        stacked = sys.modules["torch"].stack(several)
        return stacked.mean([axis + 1 for axis in over]).unbind()
    return [each.mean(over) for each in several]


def _shaped(values: Any) -> Any:
    return values if hasattr(values, "shape") else on_host(values)


def _single(values: Any) -> Any:
    # Half precision has too few digits: a latent near the prior would show a KL of nothing at all.
    if hasattr(values, "detach"):
        return values.detach().float()
    if is_elsewhere(values):
        return values.astype("float32")
    return on_host(values).astype(np.float64)


def _exp(values: Any) -> Any:
    return values.exp() if hasattr(values, "exp") else _namespace(values).exp(values)


def _log(values: Any) -> Any:
    return values.log() if hasattr(values, "log") else _namespace(values).log(values)


def _namespace(values: Any) -> Any:
    # The Python array API standard: where the functions of an array's own library are.
    return values.__array_namespace__() if hasattr(values, "__array_namespace__") else np
