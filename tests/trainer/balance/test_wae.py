"""The Wasserstein autoencoder, against its definition said slowly."""

import numpy as np
import pytest
import torch

from analysis.generate.generate import reconstructions, samples
from analysis.generate.trained import Trained
from trainer import config, ranks
from trainer.balance.registry import build_balance
from trainer.balance.strategy import Plan
from trainer.balance.wae import discrepancy
from trainer.networks.vae import draw_share
from trainer.objective import Pass
from trainer.place import Place
from trainer.settings import resolve
from vaemon import open_run
from vaemon.channels import not_defined
from vaemon.errors import UsageError
from vaemon.source.local import LocalSource


def kernel(one, other):
    width = 2 * len(one)
    square = sum((a - b) ** 2 for a, b in zip(one, other, strict=True))
    return sum(width * scale / (width * scale + square) for scale in (0.1, 0.2, 0.5, 1, 2, 5, 10))


def slowly(codes, prior):
    """The unbiased estimate said slowly, its kernel summed over the scales of the published code."""
    n, each = len(codes), range(len(codes))
    within = sum(kernel(z[i], z[j]) for z in (codes, prior) for i in each for j in each if i != j)
    across = sum(kernel(codes[i], prior[j]) for i in each for j in each)
    return within / (n * (n - 1)) - 2 * across / n**2


def normal(count, seed, size=3):
    return torch.randn((count, size), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_the_discrepancy_is_by_the_definition():
    for seed in range(3):
        codes, prior = 0.3 + 2 * normal(6, seed), normal(6, seed + 10)
        assert discrepancy(codes, prior).item() == pytest.approx(slowly(codes.tolist(), prior.tolist()), rel=1e-12)


def test_of_one_law_it_is_zero_in_the_mean_and_of_two_it_is_not():
    found = np.array([discrepancy(normal(50, seed), normal(50, 1000 + seed)).item() for seed in range(200)])
    assert abs(found.mean()) < 3 * found.std() / 200**0.5
    for other in (lambda z: z + 1, lambda z: 2 * z, lambda z: 0.1 * z):
        assert discrepancy(other(normal(50, 1)), normal(50, 2)).item() > 10 * found.std()


def test_codes_that_lie_at_one_place_have_gradients():
    codes = torch.zeros(5, 3, requires_grad=True)
    discrepancy(codes, normal(5, 0).float()).backward()
    assert codes.grad.isfinite().all()
    assert codes.grad.abs().sum() > 0


def make(**options):
    return build_balance(config.Balance(name="wae-mmd", **options), Plan(100, 10))


def terms_of(balance, codes, noise):
    x = torch.arange(float(len(codes) * 4)).view(-1, 4) / 100
    return balance.terms(Pass(x, codes, torch.zeros_like(codes), codes, x**2), None, noise)


def test_the_loss_is_by_the_definition():
    balance, codes = make(divergence_weight=7.0), 2 * normal(8, 0).float()
    assert balance.code(codes, torch.zeros_like(codes), torch.Generator()) is codes
    weighed = balance.weigh(terms_of(balance, codes, torch.Generator().manual_seed(5)), 99.0)
    prior = torch.randn(codes.shape, generator=torch.Generator().manual_seed(5))
    x = torch.arange(32.0).view(-1, 4) / 100
    mmd = slowly(codes.double().tolist(), prior.double().tolist())
    assert weighed.loss.item() == pytest.approx((x - x**2).square().sum(1).mean().item() + 7 * mmd, rel=1e-5)
    assert weighed.weights["mmd"].item() == pytest.approx(mmd, rel=1e-4)
    assert not {"gamma", "beta", "kl_weight"} & set(weighed.weights)


def test_of_several_processes_each_compares_the_codes_of_all(monkeypatch):
    codes, alone = normal(8, 0).float(), torch.Generator().manual_seed(5)
    whole = make().penalty(Pass(codes, codes, codes, codes, codes), None, alone)
    for rank in (0, 1):
        monkeypatch.setattr(ranks, "_here", Place(rank, 2))
        monkeypatch.setattr(ranks, "gathered", lambda part: codes.view(2, 4, 3))
        part, noise = ranks.share(codes), torch.Generator().manual_seed(5)
        assert torch.equal(make().penalty(Pass(part, part, part, part, part), None, noise), whole)
        assert torch.equal(noise.get_state(), alone.get_state())
        assert draw_share(part, part, noise).shape == (4, 3)


def test_choosing_it_leaves_the_second_stage_out_and_what_does_not_go_with_it_is_refused(tiny):
    chosen = resolve(config.Config(), ["balance=wae-mmd"])
    assert (chosen.stage2.enabled, chosen.balance.divergence_weight) == (False, 200.0)
    for settings, said in (
        (("stage2.enabled=true",), "has no second stage"),
        (
            ("stage1.kl_weight=2",),
            "has no KL for stage1.kl_weight to weigh; balance.divergence_weight weighs its codes",
        ),
        (("stage1.batch=1",), "--set stage1.batch=2 or more"),
        (("balance.code_weight=2",), "takes no balance.code_weight"),
    ):
        with pytest.raises(UsageError, match=said):
            resolve(chosen, settings)


def test_a_run_of_it_is_recorded_sampled_from_the_prior_and_says_what_is_not_defined(start, tiny, runs):
    assert start("a", tiny("balance=wae-mmd", "stage2.enabled=false"))
    with open_run("a", runs) as run:
        assert {"mse", "mmd", "code_norm", "mu_squared"} <= set(run.channels(1))
        assert not {"kl", "gamma", "mean_variance"} & set(run.channels(1))
        assert [set(each.values) for each in run.evaluations()] == [{"mse", "mse_min", "mse_max"}] * 2
        assert not_defined(run.info().config, "kl") == "not defined for WAE"
    assert {each.kind for each in LocalSource(runs / "a").images()} == {"inputs", "reconstructions", "GEN-1"}
    assert not (runs / "a" / "density.npz").exists()
    trained = Trained(runs / "a")
    z = torch.from_numpy(trained.encode(trained.images.test[:3])[0])
    np.testing.assert_allclose(next(reconstructions(trained, 3)), trained.decode(z.numpy()), atol=1e-6)
    assert sum(len(block) for block in samples(trained, 1, 7)) == 7
    with pytest.raises(UsageError, match=r"a Wasserstein autoencoder \(wae-mmd\), which has no second stage"):
        next(samples(trained, 2, 7))
