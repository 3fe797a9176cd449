"""A VAE whose prior is learned: the VampPrior (Tomczak & Welling 2018, arXiv:1705.07120)."""

import torch

from trainer.balance.gamma import FixedGamma
from trainer.networks.vae import VAE
from trainer.objective import MixtureTerms, Pass, mixture_terms


class VampPrior(FixedGamma):
    """D mse / (2 γ²) + kl_weight KL, KL being to the mixture of the posteriors of pseudo-inputs, by one sample.

    KL is log q(z|x) - log p(z) of the very sample that is decoded, as in the published code. The pseudo-inputs are the
    network's (trainer/networks/vampprior.py), and trained with it; γ stays as it was set.

    What vaemon judges latents by has N(0, I) for its measure. Here a latent that tells nothing may have any variance,
    as long as all posteriors share it: whence E[σ²] is recorded under a name of its own, which nothing judges, and KL,
    too, which no latent has a part of. There is no second stage: this prior is made to be what that would learn.
    """

    kind = "VampPrior"
    undefined = ("mean_variance", "latent_kl", "kl", "variance_law", "inactive", "active_units")

    def terms(self, passed: Pass, network: VAE, noise: torch.Generator) -> MixtureTerms:
        """The terms of a batch that went through the network; encodes every pseudo-input."""
        prior = network.mixture()
        assert prior is not None  # trainer/networks/build.py gives the network its pseudo-inputs
        return mixture_terms(passed, prior.divergence(passed.mean, passed.log_variance, passed.z))
