"""The networks against the published ones, written out as those are, with TensorFlow's padding.

Where a stride of 2 has TensorFlow pad one side more than the other, ours is the published network mirrored in x and y.
"""

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.functional import relu

from trainer.config import Config, Network, Stage2
from trainer.networks.build import build
from trainer.networks.norm import BatchNorm


class Layers:
    """The layers of a network one after another, as TensorFlow's functions of the same weights."""

    def __init__(self, network, mirrored):
        kinds = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d, BatchNorm)
        self._left = [each for each in network.modules() if isinstance(each, kinds)]
        self._mirrored = mirrored

    def _next(self, kind):
        layer = self._left.pop(0)
        assert isinstance(layer, kind)
        return layer

    def mirror(self, x):
        return x.flip(2, 3) if self._mirrored else x

    def linear(self, x):
        layer = self._next(nn.Linear)
        return x @ layer.weight.T + layer.bias

    def conv(self, x):
        layer = self._next(nn.Conv2d)
        stride, kernel = layer.stride[0], layer.kernel_size[0]
        before, after = same(x.shape[2], x.shape[2] // stride, kernel, stride)
        return F.conv2d(F.pad(x, (before, after) * 2), self.mirror(layer.weight), layer.bias, stride)

    def deconv(self, x):
        """The gradient of the convolution that makes x of what this returns."""
        layer = self._next(nn.ConvTranspose2d)
        stride, kernel, side = layer.stride[0], layer.kernel_size[0], layer.stride[0] * x.shape[2]
        before, _ = same(side, x.shape[2], kernel, stride)
        whole = F.conv_transpose2d(x, self.mirror(layer.weight), None, stride)
        return whole[:, :, before : before + side, before : before + side] + layer.bias[:, None, None]

    def norm(self, x):
        layer = self._next(BatchNorm)
        over, each = (0, *range(2, x.ndim)), (1, -1, *(1 for _ in x.shape[2:]))
        mean, variance = x.mean(over, keepdim=True), x.var(over, correction=0, keepdim=True)
        return (x - mean) / (variance + 1e-5).sqrt() * layer.weight.view(each) + layer.bias.view(each)

    def residual(self, x, depth):
        y = x
        for _ in range(depth):
            y = self.conv(relu(self.norm(y)))
        return y + self.conv(x)

    def posterior(self, x):
        mean, log_sigma = self.linear(x), self.linear(x)
        return mean, log_sigma.exp().square().log()

    def done(self):
        return not self._left


def same(size, out, kernel, stride):
    """TensorFlow's 'same': the odd one after."""
    total = max((out - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def flat(maps):
    """As TensorFlow flattens: places first, channels last."""
    return maps.permute(0, 2, 3, 1).flatten(1)


def unflat(x, side):
    return x.view(len(x), side, side, -1).permute(0, 3, 1, 2)


def resnet_encode(x, at, settings):
    y = at.conv(at.mirror(x))
    for scale in range(settings.num_scale):
        for _ in range(settings.block_per_scale):
            y = at.residual(y, settings.depth_per_block)
        if scale < settings.num_scale - 1:
            y = at.conv(y)
    y = y.mean((2, 3))
    return at.posterior(at.linear(relu(at.linear(relu(y)))) + at.linear(y))


def resnet_decode(z, at, settings, side):
    y = at.mirror(unflat(at.linear(z), 2))
    while y.shape[2] < side:
        y = at.deconv(y)
        for _ in range(settings.block_per_scale):
            y = at.residual(y, settings.depth_per_block)
    return at.mirror(torch.sigmoid(at.conv(y)))


def leaky(x):
    return torch.maximum(x, 0.2 * x)


def infogan_encode(x, at, settings):
    y = leaky(at.conv(x))
    y = leaky(at.norm(at.conv(y)))
    y = leaky(at.norm(at.linear(flat(y))))
    both = at.linear(y)
    return both[:, : settings.latents], 2 * torch.log(1e-6 + F.softplus(both[:, settings.latents :]))


def infogan_decode(z, at, settings, side):
    y = relu(at.norm(at.linear(z)))
    y = unflat(relu(at.norm(at.linear(y))), side // 4)
    return torch.sigmoid(at.deconv(relu(at.norm(at.deconv(y)))))


def wae_encode(x, at, settings):
    y = at.mirror(x)
    for _ in range(4):
        y = relu(at.norm(at.conv(y)))
    return at.posterior(flat(at.mirror(y)))


def wae_decode(z, at, settings, side):
    y = at.mirror(unflat(relu(at.linear(z)), side // 8))
    for _ in range(3):
        y = relu(at.norm(at.deconv(y)))
    return at.mirror(torch.sigmoid(at.deconv(y)))


PUBLISHED = {
    "resnet": (resnet_encode, resnet_decode, True, {"base_dim": 2, "fc_dim": 7, "num_scale": 3}),
    "resnet, deeper": (resnet_encode, resnet_decode, True, {"base_dim": 3, "fc_dim": 7, "block_per_scale": 2}),
    "infogan": (infogan_encode, infogan_decode, False, {"conv_dim": 2}),
    "wae": (wae_encode, wae_decode, True, {"conv_dim": 2}),
}


@pytest.fixture(params=PUBLISHED)
def both(request):
    """A network with biases and norms of its own, and its published counterpart."""
    encode, decode, mirrored, sizes = PUBLISHED[request.param]
    settings = Network(name=request.param.partition(",")[0], latents=5, **sizes)
    network = build(Config(network=settings), 1, (16, 16, 3), torch.Generator().manual_seed(0))
    drawn = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, each in network.named_parameters():
            if each.ndim == 1:
                each.normal_(1.0 if name.endswith("weight") else 0.0, 0.5, generator=drawn)
    for _ in range(200):  # until the spectral norms stand
        network.encode(torch.rand(2, 3, 16, 16, generator=drawn))
    at = Layers(network, mirrored)
    return network, lambda x: encode(x, at, settings), lambda z: decode(z, at, settings, 16), at


def test_a_network_is_the_published_one(both):
    network, encode, decode, at = both
    generator = torch.Generator().manual_seed(2)
    x, z = torch.rand(7, 3, 16, 16, generator=generator), torch.randn(7, 5, generator=generator)
    with torch.no_grad():
        for mine, theirs in zip(network.encode(x), encode(x), strict=True):
            torch.testing.assert_close(mine, theirs, rtol=1e-3, atol=1e-4)
        torch.testing.assert_close(network.decode(z), decode(z), rtol=1e-3, atol=1e-4)
    assert at.done()


def test_the_second_stage_is_the_published_one():
    config = Config(network=Network(latents=5), stage2=Stage2(second_dim=7, second_depth=3))
    network = build(config, 2, (16, 16, 3), torch.Generator().manual_seed(0))
    given = torch.randn(4, 5, generator=torch.Generator().manual_seed(1))
    at = Layers(network, mirrored=False)

    def deep():
        y = given
        for _ in range(3):
            y = relu(at.linear(y))
        return torch.cat([y, given], 1)

    with torch.no_grad():
        for mine, theirs in zip(network.encode(given), at.posterior(deep()), strict=True):
            torch.testing.assert_close(mine, theirs)
        torch.testing.assert_close(network.decode(given), at.linear(deep()))
    assert at.done()
