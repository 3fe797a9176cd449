"""The VAE of the latents (Dai & Wipf 2019, arXiv:1903.05789, and its published code)."""

import torch
from torch import Tensor, nn

from trainer.networks.vae import VAE, PosteriorHeads


class SecondStage(VAE):
    """Encoder z -> u and decoder u -> ẑ, each `depth` ReLU layers joined with their own input."""

    decoding = ("decoder", "head")

    def __init__(self, latents: int, width: int, depth: int, precision: str = "float32") -> None:
        super().__init__(latents, precision)
        self.encoder = _layers(latents, width, depth)
        self.heads = PosteriorHeads(width + latents, latents)
        self.decoder = _layers(latents, width, depth)
        self.head = nn.Linear(width + latents, latents)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """First-stage latents z, (B, k), to μ and log σ² of u, each (B, k)."""
        return self.heads(self._joined(self.encoder, x))

    def decode(self, z: Tensor) -> Tensor:
        """Second-stage latents u, (B, k), to ẑ, (B, k); linear, for latents have no bounds."""
        return self.head(self._joined(self.decoder, z))

    def _joined(self, layers: nn.Module, given: Tensor) -> Tensor:
        with self.lowered(given.device):
            features = layers(given)
        return torch.cat([features.float(), given], 1)  # (B, width + k)


def _layers(latents: int, width: int, depth: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for width_in in (latents, *[width] * (depth - 1)):
        layers += [nn.Linear(width_in, width), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)
