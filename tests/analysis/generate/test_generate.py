"""Images of a run, against one pass over all of them at once; and that neither cut nor number change any."""

import numpy as np
import pytest
import torch

from analysis.generate import generate, latents, trained
from analysis.generate.generate import (
    interpolations,
    most_awake,
    originals,
    reconstructions,
    samples,
    seeded_pairs,
    traversals,
    with_contrast,
)
from analysis.generate.latents import POSTERIOR, PRIOR, SECOND, noise
from analysis.generate.renormalisation import AsPublished, fit
from trainer.config import Balance, Network, Stage2
from trainer.density import Mixture, save_mixture
from trainer.images import load_images
from vaemon.errors import RunFileError, UnknownName, UsageError, VaemonError

LATENTS = 4


def all_of(blocks):
    return np.concatenate(list(blocks))


@torch.no_grad()
def slow(network, z):
    network.eval()
    return network.decode(torch.from_numpy(z)).permute(0, 2, 3, 1).numpy()


@torch.no_grad()
def slow_second(made, u):
    return made.second.network.eval().decode(torch.from_numpy(u)).numpy()


def test_gen_1_decodes_the_prior(make_run):
    made = make_run()
    found = all_of(samples(made.trained(), 1, 130, seed=3))
    z = noise(3, PRIOR).standard_normal((130, LATENTS), np.float32)
    np.testing.assert_allclose(found, slow(made.first.network, z), atol=1e-6)
    assert found.dtype == np.float32
    assert found.shape == (130, 8, 8, 3)


def test_gen_2_decodes_what_the_second_stage_makes_of_the_prior(make_run):
    made = make_run()
    u = noise(3, SECOND).standard_normal((130, LATENTS), np.float32)
    expected = slow(made.first.network, slow_second(made, u))
    np.testing.assert_allclose(all_of(samples(made.trained(), 2, 130, seed=3)), expected, atol=1e-6)


def test_gen_2_of_a_learned_gamma_has_its_noise(learned):
    z = all_of(latents.latents(learned.trained(), 2, 20_000, 0))
    np.testing.assert_allclose(z.var(axis=0), 0.5**2 + 0.5**2, rtol=0.05)
    u = noise(0, SECOND).standard_normal((500, LATENTS), np.float32)
    rest = (z[:500] - slow_second(learned, u)) / 0.5
    expected = noise(0, latents.NOISE).standard_normal((500, LATENTS), np.float32)
    np.testing.assert_allclose(rest, expected, atol=1e-5)


def published(run):
    """A published renormalisation that is applied."""
    return AsPublished(run.steps, 5, np.zeros(LATENTS), np.ones(LATENTS), target=1.1, loss=0.26)


def cut_into(monkeypatch, block):
    for module in (trained, latents, generate):
        monkeypatch.setattr(module, "BLOCK", block)


CUT = [(1, "plain"), (1, "published"), (2, "plain"), (2, "per latent"), (2, "published")]


@pytest.mark.parametrize(("stage", "kind"), CUT)
def test_the_cut_into_blocks_makes_no_difference(learned, monkeypatch, stage, kind):
    run = learned.trained()
    how = {"plain": lambda _: None, "per latent": fit, "published": published}[kind](run)
    whole = all_of(samples(run, stage, 730, 1, how))
    for block in (100, 300, 1000):
        cut_into(monkeypatch, block)
        np.testing.assert_allclose(all_of(samples(run, stage, 730, 1, how)), whole, atol=2e-6)


@pytest.mark.parametrize("stage", [1, 2])
def test_fewer_are_the_first_of_more_and_seeds_differ(learned, stage):
    run = learned.trained()
    whole = all_of(samples(run, stage, 730, 1))
    np.testing.assert_allclose(all_of(samples(run, stage, 17, 1)), whole[:17], atol=1e-6)
    np.testing.assert_array_equal(all_of(samples(run, stage, 730, 1)), whole)
    assert np.abs(all_of(samples(run, stage, 17, 2)) - whole[:17]).max() > 0.01


@pytest.mark.parametrize("count", [1, 17, 130])
def test_fewer_are_the_first_of_more_as_published_too(learned, count):
    run = learned.trained()
    few, many = (all_of(samples(run, 2, each, 1, published(run))) for each in (count, 730))
    np.testing.assert_allclose(few, many[:count], atol=2e-6)


