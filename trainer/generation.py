"""What the networks of a stage, as it stands, make of images and of noise; in whatever mode they are."""

import torch
from torch import Tensor

from trainer.networks.vae import VAE
from trainer.stages import Stage


def reconstructed(stage: Stage, x: Tensor, noise: torch.Generator) -> Tensor:
    """Images as they come back from one sample of each one's posterior, (B, C, H, W) to the same.

    Args:
        stage: the first.
        x: images in [0, 1].
        noise: what is drawn from.
    """
    return stage.network.decode(stage.balance.code(*stage.network.encode(x), noise))


def generated(stage: Stage, first: VAE, count: int, noise: torch.Generator) -> Tensor:
    """Images of the prior: GEN-1 in the first stage, GEN-2 in the second; (count, C, H, W) in [0, 1].

    With a learned γ, what the second stage samples is z ~ N(ẑ(u), γ_z²), u ~ N(0, I) (Dai & Wipf 2019); the code
    published for the computed γ adds no noise.

    Args:
        stage: one whose codes have a prior.
        first: the network of stage 1.
        count: how many.
        noise: what is drawn from.
    """
    size = stage.network.latents
    if stage.number == 1:
        mixture = stage.network.mixture()
        return first.decode(_prior(count, size, noise) if mixture is None else mixture.sample(count, noise))
    z = stage.network.decode(_prior(count, size, noise))
    deviation = stage.balance.sampling_noise
    return first.decode(z if deviation is None else z + deviation * _prior(count, size, noise))


def _prior(count: int, size: int, noise: torch.Generator) -> Tensor:
    """Samples of N(0, I), (count, size)."""
    return torch.randn((count, size), generator=noise, device=noise.device)
