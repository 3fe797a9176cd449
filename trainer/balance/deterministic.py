"""What autoencoders without a posterior have in common: the encoder's mean is the code z itself."""

from abc import abstractmethod

import torch
from torch import Tensor

from trainer import ranks
from trainer.balance.strategy import Balance
from trainer.networks.vae import VAE
from trainer.objective import CodeTerms, Pass, mean_squared_error, means_of


class Deterministic(Balance):
    """A loss of the squared error, of the codes, and of a penalty that the strategy has."""

    undefined = (
        *("mean_variance", "latent_kl", "kl", "variance_law", "inactive", "active_units"),
        *("gamma", "beta", "kl_weight"),
    )

    def code(self, mean: Tensor, log_variance: Tensor, noise: torch.Generator) -> Tensor:
        """The mean itself, (B, k); the other head of the encoder is never trained."""
        return mean

    def terms(self, passed: Pass, network: VAE, noise: torch.Generator) -> CodeTerms:
        """The terms of a batch that went through the network."""
        squared = passed.z.square()
        mse, code_norm, moments = ranks.mean(
            mean_squared_error(passed.x, passed.x_hat), 0.5 * squared.sum(1).mean(), means_of(passed.z, squared)
        )
        return CodeTerms(
            mse=mse,
            code_norm=code_norm,
            moments=moments.detach(),
            penalty=self.penalty(passed, network, noise),
            values=passed.x.numel() // len(passed.x),
        )

    @abstractmethod
    def penalty(self, passed: Pass, network: VAE, noise: torch.Generator) -> Tensor | None:
        """What else is held against the network, of the whole batch, (); None: nothing."""
