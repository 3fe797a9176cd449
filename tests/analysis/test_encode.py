"""A checkpoint's posteriors over the test set, against one pass in NumPy over all images at once."""

import numpy as np
import pytest
import torch

from analysis import encode
from analysis.encode import NOISE, Checkpoint
from analysis.measures.collapse import EPSILON
from trainer import checkpoint
from trainer.config import Config, Data, Network, Stage2
from trainer.images import load_images
from trainer.networks.build import build
from vaemon.errors import DataNotFound, UsageError

LATENTS = 3


def save(folder, config, stage, shape):
    network = build(config, stage, shape, torch.Generator().manual_seed(stage))
    for parameter in network.parameters():
        parameter.data *= 1.5  # fresh weights would leave the posteriors next to the prior
    state = {"network": network.state_dict(), "step": 40 * stage, "epoch": stage, "steps_per_epoch": 40}
    checkpoint.save(folder, stage, state, config, shape)


NETWORKS = {
    "dense": Network(name="dense", latents=LATENTS, hidden=(6,)),
    "resnet": Network(name="resnet", latents=LATENTS, base_dim=2, fc_dim=4, num_scale=1),
}


@pytest.fixture(params=NETWORKS)
def trained(tmp_path, request):
    """A run folder with a checkpoint of both stages, and its config.

    The Resnet's batch norm would make every figure depend on the batch, were it not in evaluation mode.
    """
    config = Config(
        seed=5,
        data=Data(name="shapes", size=8, limit=53),
        network=NETWORKS[request.param],
        stage2=Stage2(second_dim=7, second_depth=1),
    )
    for stage in (1, 2):
        save(tmp_path, config, stage, (8, 8, 3))
    return tmp_path, config


def heard():
    told = []
    return told, lambda done, total: told.append((done, total))


def expected_figures(mean, log_variance):
    mean, log_variance = mean.double().numpy(), log_variance.double().numpy()
    variance = np.exp(log_variance)
    kl = 0.5 * (mean**2 + variance - log_variance - 1)
    return {
        "mean_variance": variance.mean(axis=0),
        "mean_deviation": np.sqrt(variance).mean(axis=0),
        "mean_mu": mean.mean(axis=0),
        "mu_squared": (mean**2).mean(axis=0),
        "mu_variance": mean.var(axis=0),
        "kl": kl.mean(axis=0),
        "variance_variance": variance.var(axis=0),
        "near_prior": (kl < EPSILON).mean(axis=0),
        "mu_covariance": np.cov(mean, rowvar=False, ddof=0),
    }


@torch.no_grad()
def slow_posteriors(folder, config, stage):
    first = checkpoint.restore_vae(folder, 1).model
    pixels = torch.from_numpy(load_images(config).test).permute(0, 3, 1, 2) / 255
    mean, log_variance = first.encode(pixels)
    if stage == 1:
        return mean, log_variance
    noise = np.random.default_rng([config.seed, NOISE]).standard_normal(mean.shape, np.float32)
    return checkpoint.restore_vae(folder, 2).model.encode(mean + log_variance.mul(0.5).exp() * torch.from_numpy(noise))


@pytest.mark.parametrize("stage", [1, 2])
@pytest.mark.parametrize("batch", [500, 10, 1])
def test_every_test_image_counts_once_whatever_the_batch(trained, monkeypatch, stage, batch):
    folder, config = trained
    monkeypatch.setattr(encode, "CHUNK", batch)
    told, tell = heard()
    found = Checkpoint(folder, stage).encode_test_set(None, tell)
    for name, values in expected_figures(*slow_posteriors(folder, config, stage)).items():
        np.testing.assert_allclose(getattr(found, name), values, rtol=2e-5, atol=1e-6, err_msg=name)
    assert (found.origin.kind, found.origin.step, found.origin.epoch) == ("checkpoint", 40 * stage, stage)
    assert found.origin.samples == 53
    assert "Shapes" in found.origin.data
    assert told[-1] == (53, 53)
    assert len(told) == -(-53 // batch)


def test_the_second_stage_is_the_same_each_time(trained):
    folder, _ = trained
    once, again = (Checkpoint(folder, 2).encode_test_set(None, lambda *_: None) for _ in range(2))
    np.testing.assert_array_equal(once.mean_mu, again.mean_mu)


def test_images_from_elsewhere(trained, tmp_path):
    _, config = trained
    folder = tmp_path / "moved"
    folder.mkdir()
    images = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 3), np.uint8)
    path = tmp_path / "images.npy"
    np.save(path, images)
    lost = Config(seed=5, data=Data(name="arrays", path=str(tmp_path / "gone.npy")), network=config.network)
    save(folder, lost, 1, (8, 8, 3))
    with pytest.raises(DataNotFound, match=r"gone\.npy"):
        Checkpoint(folder, 1).encode_test_set(None, lambda *_: None)
    assert Checkpoint(folder, 1).encode_test_set(path, lambda *_: None).origin.samples == 4  # a tenth is held out


def test_images_of_another_shape_are_refused(trained, tmp_path):
    path = tmp_path / "images.npy"
    np.save(path, np.random.default_rng(0).integers(0, 256, (40, 16, 16, 1), np.uint8))
    folder = tmp_path / "other"
    folder.mkdir()
    save(folder, Config(data=Data(name="arrays", path=str(path)), network=Network(name="dense")), 1, (8, 8, 3))
    with pytest.raises(DataNotFound, match="trained on images of 8 × 8 × 3, these are 16 × 16 × 1"):
        Checkpoint(folder, 1).encode_test_set(None, lambda *_: None)


def test_no_checkpoint(tmp_path, trained):
    with pytest.raises(UsageError, match="no checkpoint of stage 1"):
        Checkpoint(tmp_path / "nothing", 1)
    folder, _ = trained
    checkpoint.drop(folder, 1)
    with pytest.raises(UsageError, match="no checkpoint of stage 1"):
        Checkpoint(folder, 2)
