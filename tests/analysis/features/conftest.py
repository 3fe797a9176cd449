"""Inception written anew, slowly and layer by layer from a table, and weights for it."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional

from analysis.features import weights
from trainer import checkpoint
from trainer.config import Config, Data, Network
from trainer.data import cache
from trainer.networks.build import build
from vaemon import Recorder


def _conv(name, inputs, outputs, kernel, stride=1, padding=0):
    kernel = (kernel, kernel) if isinstance(kernel, int) else kernel
    return name, (inputs, outputs, kernel, stride, padding)


def _same(kernel):
    return (kernel[0] // 2, kernel[1] // 2)


def _a(block, inputs, pooled):
    yield _conv(f"{block}.branch1x1", inputs, 64, 1)
    yield _conv(f"{block}.branch5x5_1", inputs, 48, 1)
    yield _conv(f"{block}.branch5x5_2", 48, 64, 5, padding=2)
    yield _conv(f"{block}.branch3x3dbl_1", inputs, 64, 1)
    yield _conv(f"{block}.branch3x3dbl_2", 64, 96, 3, padding=1)
    yield _conv(f"{block}.branch3x3dbl_3", 96, 96, 3, padding=1)
    yield _conv(f"{block}.branch_pool", inputs, pooled, 1)


def _c(block, width):
    row, column = (1, 7), (7, 1)
    yield _conv(f"{block}.branch1x1", 768, 192, 1)
    yield _conv(f"{block}.branch7x7_1", 768, width, 1)
    yield _conv(f"{block}.branch7x7_2", width, width, row, padding=_same(row))
    yield _conv(f"{block}.branch7x7_3", width, 192, column, padding=_same(column))
    yield _conv(f"{block}.branch7x7dbl_1", 768, width, 1)
    for number, kernel in ((2, column), (3, row), (4, column)):
        yield _conv(f"{block}.branch7x7dbl_{number}", width, width, kernel, padding=_same(kernel))
    yield _conv(f"{block}.branch7x7dbl_5", width, 192, row, padding=_same(row))
    yield _conv(f"{block}.branch_pool", 768, 192, 1)


def _e(block, inputs):
    row, column = (1, 3), (3, 1)
    yield _conv(f"{block}.branch1x1", inputs, 320, 1)
    yield _conv(f"{block}.branch3x3_1", inputs, 384, 1)
    yield _conv(f"{block}.branch3x3dbl_1", inputs, 448, 1)
    yield _conv(f"{block}.branch3x3dbl_2", 448, 384, 3, padding=1)
    for name in ("branch3x3_2", "branch3x3dbl_3"):
        yield _conv(f"{block}.{name}a", 384, 384, row, padding=_same(row))
        yield _conv(f"{block}.{name}b", 384, 384, column, padding=_same(column))
    yield _conv(f"{block}.branch_pool", inputs, 192, 1)


LAYERS = dict(
    (
        _conv("Conv2d_1a_3x3", 3, 32, 3, stride=2),
        _conv("Conv2d_2a_3x3", 32, 32, 3),
        _conv("Conv2d_2b_3x3", 32, 64, 3, padding=1),
        _conv("Conv2d_3b_1x1", 64, 80, 1),
        _conv("Conv2d_4a_3x3", 80, 192, 3),
        *_a("Mixed_5b", 192, 32),
        *_a("Mixed_5c", 256, 64),
        *_a("Mixed_5d", 288, 64),
        _conv("Mixed_6a.branch3x3", 288, 384, 3, stride=2),
        _conv("Mixed_6a.branch3x3dbl_1", 288, 64, 1),
        _conv("Mixed_6a.branch3x3dbl_2", 64, 96, 3, padding=1),
        _conv("Mixed_6a.branch3x3dbl_3", 96, 96, 3, stride=2),
        *_c("Mixed_6b", 128),
        *_c("Mixed_6c", 160),
        *_c("Mixed_6d", 160),
        *_c("Mixed_6e", 192),
        _conv("Mixed_7a.branch3x3_1", 768, 192, 1),
        _conv("Mixed_7a.branch3x3_2", 192, 320, 3, stride=2),
        _conv("Mixed_7a.branch7x7x3_1", 768, 192, 1),
        _conv("Mixed_7a.branch7x7x3_2", 192, 192, (1, 7), padding=(0, 3)),
        _conv("Mixed_7a.branch7x7x3_3", 192, 192, (7, 1), padding=(3, 0)),
        _conv("Mixed_7a.branch7x7x3_4", 192, 192, 3, stride=2),
        *_e("Mixed_7b", 1280),
        *_e("Mixed_7c", 2048),
    )
)


@pytest.fixture(scope="session")
def random_weights():
    """A state dict of the published names and shapes; drawn so that features depend on the image."""
    draws = torch.Generator().manual_seed(0)
    found = {}
    for name, (inputs, outputs, kernel, _, _) in LAYERS.items():
        scale = math.sqrt(2 / (inputs * kernel[0] * kernel[1]))
        found[f"{name}.conv.weight"] = torch.randn((outputs, inputs, *kernel), generator=draws) * scale
        found[f"{name}.bn.weight"] = torch.rand(outputs, generator=draws) * 0.8 + 0.6
        found[f"{name}.bn.bias"] = torch.randn(outputs, generator=draws) * 0.1
        found[f"{name}.bn.running_mean"] = torch.randn(outputs, generator=draws) * 0.1
        found[f"{name}.bn.running_var"] = torch.rand(outputs, generator=draws) + 0.5
        found[f"{name}.bn.num_batches_tracked"] = torch.tensor(0)
    found["fc.weight"], found["fc.bias"] = torch.zeros(1008, 2048), torch.zeros(1008)
    return found


@pytest.fixture(scope="session")
def slow_inception(random_weights):  # noqa: C901
    """Images (n, 3, H, W) to features (n, 2048) in float64, batch norm after each convolution, pools by hand."""
    state = {name: value.double() for name, value in random_weights.items()}

    def layer(name, x):
        _, _, _, stride, padding = LAYERS[name]
        x = functional.conv2d(x, state[f"{name}.conv.weight"], stride=stride, padding=padding)
        gain, bias, mean, variance = (
            state[f"{name}.bn.{each}"][:, None, None] for each in ("weight", "bias", "running_mean", "running_var")
        )
        return ((x - mean) / (variance + 1e-3).sqrt() * gain + bias).clamp(min=0)

    def chain(x, *names):
        for name in names:
            x = layer(name, x)
        return x

    def average(x):
        padded = functional.pad(torch.stack((x, torch.ones_like(x))), (1, 1, 1, 1))
        total, number = padded.unfold(3, 3, 1).unfold(4, 3, 1).sum((-1, -2))
        return total / number

    def maximum(x):
        return functional.pad(x, (1, 1, 1, 1)).unfold(2, 3, 1).unfold(3, 3, 1).amax((-1, -2))  # of values >= 0

    def halved(x):
        return x.unfold(2, 3, 2).unfold(3, 3, 2).amax((-1, -2))

    def a(block, x):
        return (
            chain(x, f"{block}.branch1x1"),
            chain(x, f"{block}.branch5x5_1", f"{block}.branch5x5_2"),
            chain(x, *(f"{block}.branch3x3dbl_{i}" for i in (1, 2, 3))),
            chain(average(x), f"{block}.branch_pool"),
        )

    def c(block, x):
        return (
            chain(x, f"{block}.branch1x1"),
            chain(x, *(f"{block}.branch7x7_{i}" for i in (1, 2, 3))),
            chain(x, *(f"{block}.branch7x7dbl_{i}" for i in (1, 2, 3, 4, 5))),
            chain(average(x), f"{block}.branch_pool"),
        )

    def e(block, x, pool):
        three = chain(x, f"{block}.branch3x3_1")
        twice = chain(x, f"{block}.branch3x3dbl_1", f"{block}.branch3x3dbl_2")
        return (
            chain(x, f"{block}.branch1x1"),
            *(chain(three, f"{block}.branch3x3_2{side}") for side in "ab"),
            *(chain(twice, f"{block}.branch3x3dbl_3{side}") for side in "ab"),
            chain(pool(x), f"{block}.branch_pool"),
        )

    def forward(images):
        x = chain(images.double(), "Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3")
        x = halved(chain(halved(x), "Conv2d_3b_1x1", "Conv2d_4a_3x3"))
        for block in ("Mixed_5b", "Mixed_5c", "Mixed_5d"):
            x = torch.cat(a(block, x), 1)
        dbl = (f"Mixed_6a.branch3x3dbl_{i}" for i in (1, 2, 3))
        x = torch.cat((chain(x, "Mixed_6a.branch3x3"), chain(x, *dbl), halved(x)), 1)
        for block in ("Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e"):
            x = torch.cat(c(block, x), 1)
        three = chain(x, "Mixed_7a.branch3x3_1", "Mixed_7a.branch3x3_2")
        seven = chain(x, *(f"Mixed_7a.branch7x7x3_{i}" for i in (1, 2, 3, 4)))
        x = torch.cat((three, seven, halved(x)), 1)
        x = torch.cat(e("Mixed_7b", x, average), 1)
        return torch.cat(e("Mixed_7c", x, maximum), 1).mean((2, 3))

    return forward


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """No test sees, or leaves, what is in the user's cache folder, or his weights."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv(weights.VARIABLE, raising=False)
    return cache.place()


@pytest.fixture
def small_run(tmp_path):
    """The folder of a run with a checkpoint, and images that its encoder takes."""
    config = Config(data=Data(name="shapes", size=8), network=Network(name="dense", latents=3, hidden=(6,)))
    with Recorder("small", runs=tmp_path / "runs", latents=3) as recorder:
        recorder.log(1, mean_variance=np.ones(3))
    network = build(config, 1, (8, 8, 3), torch.Generator().manual_seed(1))
    state = {"network": network.state_dict(), "step": 1, "epoch": 1, "steps_per_epoch": 1}
    checkpoint.save(tmp_path / "runs" / "small", 1, state, config, (8, 8, 3))
    return tmp_path / "runs" / "small", np.random.default_rng(0).integers(0, 256, (5, 8, 8, 3), dtype=np.uint8)
