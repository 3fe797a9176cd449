"""From the tensors of a step to the channels that are recorded. Nothing here waits for the device.

The names are those of vaemon.channels; a new channel is one line there and one here.
"""

import torch
from torch import Tensor

from trainer import ranks
from trainer.balance import Balance
from trainer.objective import ElboTerms


@torch.no_grad()
def step_to_channels(
    terms: ElboTerms, loss: Tensor, balance: Balance, mean: Tensor, log_variance: Tensor
) -> dict[str, Tensor]:
    """Channel values of one step, (k,) or (), on the device and free of gradients.

    Args:
        terms: of the batch.
        loss: that was minimised, ().
        balance: as it was in force in the step.
        mean: posterior means, (B, k).
        log_variance: logarithms of the posterior variances, (B, k).
    """
    # One pass instead of three: of so small tensors it is the calls that cost.
    (moments,) = ranks.mean(torch.stack((log_variance.exp(), mean, mean.square())).mean(1))
    mean_variance, mean_mu, mu_squared = moments.unbind()
    return {
        "mean_variance": mean_variance,
        "mean_mu": mean_mu,
        "mu_squared": mu_squared,
        "latent_kl": terms.latent_kl.detach(),
        "mse": terms.mse.detach(),
        "kl": terms.kl.detach(),
        "gamma": balance.gamma,
        "loss": loss.detach(),
    }
