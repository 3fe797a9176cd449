import math

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from trainer.objective import elbo_terms, kl_to_prior, mean_squared_error, weighted_loss


@pytest.mark.parametrize(
    ("mean", "variance", "expected"),
    [
        (0.0, 1.0, 0.0),  # the prior itself
        (1.0, 1.0, 0.5),
        (0.0, math.e, (math.e - 2) / 2),
        (2.0, 0.25, 0.5 * (4 + 0.25 + math.log(4) - 1)),
    ],
)
def test_kl_to_prior_by_hand(mean, variance, expected):
    value = kl_to_prior(torch.tensor(mean**2), torch.tensor(variance), torch.tensor(math.log(variance)))
    assert value.item() == pytest.approx(expected, abs=1e-6)


def test_kl_to_prior_is_torchs_own():
    generator = torch.Generator().manual_seed(0)
    mean, log_variance = torch.randn(2, 50, 4, generator=generator)
    theirs = kl_divergence(Normal(mean, (0.5 * log_variance).exp()), Normal(0.0, 1.0))
    torch.testing.assert_close(kl_to_prior(mean.square(), log_variance.exp(), log_variance), theirs)


def test_terms_are_means_over_the_batch_and_kl_sums_over_latents():
    generator = torch.Generator().manual_seed(1)
    x, x_hat = torch.rand(2, 5, 3, 4, 4, generator=generator)
    mean, log_variance = torch.randn(2, 5, 6, generator=generator)
    terms = elbo_terms(x, x_hat, mean, log_variance)
    by_hand = kl_to_prior(mean.square(), log_variance.exp(), log_variance)
    assert terms.values == 48
    assert terms.mse.item() == pytest.approx(((x - x_hat) ** 2).sum().item() / (5 * 48), rel=1e-5)
    torch.testing.assert_close(terms.latent_kl, by_hand.mean(0))
    torch.testing.assert_close(terms.kl, by_hand.sum(1).mean())


def test_loss_is_the_sum_over_values_by_hand():
    x = torch.tensor([[1.0, 0.0], [0.5, 0.5]])
    x_hat = torch.zeros(2, 2)
    mean = torch.tensor([[1.0], [3.0]])
    terms = elbo_terms(x, x_hat, mean, torch.zeros(2, 1))
    # Errors of the two samples: 1 and .5, so .75 on average; KL: ½ and 4½, so 2½.
    loss = weighted_loss(terms, torch.tensor(0.25), kl_weight=4.0)
    assert loss.item() == pytest.approx(0.75 / (2 * 0.25) + 4 * 2.5)


def test_at_gamma_squared_equal_mse_the_generative_loss_is_least():
    """Equations 9 and 10: d/dγ (mse/(2γ²) + log γ) = 0 at γ² = mse."""
    mse = mean_squared_error(torch.full((3, 4), 0.3), torch.zeros(3, 4)).item()

    def generative(gamma: float) -> float:
        return mse / (2 * gamma**2) + math.log(gamma) + 0.5 * math.log(2 * math.pi)

    at_best = generative(math.sqrt(mse))
    assert generative(math.sqrt(mse) * 1.01) > at_best < generative(math.sqrt(mse) * 0.99)
