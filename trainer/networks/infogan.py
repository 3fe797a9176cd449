"""Dai & Wipf's InfoGAN-like network (2019, their published code), after Chen et al. (2016).

Two convolutions and a wide linear layer, and the same in reverse; the encoder's layers are spectrally normalised. It is
the network that most of their comparisons share.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainer.config import Network
from trainer.networks.norm import BatchNorm
from trainer.networks.spectral import normalise
from trainer.networks.vae import VAE, halved, strided

PUBLISHED = 64
"""Channels of the first convolution; the second has twice as many, the linear layers sixteen times."""
LEAK = 0.2
LEAST_SIGMA = 1e-6
SPREAD = 0.02
"""Standard deviation of fresh weights."""


class Infogan(VAE):
    """4 x 4 convolutions of stride 2 on images of any sides that can be halved twice."""

    decoding = ("start", "images")

    def __init__(self, settings: Network, shape: Sequence[int], precision: str = "float32") -> None:
        """Build the network for images of `shape` (H, W, C).

        Raises:
            UsageError: a side is no multiple of 4.
        """
        super().__init__(settings.latents, precision)
        height, width = halved("infogan", shape, 2)
        channels = shape[2]
        narrow = settings.conv_dim or PUBLISHED
        wide, hidden, places = 2 * narrow, 16 * narrow, height * width
        self.grid = (height, width, wide)
        self.maps = nn.Sequential(
            nn.Conv2d(channels, narrow, 4, stride=2, padding=1),
            nn.LeakyReLU(LEAK, inplace=True),
            nn.Conv2d(narrow, wide, 4, stride=2, padding=1),
            BatchNorm(wide),
            nn.LeakyReLU(LEAK, inplace=True),
        )
        self.features = nn.Sequential(
            nn.Linear(wide * places, hidden), BatchNorm(hidden), nn.LeakyReLU(LEAK, inplace=True)
        )
        self.heads = nn.Linear(hidden, 2 * settings.latents)
        self.start = nn.Sequential(
            *(nn.Linear(settings.latents, hidden), BatchNorm(hidden), nn.ReLU(inplace=True)),
            *(nn.Linear(hidden, wide * places), BatchNorm(wide * places), nn.ReLU(inplace=True)),
        )
        self.images = nn.Sequential(
            *(nn.ConvTranspose2d(wide, narrow, 4, stride=2, padding=1), BatchNorm(narrow), nn.ReLU(inplace=True)),
            nn.ConvTranspose2d(narrow, channels, 4, stride=2, padding=1),
        )
        self.penalise(settings.l2_down, strided(self.maps))
        self.penalise(settings.l2_up, strided(self.images))

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Images (B, C, H, W) in [0, 1] to μ and log σ², each (B, k); σ is a softplus, at least 1e-6."""
        with self.lowered(x.device):
            maps = self.maps(x).permute(0, 2, 3, 1)  # (B, H/4, W/4, wide)
            features = self.features(maps.flatten(1))
        mean, sigma = self.heads(features.float()).chunk(2, 1)
        return mean, 2.0 * torch.log(LEAST_SIGMA + F.softplus(sigma))

    def decode(self, z: Tensor) -> Tensor:
        """Latents (B, k) to images (B, C, H, W) in [0, 1]."""
        with self.lowered(z.device):
            maps = self.start(z).view(-1, *self.grid).permute(0, 3, 1, 2)
            logits = self.images(maps)
        return logits.float().sigmoid()

    @torch.no_grad()
    def initialise(self, generator: torch.Generator) -> None:
        """Draw fresh weights: normal with deviation 0.02, in convolutions cut off at twice that; biases are zero.

        From then on the encoder's are normalised.
        """
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.trunc_normal_(layer.weight, 0.0, SPREAD, -2 * SPREAD, 2 * SPREAD, generator=generator)
            elif isinstance(layer, nn.Linear | nn.ConvTranspose2d):
                nn.init.normal_(layer.weight, 0.0, SPREAD, generator=generator)
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
                nn.init.zeros_(layer.bias)
        for part in (self.maps, self.features, self.heads):
            normalise(part, generator)
