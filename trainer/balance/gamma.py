"""Weighing by γ, the standard deviation of the decoder's Gaussian: mse/(2γ²), summed over the values of a sample."""

import torch
from torch import Tensor, nn

from trainer import config
from trainer.balance.strategy import Balance, Plan, Weighed
from trainer.objective import ElboTerms, MixtureTerms, gaussian_loss, weighted_loss


class GammaBalance(Balance):
    """Equation 11 with the γ in force (Asperti & Trentin 2020)."""

    gamma_squared: Tensor
    """γ² in force, (), on the network's device; never read on the host, for that would wait for the device."""

    @property
    def gamma(self) -> Tensor:
        """γ in force, ()."""
        return self.gamma_squared.sqrt()

    def weigh(self, terms: ElboTerms | MixtureTerms, kl_weight: float) -> Weighed:
        """D mse / (2 γ²) + kl_weight KL."""
        loss = weighted_loss(terms, self.gamma_squared, kl_weight)
        return Weighed(loss, gamma_weights(self.gamma_squared, kl_weight))


def gamma_weights(gamma_squared: Tensor, kl_weight: Tensor | float) -> dict[str, Tensor | float]:
    """What is recorded of a loss D mse / (2 γ²) + kl_weight KL: in units of the squared error, β = 2 γ² kl_weight."""
    return {"gamma": gamma_squared.sqrt(), "beta": 2.0 * kl_weight * gamma_squared, "kl_weight": kl_weight}


class AverageGamma(GammaBalance):
    """γ² = m, the moving average of the batches' mse: after every step m <- a m + (1 - a) mse, from m = 1.

    As the computed γ, but able to grow.
    """

    def __init__(self, settings: config.Balance, plan: Plan) -> None:
        super().__init__(settings, plan)
        self.momentum = settings.momentum
        self.register_buffer("gamma_squared", torch.tensor(1.0))

    def moved(self, mse: Tensor) -> Tensor:
        """γ² moved towards the batch's mse, ()."""
        return self.momentum * self.gamma_squared + (1.0 - self.momentum) * mse.detach()

    def update(self, terms: ElboTerms) -> None:
        """Move γ² towards the batch's mse."""
        self.gamma_squared.copy_(self.moved(terms.mse))


class ComputedGamma(AverageGamma):
    """γ² = mse, the zero of the generative loss's derivative (equations 9 and 10), as the published code has it.

    From m = 1, after every step, m <- min(m, 0.99 m + 0.01 mse) with the batch's mse, γ = √m: γ never grows.
    """

    def update(self, terms: ElboTerms) -> None:
        """Move γ² towards the batch's mse, or leave it where the mse is larger."""
        self.gamma_squared.copy_(torch.minimum(self.gamma_squared, self.moved(terms.mse)))


class FixedGamma(GammaBalance):
    """A γ² that stays as it was set: the ordinary VAE, 2 γ² being its weight of KL against the squared error."""

    def __init__(self, settings: config.Balance, plan: Plan) -> None:
        super().__init__(settings, plan)
        self.register_buffer("gamma_squared", torch.tensor(settings.gamma_squared))


class LearnedGamma(GammaBalance):
    """log γ is trained with the network, from 0, by equation 8 in full (Dai & Wipf 2019, arXiv:1903.05789).

    It is one more weight in the stage's Adam, as published, and so moves by about the learning rate a step, whatever
    the error: from 0 to log .1 in some 2,300 steps of 1e-3. What the second stage samples is its decoder's whole
    Gaussian, noise included; an image is the mean of the first stage's.
    """

    def __init__(self, settings: config.Balance, plan: Plan) -> None:
        super().__init__(settings, plan)
        self.log_gamma = nn.Parameter(torch.zeros(()))

    @property
    def gamma_squared(self) -> Tensor:
        """γ², (), with its gradient."""
        return (2.0 * self.log_gamma).exp()

    @property
    def sampling_noise(self) -> Tensor:
        """γ itself: z = ẑ + γ_z ε, ε ~ N(0, I), in the second stage."""
        return self.log_gamma.detach().exp()

    def weigh(self, terms: ElboTerms, kl_weight: float) -> Weighed:
        """D (mse / (2 γ²) + log γ + ½ log 2π) + kl_weight KL."""
        loss = gaussian_loss(terms, self.gamma_squared, self.log_gamma) + kl_weight * terms.kl
        return Weighed(loss, gamma_weights(self.gamma_squared.detach(), kl_weight))


class OptimalGamma(Balance):
    """γ² = the mse of the very batch, the likeliest there is (σ-VAE, Rybkin et al. 2021, arXiv:2006.13202).

    It has no state, and the loss becomes D/2 (log mse + 1 + log 2π) + kl_weight KL. Its gradient is that of equation
    11, for at its best γ adds none. The published code keeps log γ from falling below -6 by a soft clip, which raises
    γ by 2.5 % at γ = 0.1; there is none here.
    """

    def weigh(self, terms: ElboTerms, kl_weight: float) -> Weighed:
        """Equation 8 at its least in γ, summed over the values of a sample; and KL."""
        best = terms.mse.detach()
        loss = gaussian_loss(terms, best, 0.5 * best.log()) + kl_weight * terms.kl
        return Weighed(loss, gamma_weights(best, kl_weight))
