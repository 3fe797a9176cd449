import torch

from trainer.balance.registry import build_balance
from trainer.balance.strategy import Plan
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
    balance = build_balance(Balance(name="fixed", gamma_squared=0.25), Plan(1, 1))
    weighed = balance.weigh(terms, 3.0)
    found = {name: torch.as_tensor(value) for name, value in step_to_channels(terms, weighed).items()}

    assert set(found) <= set(CHANNELS)
    assert not any(value.requires_grad for value in found.values())
    assert {name: tuple(value.shape) for name, value in found.items() if name not in POSTERIOR} == dict.fromkeys(
        ("mse", "kl", "gamma", "beta", "kl_weight", "loss"), ()
    )
    theirs = posterior_to_channels(mean.detach(), log_variance=log_variance.detach())
    for name in POSTERIOR:
        torch.testing.assert_close(found[name], theirs[name])
    assert (found["gamma"].item(), found["beta"].item(), found["kl_weight"].item()) == (0.5, 1.5, 3.0)
    torch.testing.assert_close(found["loss"], 5 * found["mse"] / 0.5 + 3 * found["kl"])
