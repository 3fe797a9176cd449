"""The InfoGAN-like and the WAE-like network, against the published structures written out layer by layer."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils import parametrize

from trainer.config import Config, Network
from trainer.networks.build import IMAGE_NETWORKS, build
from trainer.networks.infogan import Infogan
from trainer.networks.spectral import normalise, plain_weight
from trainer.networks.wae import Wae
from vaemon.errors import UsageError


def conv(kernel: int, width_in: int, width: int) -> int:
    return kernel * kernel * width_in * width + width


def linear(width_in: int, width: int) -> int:
    return width_in * width + width


def norm(width: int) -> int:
    return 2 * width


def infogan(side: int, channels: int, k: int) -> int:
    flat = 128 * (side // 4) ** 2
    encoder = conv(4, channels, 64) + conv(4, 64, 128) + norm(128) + linear(flat, 1024) + norm(1024)
    decoder = linear(k, 1024) + norm(1024) + linear(1024, flat) + norm(flat)
    decoder += conv(4, 128, 64) + norm(64) + conv(4, 64, channels)
    return encoder + linear(1024, 2 * k) + decoder


def wae(side: int, channels: int, k: int) -> int:
    flat = 1024 * (side // 8) ** 2
    encoder = conv(5, channels, 128) + conv(5, 128, 256) + conv(5, 256, 512) + conv(5, 512, 1024)
    encoder += norm(128) + norm(256) + norm(512) + norm(1024) + 2 * linear(flat, k)
    decoder = linear(k, flat) + conv(5, 1024, 512) + conv(5, 512, 256) + conv(5, 256, 128) + conv(5, 128, channels)
    return encoder + decoder + norm(512) + norm(256) + norm(128)


@pytest.mark.parametrize("k", [16, 64])
@pytest.mark.parametrize(("side", "channels"), [(28, 1), (32, 3), (64, 3), (16, 1)])
def test_the_infogan_has_as_many_parameters_as_the_published_one(side, channels, k):
    with torch.device("meta"):
        network = Infogan(Network(latents=k), (side, side, channels))
    assert sum(each.numel() for each in network.parameters()) == infogan(side, channels, k)


@pytest.mark.parametrize(("side", "channels"), [(64, 3), (32, 3), (8, 1)])
def test_the_wae_has_as_many_parameters_as_the_published_one(side, channels):
    with torch.device("meta"):
        network = Wae(Network(latents=64), (side, side, channels))
    assert sum(each.numel() for each in network.parameters()) == wae(side, channels, 64)


def test_the_counts_at_the_sides_of_cifar10_and_celeba():
    """Written down once, so that no common error of both sums goes unseen: added by hand from the published code."""
    assert infogan(32, 3, 64) == 17_273_603
    assert wae(64, 3, 64) == 47_082_627


@pytest.mark.parametrize("side", [8, 16, 32, 64, 128])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", ["infogan", "wae"])
def test_any_power_of_two_will_do(name, channels, side):
    config = Config(network=Network(name=name, latents=3, conv_dim=1))
    network = build(config, 1, (side, side, channels), torch.Generator().manual_seed(0))
    mean, _ = network.encode(torch.rand(2, channels, side, side))
    assert network.decode(mean).shape == (2, channels, side, side)


@pytest.mark.parametrize(
    ("name", "shape", "said"),
    [
        ("infogan", (30, 28, 1), "sides of 4, 8, 12.*these are 30 x 28"),
        ("wae", (28, 28, 1), "sides of 8, 16, 24.*these are 28 x 28"),
    ],
)
def test_sides_that_cannot_be_halved_are_refused(name, shape, said):
    with pytest.raises(UsageError, match=said):
        build(Config(network=Network(name=name)), 1, shape, torch.Generator())


def test_the_infogans_weights_are_normal_and_its_convolutions_cut_off():
    network = build(Config(network=Network(name="infogan")), 1, (16, 16, 3), torch.Generator().manual_seed(0))
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            assert plain_weight(layer).abs().max() <= 0.04
            assert plain_weight(layer).std().item() == pytest.approx(0.02 * 0.88, rel=0.05)  # of the truncated normal
        elif isinstance(layer, nn.Linear | nn.ConvTranspose2d):
            assert plain_weight(layer).std().item() == pytest.approx(0.02, rel=0.05)
            assert plain_weight(layer).abs().max() > 0.04
        if isinstance(layer, nn.Conv2d | nn.Linear | nn.ConvTranspose2d):
            assert not layer.bias.any()


LAYERS = {
    "linear": (lambda: nn.Linear(6, 4), F.linear, (5, 6)),
    "convolution": (lambda: nn.Conv2d(3, 4, 4, 2, 1), lambda x, *w: F.conv2d(x, *w, 2, 1), (5, 3, 8, 8)),
    "transposed": (
        lambda: nn.ConvTranspose2d(3, 4, 4, 2, 1),
        lambda x, *w: F.conv_transpose2d(x, *w, 2, 1),
        (5, 3, 4, 4),
    ),
}


@pytest.fixture(params=LAYERS)
def spectral(request):
    """A layer in float64, what it does with a given weight, and an input."""
    make, apply, shape = LAYERS[request.param]
    generator = torch.Generator().manual_seed(0)
    layer = make().double()
    with torch.no_grad():
        layer.weight.normal_(generator=generator)
        layer.bias.normal_(generator=generator)
    normalise(layer, generator)
    x = torch.randn(shape, generator=generator).double()
    return layer, lambda weight: apply(x, weight, layer.bias), x


def direction_of(layer):
    return layer.parametrizations.weight[0].direction


def test_a_weight_is_divided_by_its_largest_singular_value(spectral):
    layer, plain, x = spectral
    for _ in range(200):
        layer(x)
    weight = plain_weight(layer)
    largest = torch.linalg.matrix_norm(weight.flatten(1), 2)
    torch.testing.assert_close(layer(x), plain(weight / largest))


def test_one_step_iterates_once_and_takes_the_directions_as_constants(spectral):
    layer, plain, x = spectral
    matrix = plain_weight(layer).detach().flatten(1)
    left = F.normalize(matrix @ direction_of(layer), dim=0)
    right = F.normalize(matrix.T @ left, dim=0)
    weight = plain_weight(layer).detach().clone().requires_grad_()
    expected = plain(weight / (left @ weight.flatten(1) @ right))
    found = layer(x)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(direction_of(layer), right)
    (mine,) = torch.autograd.grad(found.square().sum(), plain_weight(layer))
    (theirs,) = torch.autograd.grad(expected.square().sum(), weight)
    torch.testing.assert_close(mine, theirs)


def test_evaluation_moves_no_direction(spectral):
    layer, _, x = spectral
    layer(x)
    before = direction_of(layer).clone()
    torch.testing.assert_close(layer.eval()(x), layer(x))
    assert torch.equal(direction_of(layer), before)


def test_normalising_draws_from_its_own_generator_alone():
    layer = nn.Linear(3, 5)
    everyones = torch.get_rng_state()
    normalise(layer, torch.Generator().manual_seed(0))
    assert torch.equal(torch.get_rng_state(), everyones)
    drawn = torch.randn(3, generator=torch.Generator().manual_seed(0))
    assert torch.equal(direction_of(layer), drawn)  # as it was drawn: nothing has iterated yet


def test_autocast_does_not_round_the_norm(spectral):
    layer, _, x = spectral
    for _ in range(200):
        layer(x)
    layer.float()
    with torch.autocast("cpu", torch.bfloat16):
        weight = layer.weight
    assert weight.dtype == torch.float32
    assert torch.linalg.matrix_norm(weight.flatten(1), 2).item() == pytest.approx(1.0, abs=1e-5)


def test_the_infogans_encoder_is_normalised_and_its_decoder_not():
    network = build(Config(network=Network(name="infogan", conv_dim=1)), 1, (8, 8, 3), torch.Generator())
    layers = {name: each for name, each in network.named_modules() if isinstance(each, nn.Linear | nn.Conv2d)}
    layers |= {name: each for name, each in network.named_modules() if isinstance(each, nn.ConvTranspose2d)}
    normalised = {name for name, each in layers.items() if parametrize.is_parametrized(each)}
    assert normalised == {"maps.0", "maps.2", "features.0", "heads"}
    assert {name.split(".")[0] for name in layers.keys() - normalised} == {"start", "images"}


@pytest.mark.parametrize("name", IMAGE_NETWORKS)
def test_what_is_called_the_decoder_is_all_that_decodes(name):
    network = build(
        Config(network=Network(name=name, latents=3, base_dim=2, conv_dim=1)), 1, (8, 8, 3), torch.Generator()
    )
    network.decode(torch.ones(2, 3)).sum().backward()
    assert {id(each) for each in network.parameters() if each.grad is not None} == {
        id(each) for each in network.decoder_parameters()
    }
