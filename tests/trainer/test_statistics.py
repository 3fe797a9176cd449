import torch

from trainer.balance import build_balance
from trainer.config import Balance
from trainer.objective import elbo_terms
from trainer.statistics import step_to_channels
from vaemon.channels import CHANNELS, POSTERIOR
from vaemon.recorder.reduce import posterior_to_channels


def test_channels_are_those_of_the_recorder_without_gradients():
    generator = torch.Generator().manual_seed(0)
    mean, log_variance = torch.randn(2, 20, 3, generator=generator).requires_grad_()
    x = torch.rand(20, 5, generator=generator)
    terms = elbo_terms(x, x * mean.mean(), mean, log_variance)
    balance = build_balance(Balance(name="fixed", gamma_squared=0.25))
    loss = balance.loss(terms, 1.0)
    found = step_to_channels(terms, loss, balance, mean, log_variance)

    assert set(found) <= set(CHANNELS)
    assert not any(value.requires_grad for value in found.values())
    assert {name: tuple(value.shape) for name, value in found.items() if name not in POSTERIOR} == dict.fromkeys(
        ("mse", "kl", "gamma", "loss"), ()
    )
    theirs = posterior_to_channels(mean.detach(), log_variance=log_variance.detach())
    for name in POSTERIOR:
        torch.testing.assert_close(found[name], theirs[name])
    assert found["gamma"].item() == 0.5
    torch.testing.assert_close(found["loss"], 5 * found["mse"] / 0.5 + found["kl"])
