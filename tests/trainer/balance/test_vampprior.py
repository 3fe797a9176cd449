"""The VampPrior, against its definition said slowly and a case that has a closed form."""

import math

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from analysis.generate.generate import most_awake, reconstructions, samples, traversals
from analysis.generate.latents import latents
from analysis.generate.trained import Trained
from trainer import config, ranks
from trainer.balance.registry import build_balance
from trainer.balance.strategy import Plan
from trainer.capture import how_to_step
from trainer.checkpoint import load
from trainer.loop import train_batch
from trainer.networks.norm import BatchNorm
from trainer.networks.vampprior import PosteriorMixture
from trainer.objective import Pass
from trainer.place import Place
from trainer.settings import resolve
from vaemon import open_run
from vaemon.channels import not_defined
from vaemon.cli import vaemon
from vaemon.errors import UsageError, VaemonError
from vaemon.source.local import LocalSource

VAMP = ("balance=vampprior", "balance.gamma=0.3", "balance.pseudo_inputs=4", "stage2.enabled=false")
RESNET = ("network=resnet", "network.base_dim=2", "network.num_scale=2", "network.fc_dim=4")
INFOGAN = ("network=infogan", "network.conv_dim=1")
EVERY = pytest.mark.parametrize("network", [(), RESNET, INFOGAN], ids=["dense", "resnet", "infogan"])


