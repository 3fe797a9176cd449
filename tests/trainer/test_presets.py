"""What the presets are set to, against the paper's and the published code's figures; and that each of them trains."""

import tomllib

import numpy as np
import pytest
import torch

from trainer.catalogue import presets
from trainer.config import flattened, to_tree
from trainer.loop import train_batch
from trainer.networks.build import IMAGE_NETWORKS
from trainer.networks.second_stage import SecondStage
from trainer.settings import load_preset, resolve
from trainer.stages import image_stage, latent_stage

IMAGES = {"cifar10": (32, 3), "celeba": (64, 3), "mnist": (28, 1), "fashion": (28, 1), "shapes": (32, 3)}
"""Side and channels of each dataset's images, where data.size asks for no other."""


def read(text: str) -> dict[str, object]:
    """Values by dotted key of TOML."""
    return flattened(tomllib.loads(text))


CIFAR10 = read("""
data = {name = "cifar10", jpeg_roundtrip = false}
balance = {name = "computed", momentum = 0.99}
stage1 = {epochs = 700, batch = 100, lr = 1e-4, halve_every = 200, kl_weight = 1.0}
stage2 = {epochs = 1400, batch = 100, lr = 1e-4, halve_every = 400, kl_weight = 1.0, second_dim = 2048}
[network]
name = "resnet"
latents = 64
base_dim = 32
fc_dim = 512
num_scale = 3
block_per_scale = 1
depth_per_block = 2
l2_down = 0.0
l2_up = 0.0
l2_scale = 0.0
""")
CELEBA = CIFAR10 | read("""
data = {name = "celeba", size = 64, resize = "bilinear"}
network = {num_scale = 4, l2_down = 1e-3, l2_up = 1e-3}
stage1 = {epochs = 70, lr = 5e-5, halve_every = 60, kl_weight = 4.0}
stage2 = {epochs = 140, lr = 5e-5, halve_every = 120, second_dim = 4096}
""")
TABLE_3 = CELEBA | read("""
data.resize = "nearest"
network = {l2_down = 0.0, l2_up = 0.0}
stage1 = {epochs = 120, lr = 1e-4, halve_every = 48, kl_weight = 1.0}
stage2 = {epochs = 300, lr = 1e-4, halve_every = 120}
""")
CIFAR10_LEARNED = CIFAR10 | read("""
balance.name = "learned"
stage1 = {epochs = 1000, halve_every = 300}
stage2 = {epochs = 2000, halve_every = 600}
""")
DIGITS = read("""
data.pad = 2
balance.name = "computed"
stage1 = {epochs = 400, batch = 100, lr = 1e-4, halve_every = 150, kl_weight = 1.0}
stage2 = {epochs = 800, batch = 100, lr = 1e-4, halve_every = 300, second_dim = 1024}
""")
COMPUTED = {
    "cifar10": CIFAR10,
    "celeba": CELEBA,
    "celeba-1": TABLE_3,
    "celeba-2": {**TABLE_3, "network.l2_up": 1e-3, "network.l2_scale": 1e-3},
    "celeba-3": {**TABLE_3, "network.block_per_scale": 2, "network.l2_down": 1e-3},
    "celeba-4": {**TABLE_3, "network.latents": 128, "network.num_scale": 3},
}
FIGURES = {
    **COMPUTED,
    "cifar10-learned-gamma": CIFAR10_LEARNED,
    **{f"celeba-{n}-learned-gamma": {**COMPUTED[f"celeba-{n}"], "balance.name": "learned"} for n in (1, 2, 3, 4)},
    "mnist": {**DIGITS, "data.name": "mnist"},
    "fashion": {**DIGITS, "data.name": "fashion"},
    "mnist-dense": {"network.name": "dense", "balance.name": "fixed", "stage1.kl_weight": 1.0},
    "shapes": {"data.name": "shapes", "balance.name": "computed"},
}
"""Of each preset, the keys that a source settles: `../shared/paper/method.md`, sections 2, 6 and 7."""

COUNTS = {
    "cifar10": (1_135_840, 4_054_627, 17_457_344),
    **dict.fromkeys(("celeba", "celeba-1", "celeba-2"), (3_333_344, 15_988_323, 68_456_640)),
}
"""Parameters of encoder, decoder and second stage."""


def shape_of(config) -> tuple[int, int, int]:
    """Of the images that the network sees."""
    side, channels = IMAGES[config.data.name]
    side = (config.data.size or side) + 2 * config.data.pad
    return side, side, channels


def test_no_preset_is_without_figures():
    assert set(FIGURES) == set(presets())


@pytest.mark.parametrize("preset", FIGURES)
def test_a_preset_is_what_its_source_says(preset):
    config = flattened(to_tree(load_preset(preset)))
    assert {key: config[key] for key in FIGURES[preset]} == FIGURES[preset]
    assert config["stage2.enabled"]


@pytest.mark.parametrize("preset", COUNTS)
def test_a_presets_networks_have_as_many_parameters_as_the_published_ones(preset):
    config = load_preset(preset)
    with torch.device("meta"):  # shapes without weights
        network = IMAGE_NETWORKS[config.network.name](config.network, shape_of(config))
        second = SecondStage(config.network.latents, config.stage2.second_dim, config.stage2.second_depth)
    parts = (network.encoder, network.decoder, second)
    assert tuple(sum(each.numel() for each in part.parameters()) for part in parts) == COUNTS[preset]


SMALL = ["stage1.batch=3", "stage2.batch=3", "stage2.second_dim=8", "threads=1"]
SMALLER = {"resnet": ["network.base_dim=2", "network.fc_dim=8"], "dense": []}


@pytest.mark.parametrize("quick", [False, True], ids=["whole", "quick"])
@pytest.mark.parametrize("preset", presets())
def test_a_preset_trains_two_steps_of_each_stage(preset, quick):
    whole = load_preset(preset, quick)
    config = resolve(whole, SMALL + SMALLER[whole.network.name])
    shape = shape_of(config)
    pixels = np.random.default_rng(0).integers(0, 256, (6, *shape), dtype=np.uint8)
    first = image_stage(config, pixels, torch.device("cpu"))
    generator = torch.Generator().manual_seed(0)
    posteriors = torch.randn(2, 6, config.network.latents, generator=generator)
    second = latent_stage(config, *posteriors, shape)
    for stage in (first, second):
        for rows in stage.shuffle():
            channels = train_batch(stage, rows)
            assert all(torch.as_tensor(value).isfinite().all() for value in channels.values())
            assert channels["mean_variance"].shape == (config.network.latents,)
        assert ("l2" in channels) == (stage is first and preset.removesuffix("-learned-gamma") in PENALISED)


PENALISED = {"celeba", "celeba-2", "celeba-3"}
