import math

import pytest
import torch
from torch import nn

from trainer.config import Config, Network, Stage2
from trainer.networks.build import IMAGE_NETWORKS, build
from trainer.networks.resnet import Decoder, Encoder
from trainer.networks.second_stage import SecondStage
from trainer.networks.vae import draw, images_to_input
from vaemon.errors import UsageError

CIFAR = (32, 32, 3)


def count(module: nn.Module) -> int:
    return sum(each.numel() for each in module.parameters())


def make(shape=CIFAR, precision="float32", seed=0, **network):
    config = Config(network=Network(**network), precision=precision)
    return build(config, 1, shape, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(
    ("base_dim", "side", "num_scale", "encoder", "decoder"),
    [
        (32, 32, 3, 1_135_840, 4_054_627),
        (16, 32, 3, 564_400, 1_048_115),
        (32, 64, 4, 3_333_344, 15_988_323),
    ],
    ids=["CIFAR-10", "CIFAR-10, base_dim 16", "CelebA"],
)
def test_parameters_are_as_many_as_the_published_networks(base_dim, side, num_scale, encoder, decoder):
    settings = Network(base_dim=base_dim, num_scale=num_scale)
    with torch.device("meta"):  # shapes without weights
        assert count(Encoder(settings, 3)) == encoder
        assert count(Decoder(settings, side, 3)) == decoder


def test_the_second_stage_has_as_many_parameters_as_the_published_one():
    with torch.device("meta"):
        assert count(SecondStage(latents=64, width=2048, depth=3)) == 17_457_344


def test_dense_layers_are_as_wide_as_set():
    network = make(name="dense", shape=(28, 28, 1), latents=16, hidden=(256, 64))
    widths = [layer.weight.shape for layer in network.modules() if isinstance(layer, nn.Linear)]
    assert widths == [(256, 784), (64, 256), (16, 64), (16, 64), (64, 16), (256, 64), (784, 256)]


SMALL = {
    "resnet": {"name": "resnet", "shape": (8, 8, 3), "base_dim": 2, "fc_dim": 8, "latents": 5, "num_scale": 2},
    "infogan": {"name": "infogan", "shape": (8, 12, 3), "latents": 5, "conv_dim": 2},
    "infogan, grey": {"name": "infogan", "shape": (4, 4, 1), "latents": 5, "conv_dim": 2},
    "wae": {"name": "wae", "shape": (16, 8, 3), "latents": 5, "conv_dim": 2},
    "wae, grey": {"name": "wae", "shape": (8, 8, 1), "latents": 5, "conv_dim": 2},
    "dense": {"name": "dense", "shape": (6, 5, 1), "latents": 5, "hidden": (8,)},
    "linear": {"name": "dense", "shape": (6, 5, 3), "latents": 5, "hidden": ()},
}


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("settings", SMALL.values(), ids=SMALL)
@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
def test_images_become_posteriors_and_images_again(settings, precision, training):
    network = make(precision=precision, **settings).train(training)
    height, width, channels = settings["shape"]
    pixels = torch.randint(0, 256, (7, height, width, channels), dtype=torch.uint8)
    mean, log_variance = network.encode(images_to_input(pixels))
    images = network.decode(mean)
    assert mean.shape == log_variance.shape == (7, 5)
    assert images.shape == (7, channels, height, width)
    assert mean.dtype == log_variance.dtype == images.dtype == torch.float32
    assert 0 <= images.min() <= images.max() <= 1
    images.sum().backward()
    assert all(each.grad is not None for each in network.parameters() if "log_sigma" not in _name(network, each))


def _name(network, parameter):
    return next(name for name, each in network.named_parameters() if each is parameter)


def test_the_second_stage_maps_latents_to_latents_linearly_at_its_end():
    network = build(Config(stage2=Stage2(second_dim=8)), 2, CIFAR, torch.Generator().manual_seed(0))
    z = 100 * torch.randn(7, 64, generator=torch.Generator().manual_seed(0))
    mean, log_variance = network.encode(z)
    assert mean.shape == log_variance.shape == (7, 64)
    assert network.decode(z).abs().max() > 10


def test_bfloat16_changes_little():
    images = torch.rand(16, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    exact, lowered = (
        make(precision=precision, **SMALL["resnet"]).encode(images)[0] for precision in ("float32", "bfloat16")
    )
    assert not torch.equal(exact, lowered)
    torch.testing.assert_close(exact, lowered, atol=0.05, rtol=0.05)


@pytest.mark.parametrize("kind", IMAGE_NETWORKS)
def test_weights_follow_the_seed(kind):
    first, again, other = (_drawn(make(name=kind, seed=seed, base_dim=8, conv_dim=8)) for seed in (3, 3, 4))
    assert all(torch.equal(mine, theirs) for mine, theirs in zip(first, again, strict=True))
    assert not all(torch.equal(mine, theirs) for mine, theirs in zip(first, other, strict=True))


def _drawn(network):
    """Weights and buffers."""
    return [each for each in network.state_dict().values() if isinstance(each, torch.Tensor)]


def test_a_dense_layers_weights_and_biases_are_uniform_within_its_inputs():
    network = make(name="dense", latents=64, hidden=(256, 100))
    for layer in network.modules():
        if isinstance(layer, nn.Linear):
            limit = layer.in_features**-0.5
            for drawn in (layer.weight, layer.bias):
                assert drawn.abs().max() <= limit
            assert layer.weight.std().item() == pytest.approx(limit / math.sqrt(3), rel=0.1)
            assert layer.bias.any()


def test_the_papers_weights_are_glorot_uniform():
    network = make(name="resnet", base_dim=16)
    for layer in network.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            field = layer.weight[0, 0].numel() if layer.weight.dim() == 4 else 1
            limit = math.sqrt(6 / (field * (layer.weight.shape[0] + layer.weight.shape[1])))
            assert layer.weight.abs().max() <= limit
            assert layer.weight.std().item() == pytest.approx(limit / math.sqrt(3), rel=0.1)
            assert not layer.bias.any()


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ((28, 28, 1), "data.pad=2 pads them to 32"),
        ((27, 27, 1), "these are 27 x 27"),
        ((32, 16, 3), "these are 32 x 16"),
        ((2, 2, 3), "these are 2 x 2"),
    ],
)
def test_the_resnet_refuses_sides_that_are_no_power_of_two(shape, said):
    with pytest.raises(UsageError, match=said):
        make(shape=shape)


def test_the_resnet_refuses_more_scales_than_the_side_can_be_halved():
    assert make(shape=(4, 4, 1), base_dim=2, num_scale=3).encode(torch.rand(2, 1, 4, 4))[0].shape == (2, 64)
    with pytest.raises(UsageError, match=r"network.num_scale=4 .* at most 3"):
        make(shape=(4, 4, 1), base_dim=2, num_scale=4)


def test_samples_have_the_posteriors_mean_and_variance():
    noise = torch.Generator().manual_seed(0)
    samples = draw(torch.full((200_000, 1), 2.0), torch.full((200_000, 1), math.log(0.25)), noise)
    assert samples.mean().item() == pytest.approx(2.0, abs=0.01)
    assert samples.var().item() == pytest.approx(0.25, rel=0.02)


def test_bytes_become_the_networks_input_in_the_order_of_channels_last():
    pixels = torch.randint(0, 256, (2, 4, 5, 3), dtype=torch.uint8)
    x = images_to_input(pixels)
    assert x.shape == (2, 3, 4, 5)
    assert x.is_contiguous(memory_format=torch.channels_last)
    assert x[1, 2, 3, 4].item() == pytest.approx(pixels[1, 3, 4, 2].item() / 255)
