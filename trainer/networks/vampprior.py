"""The VampPrior: a prior that is the mean of the posteriors of images that are learned (Tomczak & Welling 2018).

p(z) = 1/K Σₖ q(z|uₖ), with the pseudo-inputs uₖ trained as weights of the network are (arXiv:1705.07120).
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class PseudoInputs(nn.Module):
    """K images of free values that a hard tanh brings to [0, 1], as in the published code (jmtomczak/vae_vampprior)."""

    def __init__(self, count: int, shape: tuple[int, int, int], mean: float, deviation: float) -> None:
        """Make them of `shape` (H, W, C); `initialise` draws them about `mean`, with that deviation."""
        super().__init__()
        height, width, channels = shape
        self._mean, self._deviation = mean, deviation
        self.free = nn.Parameter(torch.zeros(count, channels, height, width))

    @torch.no_grad()
    def initialise(self, generator: torch.Generator) -> None:
        """Draw fresh values from N(mean, deviation²), on the CPU."""
        self.free.normal_(self._mean, self._deviation, generator=generator)

    def forward(self) -> Tensor:
        """As the encoder takes them, (K, C, H, W)."""
        return F.hardtanh(self.free, 0.0, 1.0)


@dataclass(frozen=True, eq=False, slots=True)
class PosteriorMixture:
    """K Gaussians of independent latents, all of one weight."""

    mean: Tensor
    """(K, k)."""
    log_variance: Tensor
    """log σ², (K, k)."""

    def sample(self, count: int, noise: torch.Generator) -> Tensor:
        """Draw latents, (count, k), on the generator's device, where the mixture is."""
        device = noise.device
        which = torch.randint(len(self.mean), (count,), generator=noise, device=device)
        epsilon = torch.randn((count, self.mean.shape[1]), generator=noise, device=device)
        return self.mean[which] + (0.5 * self.log_variance[which]).exp() * epsilon

    def divergence(self, mean: Tensor, log_variance: Tensor, z: Tensor) -> Tensor:
        """An estimate of KL(q(z|x) || p(z)) of each x, nats, (B,): log q(z|x) - log p(z) of one sample z of q(z|x).

        Where a posterior is nearly the mixture it may come out below zero.

        Args:
            mean: μ of q(z|x), (B, k).
            log_variance: log σ², (B, k).
            z: the samples, (B, k).
        """
        return _log_normal(z, mean, log_variance) - self._log_density(z)

    def _log_density(self, z: Tensor) -> Tensor:
        # Multiplied out it would be two matrix products, but where σ is small float32 loses whole nats to them.
        each = _log_normal(z[:, None], self.mean, self.log_variance)  # (B, K)
        return each.logsumexp(1) - math.log(len(self.mean))


def _log_normal(z: Tensor, mean: Tensor, log_variance: Tensor) -> Tensor:
    """Log density of N(μ, σ²), summed over the latents, (..., k) to (...); but for -½ k log 2π, which all have."""
    return -0.5 * (log_variance + (z - mean).square() * (-log_variance).exp()).sum(-1)