def normal(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def log_normal(z, mean, log_variance):
    """The log density of one vector."""
    return sum(
        -0.5 * (math.log(2 * math.pi) + v + (a - m) ** 2 / math.exp(v))
        for a, m, v in zip(z, mean, log_variance, strict=True)
    )


def slowly(mixture, mean, log_variance, z):
    """log q(z|x) - log 1/K Σ q(z|u) of each row."""
    components = list(zip(mixture.mean.tolist(), mixture.log_variance.tolist(), strict=True))
    rows = zip(mean.tolist(), log_variance.tolist(), z.tolist(), strict=True)
    return [
        log_normal(each, m, v) - math.log(sum(math.exp(log_normal(each, *c)) for c in components) / len(components))
        for m, v, each in rows
    ]


def test_the_divergence_is_by_the_definition():
    mixture = PosteriorMixture(normal(5, 3), normal(5, 3, seed=1))
    given = [normal(7, 3, seed=seed) for seed in (2, 3, 4)]
    assert mixture.divergence(*given).tolist() == pytest.approx(slowly(mixture, *given), rel=1e-12)


def test_of_one_component_it_is_the_kl_of_two_gaussians_in_the_mean():
    mean, log_variance = torch.tensor([[1.0, -0.5]]).double(), torch.tensor([[-1.0, 0.3]]).double()
    m, v = torch.tensor([[0.2, 0.4]]).double(), torch.tensor([[0.5, -0.6]]).double()
    each = v - log_variance + (log_variance.exp() + (mean - m).square()) / v.exp() - 1
    z = mean + (0.5 * log_variance).exp() * normal(200_000, 2)
    found = PosteriorMixture(m, v).divergence(mean.expand_as(z), log_variance.expand_as(z), z)
    assert found.mean().item() == pytest.approx(0.5 * each.sum().item(), abs=4 * found.std().item() / 200_000**0.5)
    itself = PosteriorMixture(mean, log_variance).divergence(mean.expand_as(z), log_variance.expand_as(z), z)
    assert itself.abs().max() < 1e-12


def test_narrow_posteriors_far_out_lose_nothing_to_float32():
    mean, log_variance = 30 * normal(6, 4), torch.full((6, 4), -12.0).double()
    z = mean + (0.5 * log_variance).exp() * normal(6, 4, seed=1)
    mixture = PosteriorMixture(mean.float(), log_variance.float())
    found = mixture.divergence(mean.float(), log_variance.float(), z.float())
    assert found.tolist() == pytest.approx([math.log(6)] * 6, abs=1e-3)


def test_samples_have_the_moments_of_the_mixture():
    mixture = PosteriorMixture(torch.tensor([[3.0, 0.0], [-1.0, 2.0]]), torch.tensor([[0.0, -2.0], [-4.0, 1.0]]))
    z = mixture.sample(100_000, torch.Generator().manual_seed(0))
    variance = mixture.log_variance.exp().mean(0) + mixture.mean.var(0, correction=0)
    torch.testing.assert_close(z.mean(0), mixture.mean.mean(0), rtol=0, atol=0.03)
    torch.testing.assert_close(z.var(0), variance, rtol=0.02, atol=0)


@EVERY
def test_the_loss_of_a_stage_is_by_the_definition(tiny_stage, network):
    stage = tiny_stage(*VAMP, *network, "stage1.kl_weight=2")
    train_batch(stage, stage.shuffle()[0])  # so that batch norms have averages
    noise, balance = torch.Generator().manual_seed(3), stage.balance
    x = stage.take(stage.shuffle()[1])
    mean, log_variance = stage.network.encode(x)
    z = balance.code(mean, log_variance, noise)
    passed = Pass(x, mean, log_variance, z, stage.network.decode(z))
    weighed = balance.weigh(balance.terms(passed, stage.network, noise), 2.0)
    stage.network.eval()
    mixture = PosteriorMixture(*stage.network.encode(stage.network.pseudo_inputs.free.clamp(0, 1)))
    kl = np.mean(slowly(mixture, mean, log_variance, z))
    mse = (x - passed.x_hat).square().flatten(1).sum(1).mean().item()
    assert weighed.loss.item() == pytest.approx(mse / (2 * 0.09) + 2 * kl, rel=1e-4)
    assert float(weighed.weights["beta"]) == pytest.approx(2 * 0.09 * 2)


@EVERY
def test_pseudo_inputs_begin_as_set_in_the_range_of_images_and_are_trained(tiny_stage, network):
    stage, other = (tiny_stage(*VAMP, *network, "balance.pseudo_mean=0.4", *more) for more in ((), ("seed=1",)))
    free = stage.network.pseudo_inputs.free
    before = free.detach().clone()
    assert free.shape == (4, 3, 8, 8)
    assert before.mean().item() == pytest.approx(0.4, abs=0.002)
    assert before.std().item() == pytest.approx(0.01, rel=0.1)
    assert not torch.equal(before, other.network.pseudo_inputs.free)
    train_batch(stage, stage.shuffle()[0])
    assert (free - before).abs().max() > 1e-4
    with torch.no_grad():
        free[0], free[1] = -3.0, 3.0
    assert stage.network.pseudo_inputs()[:2].flatten(1).unique(dim=1).tolist() == [[0.0], [1.0]]


def test_the_other_weights_begin_as_they_do_without(tiny_stage):
    with_it, without = tiny_stage(*VAMP, *RESNET), tiny_stage(*RESNET)
    own = without.network.state_dict()
    found = with_it.network.state_dict()
    assert set(found) - set(own) == {"pseudo_inputs.free"}
    assert all(torch.equal(found[name], own[name]) for name in own if torch.is_tensor(own[name]))


@pytest.mark.parametrize("network", [RESNET, INFOGAN], ids=["resnet", "infogan"])
def test_what_a_network_remembers_of_batches_is_of_images_alone(tiny_stage, network):
    stage = tiny_stage(*VAMP, *network)
    train_batch(stage, stage.shuffle()[0])
    norms = [each for each in stage.network.modules() if isinstance(each, BatchNorm)]
    before = {name: each.clone() if torch.is_tensor(each) else dict(each) for name, each in state(stage).items()}
    in_training = stage.network.mixture()
    assert all(each.training for each in stage.network.modules())
    assert same(before, state(stage))
    assert all(each.steps == 1 for each in norms)
    stage.network.eval()
    at_evaluation = stage.network.mixture()
    assert torch.equal(in_training.mean, at_evaluation.mean)
    assert not any(each.training for each in stage.network.modules())


def test_batch_norms_follow_the_batches_closely_as_pseudo_inputs_pass_by_their_averages(tiny_stage):
    """Else the prior is trained for another encoder than images pass, and KL on test images is some times too large."""
    stage = tiny_stage(*VAMP, *RESNET, "stage1.lr=0.01")
    trained(stage, 200)
    x = stage.take(stage.shuffle().flatten())
    by_batch = stage.network.encode(x)
    stage.network.eval()
    by_average = stage.network.encode(x)
    apart = [(one - other).abs().mean() / one.abs().mean() for one, other in zip(by_batch, by_average, strict=True)]
    assert max(apart) < 0.015


def state(stage):
    return stage.network.state_dict()


def same(one, other):
    return one.keys() == other.keys() and all(
        torch.equal(one[k], other[k]) if torch.is_tensor(one[k]) else one[k] == other[k] for k in one
    )


@EVERY
def test_a_stage_saved_and_resumed_trains_on_bit_for_bit(tiny_stage, network):
    straight, halted, resumed = (tiny_stage(*VAMP, *network) for _ in range(3))
    rows = trained(straight, 7)
    trained(halted, 3)
    resumed.load_state_dict(halted.state_dict())
    for one, other in zip(trained(resumed, 4), rows[3:], strict=True):
        assert all(torch.equal(torch.as_tensor(one[key]), torch.as_tensor(other[key])) for key in other)
    assert same(state(resumed), state(straight))


def trained(stage, steps):
    rows = []
    for _ in range(steps):
        rows.append(train_batch(stage, stage.shuffle()[stage.step % stage.steps_per_epoch]))
        stage.step += 1
    return rows


def test_nothing_of_it_waits_for_the_device(tiny_stage, nothing_waits):
    stage = tiny_stage(*VAMP, *RESNET)
    rows = stage.shuffle()[0]
    train_batch(stage, rows)
    with nothing_waits():
        train_batch(stage, rows)


def test_of_several_processes_each_has_the_terms_of_all(monkeypatch):
    """Each encodes all pseudo-inputs; of the batch it has its rows, and `ranks.mean` makes means of all of it."""
    mixture, balance = PosteriorMixture(normal(5, 3), normal(5, 3, seed=1)), make()
    network = type("Network", (), {"mixture": lambda self: mixture})()
    x, mean, log_variance, z, x_hat = (normal(8, 3, seed=seed) for seed in range(5))
    whole = balance.terms(Pass(x, mean, log_variance, z, x_hat), network, torch.Generator())
    told = []
    monkeypatch.setattr(ranks, "mean", lambda *parts: told.append(parts) or parts)
    for rank in (0, 1):
        monkeypatch.setattr(ranks, "_here", Place(rank, 2))
        balance.terms(Pass(*map(ranks.share, (x, mean, log_variance, z, x_hat))), network, torch.Generator())
    for found, wanted in zip(zip(*told, strict=True), (whole.mse, whole.kl, whole.moments), strict=True):
        torch.testing.assert_close((found[0] + found[1]) / 2, wanted)


def make():
    return build_balance(config.Balance(name="vampprior", gamma_squared=0.09), Plan(100, 10))


def test_choosing_it_leaves_the_second_stage_out_and_what_does_not_go_with_it_is_refused():
    chosen = resolve(config.Config(), ["balance=vampprior", "balance.gamma=0.2"])
    assert (chosen.stage2.enabled, chosen.balance.pseudo_inputs) == (False, 500)
    for settings, said in (
        (("stage2.enabled=true",), r"has no second stage: its prior is trained .*--set stage2.enabled=false"),
        (("balance.gamma_squared=0",), r"needs its gamma_squared: --set balance.gamma=0.2"),
        (("balance.pseudo_inputs=0",), r"balance.pseudo_inputs must be a whole number from 1 on"),
        (("balance.beta=2",), r"takes no balance.beta"),
        (("balance=fixed", "balance.pseudo_inputs=3"), r"takes no balance.pseudo_inputs; add --set balance=vampprior"),
    ):
        with pytest.raises(UsageError, match=said):
            resolve(chosen, settings)


def test_no_graph_is_made_of_its_steps(tiny, monkeypatch):
    said = []
    step = how_to_step(tiny(*VAMP, "graph=true"), torch.device("cuda"), said.append)
    assert step(lambda stage, batch: batch, None)("a batch") == "a batch"
    assert "steps go one by one" in said[0]


@EVERY
def test_a_run_of_it_is_recorded_and_says_what_is_not_defined(start, tiny, runs, network):
    assert start("a", tiny(*VAMP, *network))
    with open_run("a", runs) as run:
        channels = set(run.channels(1))
        assert {"mse", "mixture_kl", "posterior_variance", "mean_mu", "mu_squared", "gamma", "beta"} <= channels
        assert not {"kl", "latent_kl", "mean_variance", "variance_law"} & channels
        assert run.series("posterior_variance", stage=1).mean.shape == (8, 3)
        assert [set(each.values) for each in run.evaluations()] == [{"mse", "mse_min", "mse_max", "mixture_kl"}] * 2
        assert not_defined(run.info().config, "variance_law") == "not defined for VampPrior"
        assert not [event for event in run.events() if event.kind in ("wake", "collapse", "ignored")]
    asked = ["export", "a", "--runs", str(runs), "--to", "csv", "--out", "-"]
    table = CliRunner().invoke(vaemon, asked, catch_exceptions=False)
    assert {"mixture_kl", "posterior_variance[2]"} <= set(table.stdout.partition("\n")[0].split(","))
    assert {each.kind for each in LocalSource(runs / "a").images()} == {"inputs", "reconstructions", "GEN-1"}


def test_what_is_analyzed_by_another_prior_is_refused(start, tiny, runs):
    assert start("a", tiny(*VAMP))
    with pytest.raises(
        VaemonError, match=r"not defined for VampPrior, which has no posteriors with the prior N\(0, I\)"
    ):
        CliRunner().invoke(vaemon, ["analyze", "a", "--runs", str(runs)], catch_exceptions=False)


@EVERY
def test_a_run_is_sampled_from_its_own_prior_by_one_pass(start, tiny, runs, network, monkeypatch):
    assert start("a", tiny(*VAMP, *network))
    trained = Trained(runs / "a")
    passes, mixture = [], type(trained.first.model).mixture
    monkeypatch.setattr(type(trained.first.model), "mixture", lambda self: passes.append(1) or mixture(self))
    z = np.concatenate(list(latents(trained, 1, 4000, 0)))
    free = load(runs / "a", 1)["network"]["pseudo_inputs.free"]
    with torch.no_grad():
        mean, log_variance = (each.numpy() for each in trained.first.model.encode(free.clamp(0, 1)))
    deviation = np.sqrt(np.exp(log_variance).mean(0) + mean.var(0))
    np.testing.assert_allclose(z.mean(0), mean.mean(0), atol=4 * deviation.max() / 4000**0.5)
    np.testing.assert_allclose(z.std(0), deviation, rtol=0.08)
    np.testing.assert_array_equal(np.concatenate(list(latents(trained, 1, 7, 0))), z[:7])
    assert not np.array_equal(next(latents(trained, 1, 7, 1)), z[:7])
    np.testing.assert_array_equal(next(samples(trained, 1, 7)), trained.decode(z[:500])[:7])
    assert len(passes) == 1
    codes, _ = trained.encode(trained.images.test)
    assert not np.allclose(next(reconstructions(trained, 3)), next(reconstructions(trained, 3, mean=True)))
    assert most_awake(trained, 3) == np.argsort(-codes.var(0)).tolist()
    moved = codes[0].copy()
    moved[1] = codes[:, 1].mean() + 3 * codes[:, 1].std()
    np.testing.assert_allclose(traversals(trained, [1], 5).images[0, -1], trained.decode(moved[None])[0], atol=1e-5)
    with pytest.raises(UsageError, match=r"a variational autoencoder \(vampprior\), which has no second stage"):
        next(samples(trained, 2, 7))
