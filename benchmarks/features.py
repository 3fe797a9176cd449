"""Images a second through Inception: ours against pytorch-fid's and torch-fidelity's form, with one random state dict.

    python benchmarks/features.py [--images 32] [--rounds 3] [--peers FOLDER]

On one core, by its own seconds, so that what else the machine does is not counted. The forms are timed in turn, round
by round, and the best round of each counts. The peers' form is theirs line by line: convolution, batch norm and ReLU
one after another, in memory as PyTorch has it by default. With --peers, a folder that `pip install --no-deps --target
FOLDER torch-fidelity` made, torch-fidelity's own network is timed and compared instead. bfloat16 is timed only on
processors that have it; its error is told everywhere.
"""

import argparse
import math
import sys
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from figures import begin
from tables import Bars, number, print_note, print_table
from torch import Tensor, nn
from torch.nn import functional

from analysis.features.inception import Convolution, Inception
from analysis.features.recipes import RECIPES
from trainer.precision import emulates_bfloat16

BATCH = 8
CLAIMED_RATIO, CLAIMED_ERROR = 1.4, 1e-6
PEERS, SINGLE, HALF = "the peers' form", "vaemon float32", "vaemon bfloat16"


class _Plain(nn.Module):
    """A convolution, a batch norm and a ReLU, as the peers have them."""

    def __init__(self, conv: nn.Conv2d, norm: nn.BatchNorm2d) -> None:
        super().__init__()
        self.conv, self.bn = conv, norm

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.bn(self.conv(x)), inplace=True)


def random_weights() -> dict[str, Tensor]:
    """Weights such that activations keep their size from layer to layer, as in a network that was trained."""
    draws = torch.Generator().manual_seed(0)
    with torch.device("meta"):
        bare = Inception.__new__(Inception)
        nn.Module.__init__(bare)
        bare._build()
    found = {}
    for name, layer in bare.named_modules():
        if isinstance(layer, Convolution):
            shape, out = tuple(layer.weight.shape), layer.out_channels
            scale = math.sqrt(2 / math.prod(shape[1:]))
            found[f"{name}.conv.weight"] = torch.randn(shape, generator=draws) * scale
            found[f"{name}.bn.weight"] = torch.rand(out, generator=draws) * 0.8 + 0.6
            found[f"{name}.bn.bias"] = torch.randn(out, generator=draws) * 0.1
            found[f"{name}.bn.running_mean"] = torch.randn(out, generator=draws) * 0.1
            found[f"{name}.bn.running_var"] = torch.rand(out, generator=draws) + 0.5
            found[f"{name}.bn.num_batches_tracked"] = torch.tensor(0)
    return found | {"fc.weight": torch.zeros(1008, 2048), "fc.bias": torch.zeros(1008)}


def plain(state: dict[str, Tensor]) -> Callable[[Tensor], Tensor]:
    """The peers' form: our blocks with each folded convolution undone."""
    network = Inception(state)
    for name, layer in list(network.named_modules()):
        if isinstance(layer, Convolution):
            conv = nn.Conv2d(
                *(layer.in_channels, layer.out_channels, layer.kernel_size, layer.stride, layer.padding), bias=False
            )
            norm = nn.BatchNorm2d(layer.out_channels, eps=1e-3)
            own = _Plain(conv, norm)
            own.load_state_dict(
                {key.removeprefix(f"{name}."): value for key, value in state.items() if key.startswith(f"{name}.")}
            )
            where, _, last = name.rpartition(".")
            setattr(network.get_submodule(where), last, own)
    network.to(memory_format=torch.contiguous_format).eval().requires_grad_(False)
    network.order = torch.contiguous_format
    return network


def torch_fidelity(state: dict[str, Tensor], folder: str) -> Callable[[Tensor], Tensor]:
    """Its network, without its package's own beginning, which needs torchvision."""
    sys.path.insert(0, folder)
    package = types.ModuleType("torch_fidelity")
    package.__path__ = [str(Path(folder) / "torch_fidelity")]
    sys.modules["torch_fidelity"] = package
    from torch_fidelity import feature_extractor_inceptionv3 as theirs  # type: ignore[import-not-found]

    theirs.load_state_dict_from_url = lambda *_, **__: state
    network = theirs.FeatureExtractorInceptionV3("inception", ["2048"])
    # As it goes on from its own resizing, which is not what is timed here.
    theirs.interpolate_bilinear_2d_like_tensorflow1x = lambda x, **_: x
    return lambda x: network((x * 128 + 128).round().to(torch.uint8))[0]


def seconds(network: Callable[[Tensor], Tensor], images: Tensor) -> float:
    """Of the processor, for all images, in batches."""
    began = time.process_time()
    for part in images.split(BATCH):
        network(part)
    return time.process_time() - began


def relative(features: Tensor, wanted: Tensor) -> float:
    """The error of features, |f - w| / |w| over all of them."""
    return float((features.double() - wanted.double()).norm() / wanted.double().norm())


@torch.no_grad()
def main() -> None:
    """Time, compare, and print."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--images", type=int, default=32)
    asked.add_argument("--rounds", type=int, default=3)
    asked.add_argument("--peers")
    given = asked.parse_args()
    begin()
    torch.set_num_threads(1)
    state = random_weights()
    pixels = np.random.default_rng(0).integers(0, 256, (given.images, 32, 32, 3), dtype=np.uint8)
    images = RECIPES["tf"].prepared([pixels], "judged", torch.device("cpu"))
    images = ((images * 128 + 128).round() - 128) / 128  # whole bytes, which are what torch-fidelity's network takes
    half: Any = Inception(state).to(torch.bfloat16)
    networks: dict[str, Callable[[Tensor], Tensor]] = {
        PEERS: torch_fidelity(state, given.peers) if given.peers else plain(state),
        SINGLE: Inception(state),
        HALF: lambda x: half(x.to(torch.bfloat16)),
    }
    first = images[:BATCH]
    wanted = networks[PEERS](first)
    errors = {name: relative(network(first), wanted) for name, network in networks.items()}
    if emulates_bfloat16(torch.device("cpu")):
        del networks[HALF]
    best = dict.fromkeys(networks, math.inf)
    for _ in range(given.rounds):
        for name, network in networks.items():
            best[name] = min(best[name], seconds(network, images))
    rows = [
        (name, number(given.images / took), f"{best[PEERS] / took:.2f}", f"{errors[name]:.1e}")
        for name, took in best.items()
    ]
    title = f"Inception on one core: {given.images} images in batches of {BATCH}, best of {given.rounds} rounds"
    print_table(title, ("", "images/s", "of the peers'", "error"), rows)
    if HALF not in best:
        print_note(f"{HALF} is emulated by this processor, hence not timed; its error is {errors[HALF]:.1e}.")
    bars = Bars()
    bars.at_least(f"{SINGLE}, in the peers' images/s", best[PEERS] / best[SINGLE], CLAIMED_RATIO, "×")
    bars.at_most(f"{SINGLE}, relative error of the features", errors[SINGLE], CLAIMED_ERROR, "")
    bars.print()


if __name__ == "__main__":
    main()
