"""One row a strategy: what it makes of a series of batches, against its equations said slowly in numpy."""

import math
from typing import get_args, get_type_hints

import numpy as np
import pytest
import torch

from trainer import config
from trainer.balance.registry import STRATEGIES, build_balance
from trainer.balance.strategy import Plan
from trainer.objective import ElboTerms
from trainer.options import SINGLE_STAGE, TAKES

D = 12
"""Values of a sample."""
PLAN = Plan(total_steps=280, steps_per_epoch=10)
KL_WEIGHT = 1.5
MSE = np.array([0.5, 0.4, 2.0, 0.1, 0.1, 3.0, 0.05] * 40)
LATENT_KL = np.stack([np.linspace(3, 0.01, 280), np.full(280, 0.2)], 1)
KL = LATENT_KL.sum(1)


def batch(mse, latent_kl=(2.0, 1.0), gradients=False):
    latent = torch.tensor(latent_kl, dtype=torch.float32, requires_grad=gradients)
    squared_error = torch.tensor(mse, dtype=torch.float32, requires_grad=gradients)
    return ElboTerms(squared_error, latent.sum(), latent, moments=torch.zeros(3, len(latent)), values=D)


def by_gamma(gamma_squared, kl_weight=KL_WEIGHT, kl=KL, constant=0.0):
    """Loss, gamma, beta and kl_weight of D mse / (2 γ²) + kl_weight KL + a constant."""
    gamma_squared, kl_weight = np.broadcast_to(gamma_squared, 280), np.broadcast_to(kl_weight, 280)
    loss = np.array([D * MSE[t] / (2 * gamma_squared[t]) + kl_weight[t] * kl[t] for t in range(280)]) + constant
    return loss, np.sqrt(gamma_squared), 2 * gamma_squared * kl_weight, kl_weight


def running(momentum, least=False):
    m, before = 1.0, []
    for mse in MSE:
        before.append(m)
        moved = momentum * m + (1 - momentum) * mse
        m = min(m, moved) if least else moved
    return np.array(before)


def optimal():
    constant = [D * (0.5 * math.log(mse) + 0.5 * math.log(2 * math.pi)) for mse in MSE]
    return by_gamma(MSE, constant=np.array(constant))


def warm_up(steps):
    return np.array([KL_WEIGHT * min(1.0, t / steps) for t in range(280)])


def cyclical(cycles, rise):
    shares = []
    for t in range(280):
        tau = (t % math.ceil(280 / cycles)) / (280 / cycles)
        shares.append(tau / rise if tau <= rise else 1.0)
    return KL_WEIGHT * np.array(shares)


def floored(floor):
    return np.array([sum(max(floor, each) for each in row) for row in LATENT_KL])


def geco(tolerance, momentum, rate):
    multiplier, average, rows = 1.0, None, []
    for mse, kl in zip(MSE, KL, strict=True):
        c = mse - tolerance
        average = c if average is None else momentum * average + (1 - momentum) * c
        rows.append((KL_WEIGHT * kl + multiplier * D * average, KL_WEIGHT / multiplier))
        excess = min(average / tolerance, 1.0)
        multiplier *= math.exp(rate * (10 * excess if excess < 0 else excess))
    loss, beta = np.array(rows).T
    return loss, None, beta, np.full(280, KL_WEIGHT)


def fixed_beta(beta):
    return D * MSE + beta * KL_WEIGHT * KL, None, np.full(280, beta * KL_WEIGHT), np.full(280, KL_WEIGHT)


ROWS = {
    "computed": ({}, by_gamma(running(0.99, least=True))),
    "computed, momentum .5": ({"momentum": 0.5}, by_gamma(running(0.5, least=True))),
    "average": ({}, by_gamma(running(0.99))),
    "average, momentum 0": ({"momentum": 0.0}, by_gamma(running(0.0))),
    "learned": ({}, by_gamma(1.0, constant=D * 0.5 * math.log(2 * math.pi))),  # nothing trains it here
    "fixed": ({"gamma_squared": 0.04}, by_gamma(0.04)),
    "optimal": ({}, optimal()),
    "beta": ({"beta": 0.3}, fixed_beta(0.3)),
    "linear": ({"gamma_squared": 0.04, "warm_up": 7.5}, by_gamma(0.04, warm_up(75))),
    "linear, from the second step": ({"gamma_squared": 0.04, "warm_up": 0.01}, by_gamma(0.04, warm_up(1))),
    "cyclical": ({"gamma_squared": 0.04}, by_gamma(0.04, cyclical(4, 0.5))),
    "cyclical, uneven": ({"gamma_squared": 0.5, "cycles": 3, "rise": 0.8}, by_gamma(0.5, cyclical(3, 0.8))),
    "free-bits": ({"gamma_squared": 0.04, "floor": 0.25}, by_gamma(0.04, kl=floored(0.25))),
    "geco": ({"tolerance": 0.6}, geco(0.6, 0.99, 0.01)),
    "geco, fast": ({"tolerance": 0.2, "momentum": 0.5, "rate": 0.1}, geco(0.2, 0.5, 0.1)),
}
EVERY = pytest.mark.parametrize("row", ROWS)


def make(row, plan=PLAN):
    return build_balance(config.Balance(name=row.partition(",")[0], **ROWS[row][0]), plan)


def go(balance, steps):
    """What is recorded of those steps: the loss and the weights in force."""
    rows = []
    for t in steps:
        terms = batch(MSE[t], LATENT_KL[t])
        weighed = balance.weigh(terms, KL_WEIGHT)
        rows.append({"loss": weighed.loss.item(), **{key: float(each) for key, each in weighed.weights.items()}})
        balance.update(terms)
    return rows


