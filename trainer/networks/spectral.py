"""Layers whose weight, as a matrix, has the spectral norm 1 (Miyato et al. 2018), by one power iteration a step.

`torch.nn.utils.parametrizations.spectral_norm` is the same but for two things: it begins with directions drawn from
torch's own generator, which no seed of a run reaches, and iterates 15 times before the first step.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class SpectralLinear(nn.Linear):
    """A linear layer with the weight divided by its spectral norm."""

    direction: Tensor
    """Estimate of the first right singular vector, (inputs,): the one that the layer stretches most."""

    def __init__(self, width_in: int, width: int) -> None:
        super().__init__(width_in, width)
        self.register_buffer("direction", torch.ones(width_in))

    def forward(self, x: Tensor) -> Tensor:
        """(B, width_in) to (B, width)."""
        return F.linear(x, _normalised(self.weight, self.direction, self.training), self.bias)


class SpectralConv2d(nn.Conv2d):
    """A convolution with the weight, as a matrix (outputs, inputs · places), divided by its spectral norm."""

    direction: Tensor
    """Estimate of the first right singular vector, (inputs · places,)."""

    def __init__(self, width_in: int, width: int, kernel: int, stride: int, padding: int) -> None:
        super().__init__(width_in, width, kernel, stride, padding)
        self.register_buffer("direction", torch.ones(width_in * kernel * kernel))

    def forward(self, x: Tensor) -> Tensor:
        """(B, width_in, H, W) to (B, width, H / stride, W / stride)."""
        weight = _normalised(self.weight, self.direction, self.training)
        return F.conv2d(x, weight, self.bias, self.stride, self.padding)


def _normalised(weight: Tensor, direction: Tensor, training: bool) -> Tensor:
    """The weight over its spectral norm, the directions taken as constants; moves `direction` in training only.

    The published code moves it at evaluation, too; here evaluating changes nothing.
    """
    with torch.autocast(weight.device.type, enabled=False):
        matrix = weight.flatten(1)
        with torch.no_grad():
            left = F.normalize(matrix.mv(direction), dim=0, eps=1e-12)
            right = F.normalize(left @ matrix, dim=0, eps=1e-12)
            if training:
                direction.copy_(right)
        return weight / torch.dot(left, matrix.mv(right))