@pytest.mark.parametrize("block", [500, 7])
def test_reconstructions_of_a_sample_and_of_the_mean(make_run, monkeypatch, block):
    made = make_run()
    run = made.trained()
    cut_into(monkeypatch, block)
    pixels = torch.from_numpy(load_images(made.config).test).permute(0, 3, 1, 2) / 255
    with torch.no_grad():
        mean, log_variance = made.first.network.eval().encode(pixels)
    epsilon = noise(2, POSTERIOR).standard_normal(tuple(mean.shape), np.float32)
    drawn = mean.numpy() + np.exp(0.5 * log_variance.numpy()) * epsilon
    np.testing.assert_allclose(all_of(reconstructions(run, seed=2)), slow(made.first.network, drawn), atol=1e-6)
    expected = slow(made.first.network, mean.numpy())
    np.testing.assert_allclose(all_of(reconstructions(run, 13, mean=True)), expected[:13], atol=1e-6)
    np.testing.assert_allclose(all_of(originals(run, 13)), pixels[:13].permute(0, 2, 3, 1), atol=1e-7)


def test_contrast_gives_reconstructions_the_deviation_of_the_images(make_run):
    run = make_run().trained()
    real = all_of(originals(run))
    adjusted = all_of(with_contrast(lambda: reconstructions(run), originals(run)))
    unclipped = (adjusted > 0) & (adjusted < 1)
    before, mean = all_of(reconstructions(run)), all_of(reconstructions(run)).mean(axis=0)
    factor = real.std(axis=0).mean() / before.std(axis=0).mean()
    np.testing.assert_allclose(adjusted[unclipped], (mean + factor * (before - mean))[unclipped], atol=1e-5)


def test_an_interpolation_is_linear_in_the_latents(make_run):
    made = make_run()
    run = made.trained()
    walk = interpolations(run, [(3, 7), (0, 0)], 5)
    begin, end = run.encode(run.images.test[[3, 7]])[0]
    z = np.stack([begin + share * (end - begin) for share in (0, 0.25, 0.5, 0.75, 1)])
    np.testing.assert_allclose(walk.images[0], slow(made.first.network, z), atol=1e-6)
    np.testing.assert_allclose(walk.images[1], np.repeat(walk.images[1, :1], 5, axis=0), atol=1e-6)
    assert walk.labels == ("3 – 7", "0 – 0")


def test_seeded_pairs_are_of_different_images_and_reproduce(make_run):
    run = make_run().trained()
    pairs = seeded_pairs(run, 50, 1)
    assert all(a != b for a, b in pairs)
    assert pairs == seeded_pairs(run, 50, 1)
    assert pairs[:5] == seeded_pairs(run, 50, 1)[:5]
    assert pairs != seeded_pairs(run, 50, 2)


def test_a_traversal_moves_one_latent_and_no_other(make_run):
    made = make_run()
    run = made.trained()
    walk = traversals(run, [2, 0], 7, image=4)
    for row, latent in enumerate([2, 0]):
        z = np.repeat(run.encode(run.images.test[4:5])[0], 7, axis=0)
        z[:, latent] = np.arange(-3, 4)
        np.testing.assert_allclose(walk.images[row], slow(made.first.network, z), atol=1e-6)
    assert walk.labels == ("latent 2", "latent 0")


def test_the_most_awake_come_first_and_sleepers_not_at_all(make_run):
    made = make_run()
    with torch.no_grad():
        head = made.first.network.heads.log_sigma
        head.weight.zero_()
        head.bias.copy_(torch.log(torch.tensor([0.3, 1.0, 0.1, 0.95])))
    made.save(1)
    assert most_awake(made.trained(), 16) == [2, 0]
    assert most_awake(made.trained(), 1) == [2]


@pytest.fixture
def autoencoder(make_run):
    """A regularised autoencoder with a density of its codes."""
    made = make_run(saved=(1,), balance=Balance(name="rae-l2"), stage2=Stage2(enabled=False, batch=10))
    random = np.random.default_rng(0)
    roots = random.normal(size=(3, LATENTS, LATENTS))
    mixture = Mixture(np.array([0.5, 0.2, 0.3]), random.normal(size=(3, LATENTS)) * 3, roots @ roots.transpose(0, 2, 1))
    save_mixture(made.folder, mixture)
    return made, mixture


def test_an_autoencoder_is_sampled_from_the_density_of_its_codes(autoencoder):
    made, mixture = autoencoder
    z = all_of(latents.latents(made.trained(), 1, 100_000, 0)).astype(np.float64)
    mean = mixture.weights @ mixture.means
    away = mixture.means - mean
    covariance = np.einsum("c,cij->ij", mixture.weights, mixture.covariances + away[:, :, None] * away[:, None])
    np.testing.assert_allclose(z.mean(axis=0), mean, atol=0.05)
    np.testing.assert_allclose(np.cov(z.T), covariance, atol=0.03 * np.abs(covariance).max())
    np.testing.assert_allclose(
        all_of(samples(made.trained(), 1, 20)), slow(made.first.network, z[:20].astype("f4")), atol=1e-6
    )