@EVERY
def test_a_strategy_does_what_its_equations_say(row):
    rows = go(make(row), range(280))
    loss, gamma, beta, kl_weight = ROWS[row][1]
    assert [each["loss"] for each in rows] == pytest.approx(loss, rel=1e-4, abs=1e-4)
    assert [each["beta"] for each in rows] == pytest.approx(beta, rel=1e-4, abs=1e-9)
    assert [each["kl_weight"] for each in rows] == pytest.approx(kl_weight, rel=1e-5, abs=1e-9)
    if gamma is None:
        assert all("gamma" not in each for each in rows)
    else:
        assert [each["gamma"] for each in rows] == pytest.approx(gamma, rel=1e-5)


@EVERY
def test_beta_is_the_weight_of_kl_against_the_squared_error(row):
    """By the gradients themselves, after steps in which a strategy comes to a state of its own."""
    balance = make(row)
    go(balance, range(20))
    terms = batch(0.3, [3.0, 1.0], gradients=True)
    weighed = balance.weigh(terms, KL_WEIGHT)
    by_mse, by_kl = torch.autograd.grad(weighed.loss, [terms.mse, terms.latent_kl])
    assert by_kl.tolist() == pytest.approx([float(weighed.weights["beta"]) * by_mse.item() / D] * 2, rel=1e-5)


@EVERY
def test_what_is_recorded_has_no_gradient(row):
    weights = make(row).weigh(batch(0.3, gradients=True), KL_WEIGHT).weights
    assert not any(isinstance(each, torch.Tensor) and each.requires_grad for each in weights.values())


@EVERY
def test_a_strategy_goes_on_from_its_saved_state_bit_for_bit(row):
    straight = go(make(row), range(280))
    halted = make(row)
    assert go(halted, range(101)) == straight[:101]
    resumed = make(row)
    resumed.load_state_dict({key: each.clone() for key, each in halted.state_dict().items()})
    assert go(resumed, range(101, 280)) == straight[101:]


@EVERY
def test_a_bad_mse_is_not_hidden(row):
    balance = make(row)
    terms = batch(float("nan"))
    assert balance.weigh(terms, KL_WEIGHT).loss.isnan()


def test_every_strategy_is_tested_configured_and_has_its_options():
    names = set(STRATEGIES)
    # For the others see test_rae.py, test_wae.py, test_vampprior.py.
    assert {row.partition(",")[0] for row in ROWS} | set(SINGLE_STAGE) == names
    assert set(get_args(get_type_hints(config.Balance)["name"])) == set(TAKES) == names
    assert {option for options in TAKES.values() for option in options} == set(config.Balance.__struct_fields__) - {
        "name"
    }


def test_computed_gamma_starts_at_one_and_never_grows():
    balance = make("computed")
    assert balance.gamma.item() == 1.0
    balance.update(batch(5.0))
    assert balance.gamma.item() == 1.0


def test_gamma_gets_no_gradient_from_the_mse():
    for row in ("computed", "average"):
        balance = make(row)
        balance.update(batch(0.5, gradients=True))
        assert not balance.gamma.requires_grad


def test_a_learned_gamma_has_the_gradient_of_equation_8():
    """d/d(log γ) of D (mse / (2 γ²) + log γ) is D (1 - mse / γ²), 0 at γ² = mse."""
    for gamma, mse in ((1.0, 0.3), (0.5, 0.25), (0.1, 0.02)):
        balance = make("learned")
        with torch.no_grad():
            balance.log_gamma.fill_(math.log(gamma))
        weighed = balance.weigh(batch(mse), KL_WEIGHT)
        weighed.loss.backward()
        assert balance.log_gamma.grad.item() == pytest.approx(D * (1 - mse / gamma**2), rel=1e-4, abs=1e-4)
        before = float(weighed.weights["gamma"])
        with torch.no_grad():
            balance.log_gamma.add_(1.0)
        assert float(weighed.weights["gamma"]) == before == pytest.approx(gamma)


def test_only_a_learned_gamma_adds_noise_to_samples():
    noise = {row: make(row).sampling_noise for row in ROWS}
    assert noise.pop("learned").item() == 1.0
    assert set(noise.values()) == {None}


def test_an_optimal_gamma_is_the_likeliest_and_its_loss_has_the_gradient_of_equation_11():
    terms = batch(0.3, gradients=True)
    balance = make("optimal")
    loss = balance.weigh(terms, 0.0).loss
    assert torch.autograd.grad(loss, terms.mse)[0].item() == pytest.approx(D / (2 * 0.3), rel=1e-5)
    for gamma_squared in (0.29, 0.31):
        other = D * (0.3 / (2 * gamma_squared) + 0.5 * math.log(2 * math.pi * gamma_squared))
        assert loss.item() < other


def test_a_latent_below_its_free_bits_has_no_gradient():
    terms = batch(0.3, [0.1, 0.5], gradients=True)
    loss = make("free-bits").weigh(terms, KL_WEIGHT).loss
    assert torch.autograd.grad(loss, terms.latent_kl)[0].tolist() == [0.0, 1.5]


def test_a_longer_run_goes_on_in_cycles_of_the_same_length():
    first = make("cyclical")
    go(first, range(280))
    longer = make("cyclical", Plan(560, 10))
    longer.load_state_dict(first.state_dict())
    assert go(longer, range(140)) == go(make("cyclical"), range(140))
