"""AutoencoderKL: what is recorded of a channel is what diffusers' own distribution says."""

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL

from vaemon.adapters.diffusers import watch_autoencoder


def make(**arguments):
    torch.manual_seed(0)
    sizes = {"in_channels": 1, "out_channels": 1, "block_out_channels": (8, 8), "norm_num_groups": 4}
    blocks = {"down_block_types": ("DownEncoderBlock2D",) * 2, "up_block_types": ("UpDecoderBlock2D",) * 2}
    return AutoencoderKL(**{**sizes, **blocks, "latent_channels": 4, "sample_size": 16, **arguments})


def test_the_example(example, assert_is_whole):
    run = example("diffusers")
    assert_is_whole(run, 40, 4)
    assert run.info().config["latent_channels"] == 4
    np.testing.assert_allclose(run.series("lr").mean, 1e-3, rtol=1e-6)


@pytest.mark.parametrize("quant_conv", [True, False])
@pytest.mark.parametrize("slicing", [True, False])
def test_statistics_are_those_of_the_distribution(quant_conv, slicing):
    vae = make(use_quant_conv=quant_conv)
    if slicing:
        vae.enable_slicing()
    watched = watch_autoencoder(vae)
    posterior = vae.encode(torch.randn(6, 1, 16, 16)).latent_dist
    assert posterior.mean.shape == (6, 4, 8, 8)
    taken = watched.take()
    expected = {
        "mean_variance": posterior.var.mean((0, 2, 3)),
        "mean_mu": posterior.mean.mean((0, 2, 3)),
        "mu_squared": posterior.mean.square().mean((0, 2, 3)),
    }
    for name, value in expected.items():
        torch.testing.assert_close(taken[name], value.detach(), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(taken["latent_kl"].sum(), posterior.kl().mean().detach(), rtol=1e-4, atol=1e-5)


def test_only_the_training_counts():
    vae = make().eval()
    watched = watch_autoencoder(vae)
    vae.encode(torch.randn(2, 1, 16, 16))
    assert watched.take() == {}
