"""One row a strategy: its settings, the mse of the batches it is given, and γ² after each."""

from typing import get_args, get_type_hints

import pytest
import torch

from trainer import config
from trainer.balance import STRATEGIES, build_balance
from trainer.objective import ElboTerms

MSE = [0.5, 0.4, 2.0, 0.1, 0.1, 3.0, 0.05] * 40


def terms(mse: float, kl: float = 3.0) -> ElboTerms:
    return ElboTerms(torch.tensor(mse), torch.tensor(kl), torch.tensor([kl]), values=12)


def running_minimum(momentum: float) -> list[float]:
    """The published rule, as slowly and plainly as it can be said."""
    m, seen = 1.0, []
    for mse in MSE:
        candidate = momentum * m + (1 - momentum) * mse
        if candidate < m:
            m = candidate
        seen.append(m)
    return seen


ROWS = [
    pytest.param({"name": "computed"}, running_minimum(0.99), id="computed"),
    pytest.param({"name": "computed", "momentum": 0.5}, running_minimum(0.5), id="computed, momentum .5"),
    pytest.param({"name": "fixed", "gamma_squared": 0.04}, [0.04] * len(MSE), id="fixed"),
]


@pytest.mark.parametrize(("settings", "expected"), ROWS)
def test_gamma_follows_its_rule(settings, expected):
    balance = build_balance(config.Balance(**settings))
    seen = []
    for mse in MSE:
        balance.update(terms(mse))
        seen.append(balance.gamma_squared.item())
        assert balance.gamma.item() ** 2 == pytest.approx(seen[-1], rel=1e-6)
    assert seen == pytest.approx(expected, rel=2e-6)


@pytest.mark.parametrize(("settings", "expected"), ROWS)
def test_a_strategy_goes_on_from_its_saved_state(settings, expected):
    first = build_balance(config.Balance(**settings))
    for mse in MSE[:100]:
        first.update(terms(mse))
    second = build_balance(config.Balance(**settings))
    second.load_state_dict(first.state_dict())
    for mse in MSE[100:]:
        second.update(terms(mse))
    assert second.gamma_squared.item() == pytest.approx(expected[-1], rel=2e-6)


def test_computed_gamma_starts_at_one_and_never_grows():
    balance = build_balance(config.Balance())
    assert balance.gamma.item() == 1.0
    balance.update(terms(5.0))
    assert balance.gamma.item() == 1.0


def test_the_loss_has_the_gamma_of_before_the_update():
    balance = build_balance(config.Balance(name="fixed", gamma_squared=0.5))
    assert balance.loss(terms(0.1, kl=3.0), kl_weight=2.0).item() == pytest.approx(12 * 0.1 / (2 * 0.5) + 2 * 3)


def test_gamma_gets_no_gradient_from_the_mse():
    balance = build_balance(config.Balance())
    mse = torch.tensor(0.5, requires_grad=True)
    balance.update(ElboTerms(mse, mse, mse[None], values=1))
    assert not balance.gamma.requires_grad


def test_a_bad_mse_is_not_hidden():
    balance = build_balance(config.Balance())
    balance.update(terms(float("nan")))
    assert balance.gamma.isnan()


def test_the_config_names_every_strategy():
    assert set(get_args(get_type_hints(config.Balance)["name"])) == set(STRATEGIES)
