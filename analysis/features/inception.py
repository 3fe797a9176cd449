"""Inception-v3 as FID takes it (Szegedy et al. 2016; the network published as inception-2015-12-05), to its pool_3.

It differs from torchvision's: average pools leave their padding out of the average, the last block has a maximum
where the others have an average, and there are 1,008 classes. Batch norm is folded into the convolutions, which costs
nothing in accuracy (in float64, then rounded), and saves a pass over every activation.

Layers are named as in pt_inception-2015-12-05-6726825d.pth, so that a block here can be read beside any other port.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

WIDTH = 2048
"""Features of an image."""
EPSILON = 1e-3
"""Of the batch norms."""
NORM = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
CLASSES = {"fc.weight": (1008, 2048), "fc.bias": (1008,)}
"""Entries of the file that come after the features."""

Side = int | tuple[int, int]


class Convolution(nn.Conv2d):
    """A convolution with its batch norm folded in, and ReLU."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, in, H, W) to (B, out, H', W')."""
        return functional.relu(super().forward(x), inplace=True)


def _average(x: Tensor) -> Tensor:
    return functional.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)


def _maximum(x: Tensor) -> Tensor:
    return functional.max_pool2d(x, 3, stride=1, padding=1)


def _halved(x: Tensor) -> Tensor:
    return functional.max_pool2d(x, 3, stride=2)


