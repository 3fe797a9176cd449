"""The terms of the objective, one function an equation (Asperti & Trentin 2020, doi:10.1109/ACCESS.2020.3034828)."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from trainer import ranks


@dataclass(frozen=True, eq=False, slots=True)
class Pass:
    """A batch on its way through a network."""

    x: Tensor
    """(B, ...)."""
    mean: Tensor
    """μ of its posteriors, (B, k)."""
    log_variance: Tensor
    """log σ², (B, k)."""
    z: Tensor
    """What was decoded, (B, k)."""
    x_hat: Tensor
    """Its reconstruction, of the shape of x."""


@dataclass(frozen=True, eq=False, slots=True)
class ElboTerms:
    """The parts of the evidence lower bound of one batch, with gradients; means over the batch."""

    mse: Tensor
    """Squared error, mean over the batch and over the values of a sample; ()."""
    kl: Tensor
    """KL to the prior, nats, summed over the latents; ()."""
    latent_kl: Tensor
    """KL of each latent, nats; (k,)."""
    moments: Tensor
    """E[σ²], E[μ] and E[μ²] of each latent, without gradients, (3, k); by-products of KL."""
    values: int
    """D, the values of a sample."""


@dataclass(frozen=True, eq=False, slots=True)
class CodeTerms:
    """The parts of the loss of an autoencoder without a posterior, with gradients; means over the batch."""

    mse: Tensor
    """As of `ElboTerms`."""
    code_norm: Tensor
    """½ ‖z‖², ()."""
    moments: Tensor
    """E[z] and E[z²] of each latent, without gradients, (2, k)."""
    penalty: Tensor | None
    """What else is held against the network, (); None: nothing."""
    values: int
    """D, the values of a sample."""


@dataclass(frozen=True, eq=False, slots=True)
class MixtureTerms:
    """The parts of the evidence lower bound under a prior that is a mixture, with gradients; means over the batch."""

    mse: Tensor
    """As of `ElboTerms`."""
    kl: Tensor
    """KL to that prior, nats, by one sample of each posterior; ()."""
    moments: Tensor
    """As of `ElboTerms`."""
    values: int
    """D, the values of a sample."""


def elbo_terms(x: Tensor, x_hat: Tensor, mean: Tensor, log_variance: Tensor) -> ElboTerms:
    """The terms for a batch x, (B, ...), its reconstruction, and its posteriors, each (B, k).

    Where several processes share the batch, x is this one's part, and the terms are those of all of it.
    """
    variance, squared_mean = log_variance.exp(), mean.square()
    latent_kl = kl_to_prior(squared_mean, variance, log_variance).mean(0)
    moments = means_of(variance, mean, squared_mean)
    mse, latent_kl, moments = ranks.mean(mean_squared_error(x, x_hat), latent_kl, moments)
    return ElboTerms(mse, latent_kl.sum(), latent_kl, moments.detach(), x.numel() // len(x))


def mixture_terms(passed: Pass, divergence: Tensor) -> MixtureTerms:
    """The terms for a batch whose posteriors have that divergence from the prior, (B,); of processes as above."""
    moments = means_of(passed.log_variance.exp(), passed.mean, passed.mean.square())
    mse, kl, moments = ranks.mean(mean_squared_error(passed.x, passed.x_hat), divergence.mean(), moments)
    return MixtureTerms(mse, kl, moments.detach(), passed.x.numel() // len(passed.x))


def kl_to_prior(squared_mean: Tensor, variance: Tensor, log_variance: Tensor) -> Tensor:
    """Equation 4: KL(N(μ, σ²) || N(0, 1)) = ½ (μ² + σ² - log σ² - 1), of each latent and sample, in nats.

    Args:
        squared_mean: μ², (B, k).
        variance: σ², (B, k).
        log_variance: log σ², (B, k).
    """
    return 0.5 * (squared_mean + variance - log_variance - 1.0)


@torch.no_grad()
def means_of(*several: Tensor) -> Tensor:
    """Means over the batch of n tensors (B, k), without gradients, (n, k).

    In one pass: of so small tensors it is the calls that cost, not what they compute.
    """
    return torch.stack(several).mean(1)


def mean_squared_error(x: Tensor, x_hat: Tensor) -> Tensor:
    """The tables' mse: mean over the batch and over the values of a sample."""
    return torch.mean((x - x_hat).square())


def weighted_loss(terms: ElboTerms | MixtureTerms, gamma_squared: Tensor, kl_weight: Tensor | float) -> Tensor:
    """Equation 11, summed over the values of a sample: D mse / (2 γ²) + kl_weight KL, mean over the batch.

    Equation 8's log γ + ½ log 2π are left out: where γ is no parameter they have no gradient.
    """
    return reconstruction_loss(terms, gamma_squared) + kl_weight * terms.kl


def reconstruction_loss(terms: ElboTerms | MixtureTerms, gamma_squared: Tensor) -> Tensor:
    """The first term of equation 11, D mse / (2 γ²), ()."""
    return squared_error(terms) / (2.0 * gamma_squared)


def gaussian_loss(terms: ElboTerms, gamma_squared: Tensor, log_gamma: Tensor) -> Tensor:
    """Equation 8 in full, summed over the values of a sample: D (mse / (2 γ²) + log γ + ½ log 2π), ()."""
    return reconstruction_loss(terms, gamma_squared) + terms.values * (log_gamma + 0.5 * math.log(2.0 * math.pi))


def squared_error(terms: ElboTerms | MixtureTerms | CodeTerms) -> Tensor:
    """D mse: the squared error summed over the values of a sample, mean over the batch, ()."""
    return terms.values * terms.mse
