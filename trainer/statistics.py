"""From the tensors of a step to the channels that are recorded. Nothing here waits for the device.

The names are those of vaemon.channels; a new channel is one line there and one here.
"""

from torch import Tensor

from trainer.balance.strategy import Terms, Weighed
from trainer.objective import CodeTerms, MixtureTerms


def step_to_channels(terms: Terms, weighed: Weighed) -> dict[str, Tensor | float]:
    """Channel values of one step, (k,) or (), free of gradients: on the device, or numbers that the host has anyway.

    Args:
        terms: of the batch.
        weighed: the same, with the weights in force in the step.
    """
    rest = {"mse": terms.mse.detach(), "loss": weighed.loss.detach(), **weighed.weights}
    if isinstance(terms, CodeTerms):
        mean_mu, mu_squared = terms.moments.unbind()
        return {"mean_mu": mean_mu, "mu_squared": mu_squared, **rest}
    mean_variance, mean_mu, mu_squared = terms.moments.unbind()
    if isinstance(terms, MixtureTerms):
        of_latents = {"posterior_variance": mean_variance, "mean_mu": mean_mu, "mu_squared": mu_squared}
        return {**of_latents, "mixture_kl": terms.kl.detach(), **rest}
    return {
        "mean_variance": mean_variance,
        "mean_mu": mean_mu,
        "mu_squared": mu_squared,
        "latent_kl": terms.latent_kl.detach(),
        "kl": terms.kl.detach(),
        **rest,
    }
