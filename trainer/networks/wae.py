"""Dai & Wipf's WAE-like network (2019, their published code), after Tolstikhin et al. (2018): wide 5 x 5 convolutions.

As in the Resnet, stride-2 layers are the published TensorFlow layers mirrored in x and y.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from trainer.config import Network
from trainer.networks.norm import BatchNorm
from trainer.networks.vae import VAE, PosteriorHeads, halved, strided

PUBLISHED = 128
"""Channels of the first convolution; they double three times."""


class Wae(VAE):
    """Convolutions halving the side three times, linear heads on the flattened map, and the same in reverse."""

    decoding = ("start", "decoder")

    def __init__(self, settings: Network, shape: Sequence[int], precision: str = "float32") -> None:
        """Build the network for images of `shape` (H, W, C).

        Raises:
            UsageError: a side is no multiple of 8.
        """
        super().__init__(settings.latents, precision)
        height, width = halved("wae", shape, 3)
        channels = shape[2]
        widths = [(settings.conv_dim or PUBLISHED) << i for i in range(4)]
        self.grid = (height, width, widths[-1])
        values = self.grid[0] * self.grid[1] * self.grid[2]
        down: list[nn.Module] = [nn.Conv2d(channels, widths[0], 5, padding=2), *_normed(widths[0])]
        for narrow, wide in pairwise(widths):
            down += [nn.Conv2d(narrow, wide, 5, stride=2, padding=2), *_normed(wide)]
        self.encoder = nn.Sequential(*down)
        self.heads = PosteriorHeads(values, settings.latents)
        self.start = nn.Linear(settings.latents, values)
        up: list[nn.Module] = []
        for wide, narrow in pairwise(reversed(widths)):
            up += [nn.ConvTranspose2d(wide, narrow, 5, stride=2, padding=2, output_padding=1), *_normed(narrow)]
        self.decoder = nn.Sequential(*up, nn.ConvTranspose2d(widths[0], channels, 5, padding=2))
        self.penalise(settings.l2_down, strided(self.encoder))
        self.penalise(settings.l2_up, strided(self.decoder))

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Images (B, C, H, W) in [0, 1] to μ and log σ², each (B, k)."""
        with self.lowered(x.device):
            features = self.encoder(x).permute(0, 2, 3, 1)  # (B, H/8, W/8, wide)
        return self.heads(features.flatten(1).float())

    def decode(self, z: Tensor) -> Tensor:
        """Latents (B, k) to images (B, C, H, W) in [0, 1]."""
        with self.lowered(z.device):
            maps = F.relu(self.start(z)).view(-1, *self.grid).permute(0, 3, 1, 2)
            logits = self.decoder(maps)
        return logits.float().sigmoid()


def _normed(width: int) -> tuple[nn.Module, nn.Module]:
    return BatchNorm(width), nn.ReLU(inplace=True)
