import sys

import numpy as np
import pytest
import torch

from trainer import checkpoint
from trainer.density import CodeDensity, Mixture, check_density, fit_mixture, load_mixture, path_of, save_mixture
from trainer.networks.vae import images_to_input
from trainer.runs import Run
from trainer.training import train
from vaemon import open_run
from vaemon.errors import RunFileError, UsageError, VaemonError
from vaemon.source.local import LocalSource

RAE = ("balance=rae-l2", "stage2.enabled=false")


@pytest.fixture
def mixture():
    """Two Gaussians in the plane, of very different weight, place and shape."""
    return Mixture(
        np.array([0.25, 0.75]),
        np.array([[-5.0, 0.0], [5.0, 1.0]]),
        np.array([[[1.0, 0.8], [0.8, 1.0]], [[0.1, 0.0], [0.0, 4.0]]]),
    )


def test_samples_have_the_moments_of_the_mixture(mixture):
    z = mixture.sample(40_000, torch.Generator().manual_seed(0)).double().numpy()
    assert z.shape == (40_000, 2)
    left = z[:, 0] < 0
    assert left.mean() == pytest.approx(0.25, abs=0.01)
    for part, mean, covariance in zip((z[left], z[~left]), mixture.means, mixture.covariances, strict=True):
        np.testing.assert_allclose(part.mean(0), mean, atol=0.06)
        np.testing.assert_allclose(np.cov(part.T), covariance, atol=0.1)


def test_samples_follow_the_generator(mixture):
    one, other, third = (mixture.sample(5, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1))
    assert torch.equal(one, other)
    assert not torch.equal(one, third)


def test_what_is_saved_is_loaded_bit_for_bit_and_none_where_there_is_none(mixture, tmp_path):
    assert load_mixture(tmp_path) is None
    save_mixture(tmp_path, mixture)
    save_mixture(tmp_path, mixture)
    found = load_mixture(tmp_path)
    for name in ("weights", "means", "covariances"):
        np.testing.assert_array_equal(getattr(found, name), getattr(mixture, name))
    assert [each.name for each in tmp_path.iterdir()] == ["density.npz"]
    with np.load(path_of(tmp_path)) as plain:  # by any program
        assert sorted(plain) == ["covariances", "means", "weights"]


