"""Layers whose weight, as a matrix, has the spectral norm 1 (Miyato et al. 2018, arXiv:1802.05957).

`torch.nn.utils.parametrizations.spectral_norm` is the same but for four things: it begins with directions drawn from
torch's own generator, which no seed of a run reaches; it iterates 15 times before the first step; under autocast a GPU
would round the norm to bfloat16; and it takes a transposed convolution for another matrix.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrize


class Spectral(nn.Module):
    """A weight over its largest singular value, which is followed by one power iteration a training step.

    A kernel is taken for the matrix (its first axis, all else): of a convolution (outputs, inputs · places), of a
    transposed one that of the convolution which it transposes (inputs, outputs · places), as in the published codes.
    """

    direction: Tensor
    """Estimate of the first right singular vector, (columns,): the one that the matrix stretches most."""

    def __init__(self, weight: Tensor, generator: torch.Generator) -> None:
        """Begin with a direction drawn from `generator`."""
        super().__init__()
        self.register_buffer("direction", torch.randn(weight[0].numel(), generator=generator, dtype=weight.dtype))

    def forward(self, weight: Tensor) -> Tensor:
        """The weight over its norm, the singular vectors taken as constants; moves `direction` in training only.

        The published codes move it at evaluation, too; here evaluating changes nothing.
        """
        with torch.autocast(weight.device.type, enabled=False):
            matrix = weight.flatten(1)
            with torch.no_grad():
                left = F.normalize(matrix.mv(self.direction), dim=0, eps=1e-12)
                right = F.normalize(left @ matrix, dim=0, eps=1e-12)
                if self.training:
                    self.direction.copy_(right)
            return weight / torch.dot(left, matrix.mv(right))


def normalise(module: nn.Module, generator: torch.Generator) -> None:
    """Have the weights of all linear layers and convolutions in a module over their spectral norms from now on.

    Args:
        module: with fresh weights, on the CPU. Its directions are part of its state.
        generator: what the first of them are drawn from.
    """
    for layer in module.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            # "Unsafe" is only that it is not tried out at once, which would be an iteration.
            parametrize.register_parametrization(layer, "weight", Spectral(layer.weight, generator), unsafe=True)


def plain_weight(layer: nn.Module) -> Tensor:
    """The weight that is trained, before it is normalised, if it is."""
    if parametrize.is_parametrized(layer, "weight"):
        plain = layer.parametrizations.weight.original
        assert isinstance(plain, Tensor)
        return plain
    assert isinstance(layer.weight, Tensor)
    return layer.weight
