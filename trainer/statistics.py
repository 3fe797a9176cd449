"""From the tensors of a step to the channels that are recorded. Nothing here waits for the device.

The names are those of vaemon.channels; a new channel is one line there and one here.
"""

import torch
from torch import Tensor

from trainer.balance.strategy import Terms, Weighed
from trainer.objective import CodeTerms


@torch.no_grad()
def step_to_channels(terms: Terms, weighed: Weighed, mean: Tensor, log_variance: Tensor) -> dict[str, Tensor | float]:
    """Channel values of one step, (k,) or (), free of gradients: on the device, or numbers that the host has anyway.

    Args:
        terms: of the batch.
        weighed: the same, with the weights in force in the step.
        mean: posterior means, (B, k).
        log_variance: logarithms of the posterior variances, (B, k).
    """
    weights = {"loss": weighed.loss.detach(), **weighed.weights}
    if isinstance(terms, CodeTerms):
        return {"mean_mu": mean.mean(0), "mu_squared": mean.square().mean(0), "mse": terms.mse.detach(), **weights}
    # One pass instead of three: of so small tensors it is the calls that cost.
    mean_variance, mean_mu, mu_squared = torch.stack((log_variance.exp(), mean, mean.square())).mean(1).unbind()
    return {
        "mean_variance": mean_variance,
        "mean_mu": mean_mu,
        "mu_squared": mu_squared,
        "latent_kl": terms.latent_kl.detach(),
        "mse": terms.mse.detach(),
        "kl": terms.kl.detach(),
        **weights,
    }
