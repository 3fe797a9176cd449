"""A plain VAE of fully connected layers, as in the paper's fig. 4 (whose sizes it does not give)."""

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from trainer.config import Network
from trainer.networks.vae import VAE, PosteriorHeads


class Dense(VAE):
    """Linear layers with ReLU; the decoder's widths are the encoder's in reverse, its output a sigmoid."""

    decoding = ("decoder", "head")

    def __init__(self, settings: Network, shape: Sequence[int], precision: str = "float32") -> None:
        """Build the network for images of `shape` (H, W, C)."""
        super().__init__(settings.latents, precision)
        height, width, channels = shape
        self.shape = (channels, height, width)
        values = math.prod(shape)
        self.encoder = _layers([values, *settings.hidden])
        self.heads = PosteriorHeads((values, *settings.hidden)[-1], settings.latents)
        self.decoder = _layers([settings.latents, *reversed(settings.hidden)])
        self.head = nn.Linear((settings.latents, *reversed(settings.hidden))[-1], values)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Images (B, C, H, W) in [0, 1] to μ and log σ², each (B, k)."""
        with self.lowered(x.device):
            features = self.encoder(x.flatten(1))
        return self.heads(features.float())

    def decode(self, z: Tensor) -> Tensor:
        """Latents (B, k) to images (B, C, H, W) in [0, 1]."""
        with self.lowered(z.device):
            logits = self.head(self.decoder(z))
        return logits.float().sigmoid().view(-1, *self.shape)

    @torch.no_grad()
    def initialise(self, generator: torch.Generator) -> None:
        """Draw fresh weights and biases, uniform within 1/√inputs: what an ordinary PyTorch layer begins with.

        They are smaller than Glorot's where a layer widens, and so leave latents asleep that Glorot's would wake.
        """
        for layer in self.modules():
            if isinstance(layer, nn.Linear):
                limit = layer.in_features**-0.5
                layer.weight.uniform_(-limit, limit, generator=generator)
                layer.bias.uniform_(-limit, limit, generator=generator)


def _layers(widths: Sequence[int]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for width_in, width in pairwise(widths):
        layers += [nn.Linear(width_in, width), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)
