"""The paper's "Resnet" (Asperti & Trentin 2020, fig. 1; Dai & Wipf 2019, its published code).

Trained from scratch, its stride-2 layers with padding 1 are the published TensorFlow layers mirrored in x and y.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from trainer.config import Network
from trainer.networks.norm import BatchNorm
from trainer.networks.vae import VAE, PosteriorHeads, strided
from vaemon.errors import UsageError

WIDEST = 1024
"""Channels of the decoder are capped here."""


class Resnet(VAE):
    """Residual convolutional encoder and decoder of square images whose side is a power of two."""

    decoding = ("decoder",)

    def __init__(self, settings: Network, shape: Sequence[int], precision: str = "float32") -> None:
        """Build the network for images of `shape` (H, W, C).

        Raises:
            UsageError: the images do not fit it.
        """
        super().__init__(settings.latents, precision)
        side, channels = _check_sides(settings, shape)
        self.encoder = Encoder(settings, channels)
        self.decoder = Decoder(settings, side, channels)
        self.penalise(settings.l2_down, strided(self.encoder))
        self.penalise(settings.l2_up, strided(self.decoder))
        self.penalise(settings.l2_scale, _scale_convolutions(self.decoder))

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Images (B, C, H, W) in [0, 1] to μ and log σ², each (B, k)."""
        with self.lowered(x.device):
            features = self.encoder.scales(x)
        return self.encoder.to_posterior(features.float())

    def decode(self, z: Tensor) -> Tensor:
        """Latents (B, k) to images (B, C, H, W) in [0, 1]."""
        grid = self.decoder.to_grid(z)
        with self.lowered(z.device):
            logits = self.decoder.scales(grid)
        return logits.float().sigmoid()


class Encoder(nn.Module):
    """Convolutions down to a map, its mean over the places, one fully connected block, two heads."""

    def __init__(self, settings: Network, channels: int) -> None:
        super().__init__()
        width = settings.base_dim
        layers: list[nn.Module] = [_conv(channels, width), _scale_block(width, settings)]
        for _ in range(settings.num_scale - 1):
            layers += [nn.Conv2d(width, 2 * width, 3, stride=2, padding=1), _scale_block(2 * width, settings)]
            width *= 2
        self.scales = nn.Sequential(*layers)
        self.block = FullyConnectedBlock(width, settings.fc_dim)
        self.heads = PosteriorHeads(settings.fc_dim, settings.latents)

    def to_posterior(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """A map (B, width, h, w) to μ and log σ²."""
        return self.heads(self.block(features.mean((2, 3))))  # (B, width) -> (B, k) twice


class Decoder(nn.Module):
    """From a 2 x 2 grid, doubling the side until it is the image's."""

    def __init__(self, settings: Network, side: int, channels: int) -> None:
        super().__init__()
        widths = [min(WIDEST, settings.base_dim * (side >> i)) for i in range(1, int(math.log2(side)) + 1)]
        self.grid_width = widths[0]
        self.start = nn.Linear(settings.latents, 2 * 2 * widths[0])
        layers: list[nn.Module] = []
        for wide, narrow in pairwise(widths):
            layers.append(nn.ConvTranspose2d(wide, narrow, 3, stride=2, padding=1, output_padding=1))
            layers.append(_scale_block(narrow, settings))
        self.scales = nn.Sequential(*layers, _conv(widths[-1], channels))

    def to_grid(self, z: Tensor) -> Tensor:
        """Latents (B, k) to a map (B, width, 2, 2), its memory in the order of channels_last."""
        return self.start(z).view(-1, 2, 2, self.grid_width).permute(0, 3, 1, 2)


class ResidualBlock(nn.Module):
    """`depth` times batch norm, ReLU, 3x3 convolution; the shortcut is a 3x3 convolution, always."""

    def __init__(self, width: int, depth: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for _ in range(depth):
            layers += [BatchNorm(width), nn.ReLU(inplace=True), _conv(width, width)]
        self.body = nn.Sequential(*layers)
        self.shortcut = _conv(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, width, h, w) to the same shape."""
        return self.shortcut(x) + self.body(x)


class FullyConnectedBlock(nn.Module):
    """Two times ReLU, linear; the shortcut is linear. No norm."""

    def __init__(self, width_in: int, width: int) -> None:
        super().__init__()
        self.first = nn.Linear(width_in, width)
        self.second = nn.Linear(width, width)
        self.shortcut = nn.Linear(width_in, width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, width_in) to (B, width)."""
        return self.shortcut(x) + self.second(F.relu(self.first(F.relu(x))))


def _conv(width_in: int, width: int) -> nn.Conv2d:
    return nn.Conv2d(width_in, width, 3, padding=1)


def _scale_block(width: int, settings: Network) -> nn.Sequential:
    return nn.Sequential(*(ResidualBlock(width, settings.depth_per_block) for _ in range(settings.block_per_scale)))


def _scale_convolutions(module: nn.Module) -> list[nn.Module]:
    blocks = (each for each in module.modules() if isinstance(each, ResidualBlock))
    return [each for block in blocks for each in block.modules() if isinstance(each, nn.Conv2d)]


def _check_sides(settings: Network, shape: Sequence[int]) -> tuple[int, int]:
    height, width, channels = shape
    if height != width or height < 4 or height & (height - 1):
        near = 1 << max(2, math.ceil(math.log2(max(height, width))))
        way = (
            f"data.pad={(near - height) // 2} pads"
            if height == width and height % 2 == 0
            else "a square data.size fits"
        )
        raise UsageError(
            f"network=resnet needs square images with a side of 4, 8, 16, 32, …, these are {height} x {width}; "
            f"{way} them to {near}, network=dense takes any"
        )
    most = int(math.log2(height)) + 1
    if settings.num_scale > most:
        raise UsageError(f"network.num_scale={settings.num_scale} halves {height} pixels too often; at most {most}")
    return height, channels