@pytest.mark.parametrize(
    "arrays",
    [
        {"weights": np.ones(2)},
        {"weights": np.array([0.5, 0.4]), "means": np.zeros((2, 3)), "covariances": np.stack([np.eye(3)] * 2)},
        {"weights": np.array([0.5, 0.5]), "means": np.zeros((2, 3)), "covariances": np.stack([np.eye(2)] * 2)},
        {"weights": np.array([1.0]), "means": np.zeros((1, 2)), "covariances": -np.eye(2)[None]},
        {"weights": np.array([np.nan]), "means": np.zeros((1, 2)), "covariances": np.eye(2)[None]},
        {"weights": np.array([object()]), "means": np.zeros((1, 2)), "covariances": np.eye(2)[None]},
    ],
    ids=["lacking", "no shares", "unfit", "not positive", "nan", "pickled"],
)
def test_a_file_that_is_no_mixture_is_refused(arrays, tmp_path):
    np.savez(path_of(tmp_path), **arrays)
    with pytest.raises(RunFileError, match=r"density\.npz cannot be read"):
        load_mixture(tmp_path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut", b"no archive"])
def test_a_damaged_file_is_refused(content, tmp_path):
    path_of(tmp_path).write_bytes(content)
    with pytest.raises(RunFileError, match=r"density\.npz cannot be read"):
        load_mixture(tmp_path)


def test_without_scikit_learn_it_is_said_before_training(start_rae, monkeypatch, runs):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.setitem(sys.modules, "sklearn.mixture", None)
    with pytest.raises(UsageError, match=r"scikit-learn .*pip install 'vaemon\[rae\]'"):
        start_rae()
    assert not (runs / "a").exists()


@pytest.fixture
def start_rae(runs, screen, tiny):
    return lambda *settings: train(Run("a", runs / "a", "shapes", tiny(*RAE, *settings), False), screen, lambda: "")


def test_ten_gaussians_are_found_again_under_a_seed():
    pytest.importorskip("sklearn")
    rng = np.random.default_rng(0)
    centres = 20.0 * np.array([[i % 4, i // 4] for i in range(10)])
    codes = np.concatenate([rng.normal(centre, 1.0, (200, 2)) for centre in centres])
    one, other = (fit_mixture(codes, 0) for _ in range(2))
    np.testing.assert_array_equal(one.covariances, other.covariances)
    assert one.covariances.shape == (10, 2, 2)
    assert one.weights.sum() == pytest.approx(1.0)
    distance = np.linalg.norm(one.means[:, None] - centres, axis=2).min(0)
    near = np.argsort(distance)[:8]
    assert distance[near].max() < 1.0  # k-means may join a pair
    for covariance in one.covariances[near]:
        np.testing.assert_allclose(covariance, np.eye(2), atol=0.5)  # of some 200 codes each


def test_all_codes_are_fitted_at_the_end_and_some_before(monkeypatch, tmp_path, tiny_stage, pixels, mixture):
    fitted = []
    monkeypatch.setattr("trainer.density.MOST", 12)
    monkeypatch.setattr("trainer.density.fit_mixture", lambda codes, seed: fitted.append(codes) or mixture)
    network = tiny_stage().network
    told = []
    density = CodeDensity(tmp_path, network, pixels, 3, told.append)
    for every in (False, False, True):
        density.fit(every=every)
    with torch.no_grad():
        codes, _ = network.encode(images_to_input(torch.from_numpy(pixels)))
    np.testing.assert_allclose(fitted[2], codes.numpy(), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(fitted[0], fitted[1])
    assert len(fitted[0]) == 12
    assert told == ["fitting 10 Gaussians to the codes of 40 images"]
    nearest = np.abs(fitted[0][:, None] - fitted[2][None]).max(2).min(1)
    np.testing.assert_allclose(nearest, 0, atol=1e-6)


def test_a_run_keeps_its_density_shows_its_samples_and_records_no_posterior(start_rae, runs, screen):
    pytest.importorskip("sklearn")
    assert start_rae("stage1.epochs=3")
    assert screen.said[-1] == "done; `vaemon watch a` shows it"
    assert load_mixture(runs / "a").means.shape == (10, 3)
    source = LocalSource(runs / "a")
    assert {(each.step, each.kind) for each in source.images()} == {
        (0, "inputs"),
        *((step, kind) for step in (4, 8, 12) for kind in ("GEN-GMM", "reconstructions")),
    }
    with open_run("a", runs) as run:
        assert set(run.channels(1)) == {
            *("step", "time", "epoch", "lr", "loss", "mse", "mean_mu", "mu_squared", "code_norm", "decoder_penalty")
        }
        assert [each.values.keys() for each in run.evaluations()] == [{"mse", "mse_min", "mse_max"}] * 3


def test_a_density_that_cannot_be_kept_does_not_end_a_run(start_rae, runs, monkeypatch):
    pytest.importorskip("sklearn")

    def full(folder, mixture):
        raise RunFileError("cannot write the density: No space left on device")

    monkeypatch.setattr("trainer.density.save_mixture", full)
    assert start_rae()
    with open_run("a", runs) as run:
        assert {event.step for event in run.events() if event.kind == "error"} == {4, 8}


def test_too_few_images_for_ten_gaussians_are_refused(tiny):
    pytest.importorskip("sklearn")
    with pytest.raises(UsageError, match="only 9 training images"):
        check_density(tiny(*RAE), 9)
    check_density(tiny(), 1)


def test_analyze_refuses_what_is_not_defined(start_rae, runs):
    pytest.importorskip("sklearn")
    from analysis.question import Question, answer

    start_rae()
    with pytest.raises(VaemonError, match=r"inactive, variance_law are not defined for RAE"):
        answer(LocalSource(runs / "a"), Question())


def test_what_a_killed_process_left_half_written_is_removed(tmp_path, mixture):
    save_mixture(tmp_path, mixture)
    (tmp_path / "density.4711.tmp").write_bytes(b"half")
    (tmp_path / "run.4711.tmp").write_bytes(b"another's")
    checkpoint.tidy(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["density.npz", "run.4711.tmp"]