class _BlockA(nn.Module):
    """Mixed_5b to 5d, 35 × 35."""

    def __init__(self, channels: int, pooled: int) -> None:
        super().__init__()
        self.branch1x1 = Convolution(channels, 64, 1)
        self.branch5x5_1 = Convolution(channels, 48, 1)
        self.branch5x5_2 = Convolution(48, 64, 5, padding=2)
        self.branch3x3dbl_1 = Convolution(channels, 64, 1)
        self.branch3x3dbl_2 = Convolution(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = Convolution(96, 96, 3, padding=1)
        self.branch_pool = Convolution(channels, pooled, 1)

    def forward(self, x: Tensor) -> Tensor:
        """The four branches side by side."""
        five = self.branch5x5_2(self.branch5x5_1(x))
        three = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat((self.branch1x1(x), five, three, self.branch_pool(_average(x))), 1)


class _BlockB(nn.Module):
    """Mixed_6a: 35 × 35 to 17 × 17."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.branch3x3 = Convolution(channels, 384, 3, stride=2)
        self.branch3x3dbl_1 = Convolution(channels, 64, 1)
        self.branch3x3dbl_2 = Convolution(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = Convolution(96, 96, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """The three branches side by side."""
        three = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat((self.branch3x3(x), three, _halved(x)), 1)


class _BlockC(nn.Module):
    """Mixed_6b to 6e, 17 × 17: 7 × 7 convolutions as a row and a column."""

    def __init__(self, width: int) -> None:
        super().__init__()
        row: dict[str, Any] = {"kernel_size": (1, 7), "padding": (0, 3)}
        column: dict[str, Any] = {"kernel_size": (7, 1), "padding": (3, 0)}
        self.branch1x1 = Convolution(768, 192, 1)
        self.branch7x7_1 = Convolution(768, width, 1)
        self.branch7x7_2 = Convolution(width, width, **row)
        self.branch7x7_3 = Convolution(width, 192, **column)
        self.branch7x7dbl_1 = Convolution(768, width, 1)
        self.branch7x7dbl_2 = Convolution(width, width, **column)
        self.branch7x7dbl_3 = Convolution(width, width, **row)
        self.branch7x7dbl_4 = Convolution(width, width, **column)
        self.branch7x7dbl_5 = Convolution(width, 192, **row)
        self.branch_pool = Convolution(768, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        """The four branches side by side."""
        seven = self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x)))
        twice = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
        twice = self.branch7x7dbl_5(self.branch7x7dbl_4(twice))
        return torch.cat((self.branch1x1(x), seven, twice, self.branch_pool(_average(x))), 1)


class _BlockD(nn.Module):
    """Mixed_7a: 17 × 17 to 8 × 8."""

    def __init__(self) -> None:
        super().__init__()
        self.branch3x3_1 = Convolution(768, 192, 1)
        self.branch3x3_2 = Convolution(192, 320, 3, stride=2)
        self.branch7x7x3_1 = Convolution(768, 192, 1)
        self.branch7x7x3_2 = Convolution(192, 192, (1, 7), padding=(0, 3))
        self.branch7x7x3_3 = Convolution(192, 192, (7, 1), padding=(3, 0))
        self.branch7x7x3_4 = Convolution(192, 192, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """The three branches side by side."""
        seven = self.branch7x7x3_3(self.branch7x7x3_2(self.branch7x7x3_1(x)))
        return torch.cat((self.branch3x3_2(self.branch3x3_1(x)), self.branch7x7x3_4(seven), _halved(x)), 1)


class _BlockE(nn.Module):
    """Mixed_7b and 7c, 8 × 8."""

    def __init__(self, channels: int, *, maximum: bool) -> None:
        super().__init__()
        self.pool = _maximum if maximum else _average
        row: dict[str, Any] = {"kernel_size": (1, 3), "padding": (0, 1)}
        column: dict[str, Any] = {"kernel_size": (3, 1), "padding": (1, 0)}
        self.branch1x1 = Convolution(channels, 320, 1)
        self.branch3x3_1 = Convolution(channels, 384, 1)
        self.branch3x3_2a = Convolution(384, 384, **row)
        self.branch3x3_2b = Convolution(384, 384, **column)
        self.branch3x3dbl_1 = Convolution(channels, 448, 1)
        self.branch3x3dbl_2 = Convolution(448, 384, 3, padding=1)
        self.branch3x3dbl_3a = Convolution(384, 384, **row)
        self.branch3x3dbl_3b = Convolution(384, 384, **column)
        self.branch_pool = Convolution(channels, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        """The branches side by side; two of them fork."""
        three = self.branch3x3_1(x)
        twice = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        forks = (self.branch3x3_2a(three), self.branch3x3_2b(three))
        more = (self.branch3x3dbl_3a(twice), self.branch3x3dbl_3b(twice))
        return torch.cat((self.branch1x1(x), *forks, *more, self.branch_pool(self.pool(x))), 1)


class Inception(nn.Module):
    """The network up to its last average, in evaluation mode; made of a state dict as published."""

    def __init__(self, published: Mapping[str, Tensor]) -> None:
        """Fold and load the weights.

        Raises:
            ValueError: they are of another network; the message says where it differs.
        """
        super().__init__()
        with torch.device("meta"):  # no weights but those that are loaded
            self._build()
        self.load_state_dict(_folded(published, self.state_dict()), assign=True)
        # Channels last is how the convolutions of CPUs and of tensor cores compute.
        self.order = torch.channels_last
        self.to(memory_format=self.order).eval().requires_grad_(False)

    def _build(self) -> None:
        self.Conv2d_1a_3x3 = Convolution(3, 32, 3, stride=2)
        self.Conv2d_2a_3x3 = Convolution(32, 32, 3)
        self.Conv2d_2b_3x3 = Convolution(32, 64, 3, padding=1)
        self.Conv2d_3b_1x1 = Convolution(64, 80, 1)
        self.Conv2d_4a_3x3 = Convolution(80, 192, 3)
        self.Mixed_5b = _BlockA(192, 32)
        self.Mixed_5c = _BlockA(256, 64)
        self.Mixed_5d = _BlockA(288, 64)
        self.Mixed_6a = _BlockB(288)
        self.Mixed_6b = _BlockC(128)
        self.Mixed_6c = _BlockC(160)
        self.Mixed_6d = _BlockC(160)
        self.Mixed_6e = _BlockC(192)
        self.Mixed_7a = _BlockD()
        self.Mixed_7b = _BlockE(1280, maximum=False)
        self.Mixed_7c = _BlockE(2048, maximum=True)

    def forward(self, x: Tensor) -> Tensor:
        """Images (B, 3, 299, 299), about -1 to 1, to features (B, 2048)."""
        x = x.contiguous(memory_format=self.order)
        x = _halved(self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x))))
        x = _halved(self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(x)))
        x = self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(x)))
        x = self.Mixed_6e(self.Mixed_6d(self.Mixed_6c(self.Mixed_6b(self.Mixed_6a(x)))))
        x = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(x)))
        return x.mean((2, 3), dtype=torch.float32)


def _folded(published: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights and biases of the convolutions with their batch norms in them; ValueError where they do not fit."""
    layers = sorted({name.rpartition(".")[0] for name in wanted})
    shapes: dict[str, tuple[int, ...]] = dict(CLASSES)
    for layer in layers:
        weight = tuple(wanted[f"{layer}.weight"].shape)
        shapes[f"{layer}.conv.weight"] = weight
        shapes |= {f"{layer}.bn.{name}": () if name.startswith("num") else weight[:1] for name in NORM}
    _check(published, shapes)
    found = {}
    for layer in layers:
        gain, bias, mean, variance = (published[f"{layer}.bn.{name}"].double() for name in NORM[:4])
        gain = gain / torch.sqrt(variance + EPSILON)
        weight = published[f"{layer}.conv.weight"].double()
        found[f"{layer}.weight"] = (weight * gain[:, None, None, None]).float()
        found[f"{layer}.bias"] = (bias - mean * gain).float()
    return found


def _check(published: Mapping[str, Tensor], shapes: Mapping[str, tuple[int, ...]]) -> None:
    if lacking := sorted(shapes.keys() - published.keys()):
        raise ValueError(f"lacks {lacking[0]} and {len(lacking) - 1} other entries of {len(shapes)}")
    if foreign := sorted(published.keys() - shapes.keys()):
        raise ValueError(f"has {foreign[0]}, which is no entry of it")
    for name, shape in shapes.items():
        if tuple(published[name].shape) != shape:
            raise ValueError(f"{name} is of shape {tuple(published[name].shape)}, not {shape}")