def test_codes_of_fewer_are_the_first_of_more_and_seeds_differ(autoencoder):
    run = autoencoder[0].trained()
    whole = all_of(latents.latents(run, 1, 1230, 1))
    np.testing.assert_array_equal(all_of(latents.latents(run, 1, 1230, 1)), whole)
    for count in (17, 500, 730):
        np.testing.assert_array_equal(all_of(latents.latents(run, 1, count, 1)), whole[:count])
    assert len(np.unique(whole, axis=0)) == len(whole)
    assert np.abs(all_of(latents.latents(run, 1, 17, 2)) - whole[:17]).max() > 0.01


def test_an_autoencoder_has_no_posterior_to_draw_from(autoencoder):
    run = autoencoder[0].trained()
    np.testing.assert_array_equal(all_of(reconstructions(run)), all_of(reconstructions(run, mean=True)))
    centre = run.encode(run.images.test)[0].mean(axis=0)
    middle = traversals(run, [1], 3).images[0, 1]
    code = run.encode(run.images.test[:1])[0]
    code[0, 1] = centre[1]
    np.testing.assert_allclose(middle, run.decode(code)[0], atol=1e-6)


def test_an_autoencoder_says_what_it_lacks(autoencoder):
    made, _ = autoencoder
    with pytest.raises(UsageError, match="a regularised autoencoder \\(rae-l2\\), which has no second stage"):
        next(samples(made.trained(), 2, 1))
    (made.folder / "density.npz").unlink()
    with pytest.raises(UsageError, match="has no density of its codes yet"):
        next(samples(made.trained(), 1, 1))


def test_no_checkpoint_and_no_second_stage(make_run):
    with pytest.raises(UsageError, match="no checkpoint of stage 1"):
        make_run(saved=()).trained()
    with pytest.raises(UsageError, match=r"train PRESET --run first --resume` trains one; --stage 1 samples from"):
        next(samples(make_run("first", saved=(1,)).trained(), 2, 1))
    alone = make_run("alone", saved=(1,), stage2=Stage2(enabled=False, batch=10)).trained()
    with pytest.raises(UsageError, match=r"--resume --set stage2\.enabled=true` trains one"):
        next(samples(alone, 2, 1))


def test_weights_that_are_not_finite(learned):
    learned.second.balance.log_gamma.data.fill_(float("nan"))
    learned.save(2)
    with pytest.raises(RunFileError, match=r"stage2\.pt has values that are not finite \(γ_z\)"):
        next(samples(learned.trained(), 2, 1))
    learned.second.network.head.bias.data[1] = float("inf")
    learned.save(2)
    with pytest.raises(RunFileError, match=r"not finite \(head\.bias\): the training had gone bad"):
        next(samples(learned.trained(), 2, 1))
    next(iter(learned.first.network.parameters())).data[0] = float("nan")
    learned.save(1)
    with pytest.raises(RunFileError, match=r"stage1\.pt has values that are not finite"):
        learned.trained()


def test_a_balance_that_is_not_in_the_checkpoint(learned, monkeypatch):
    whole = learned.second.state_dict()
    monkeypatch.setattr(learned.second, "state_dict", lambda: {k: v for k, v in whole.items() if k != "balance"})
    learned.save(2)
    with pytest.raises(RunFileError, match=r"stage2\.pt does not fit its own config \(lacks 'balance'\)"):
        next(samples(learned.trained(), 2, 1))


def test_images_that_are_not_finite(shrunken):
    shrunken.shrink([3e38] * LATENTS, [0.0] * LATENTS)
    shrunken.save(2)
    with pytest.raises(VaemonError, match="images that run 'tiny' decodes are not finite"):
        all_of(samples(shrunken.trained(), 2, 100))


def test_images_and_latents_that_are_not_there(make_run):
    run = make_run().trained()
    there = len(run.images.test)
    with pytest.raises(UnknownName, match=f"there are {there}, 0 to {there - 1}"):
        interpolations(run, [(0, there)], 3)
    with pytest.raises(UnknownName, match="the run has latents 0 to 3"):
        traversals(run, [4], 3)


def test_batch_norm_is_in_evaluation_mode(make_run):
    network = Network(name="resnet", latents=LATENTS, base_dim=2, fc_dim=4, num_scale=1)
    made = make_run("resnet", network=network)
    z = noise(0, PRIOR).standard_normal((30, LATENTS), np.float32)
    expected = slow(made.first.network, z)
    np.testing.assert_allclose(all_of(samples(made.trained(), 1, 30)), expected, atol=1e-6)
    np.testing.assert_allclose(all_of(samples(made.trained(), 1, 1)), expected[:1], atol=1e-6)
