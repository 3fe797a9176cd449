"""Whatever an encoder gives back is known for what it is, or refused with a word on what to do."""

from collections import OrderedDict, namedtuple
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
import torch
from torch.distributions import Independent, MultivariateNormal, Normal, Poisson

from vaemon.adapters.posterior import gaussian_of
from vaemon.errors import UsageError

MEAN, LOG_VARIANCE = torch.randn(5, 3), torch.randn(5, 3)
VARIANCE, DEVIATION = LOG_VARIANCE.exp(), (LOG_VARIANCE / 2).exp()
SAMPLE, OTHER = torch.randn(5, 3), torch.randn(5, 8)

Named = namedtuple("Named", "z mean logvar")


@dataclass
class Output:
    mu: torch.Tensor
    log_var: torch.Tensor


class Unset:
    """As an object that has every name, but not a value for each."""

    mean, logvar, variance = MEAN, None, VARIANCE


@pytest.mark.parametrize(
    "output",
    [
        (MEAN, LOG_VARIANCE),
        [MEAN, LOG_VARIANCE],
        (MEAN, LOG_VARIANCE, OTHER),
        (OTHER, MEAN, LOG_VARIANCE)[1:],
        Normal(MEAN, DEVIATION),
        Independent(Normal(MEAN, DEVIATION), 1),
        (Normal(MEAN, DEVIATION), SAMPLE),
        (SAMPLE, Independent(Normal(MEAN, DEVIATION), 1)),
        {"mean": MEAN, "variance": VARIANCE},
        {"loc": MEAN, "scale": DEVIATION},
        {"mu": MEAN, "logvar": LOG_VARIANCE, "z": SAMPLE},
        OrderedDict(embedding=MEAN, log_covariance=LOG_VARIANCE),
        Named(SAMPLE, MEAN, LOG_VARIANCE),
        Output(MEAN, LOG_VARIANCE),
        Unset(),
        SimpleNamespace(mean=MEAN, stddev=DEVIATION),
        SimpleNamespace(latent_dist=SimpleNamespace(mean=MEAN, logvar=LOG_VARIANCE, std=DEVIATION)),
        {"latent_dist": Normal(MEAN, DEVIATION)},
    ],
    ids=lambda output: type(output).__name__,
)
def test_mean_and_variance_are_found(output):
    found = gaussian_of(output)
    assert torch.equal(found.mean, MEAN)
    variance = found.variance if found.log_variance is None else found.log_variance.exp()
    torch.testing.assert_close(variance, VARIANCE)


@pytest.mark.parametrize(
    ("output", "said"),
    [
        (MEAN, r"one tensor of shape \(5, 3\)"),
        ((SAMPLE, MEAN, LOG_VARIANCE), r"a tuple of 3: \(5, 3\), \(5, 3\), \(5, 3\)"),
        ((MEAN, OTHER), "a tuple of 2"),
        ({"hidden": MEAN}, "a dict with hidden"),
        ({"mean": MEAN}, "a dict with mean"),
        (None, "a NoneType"),
        ((), "a tuple of 0"),
    ],
)
def test_what_cannot_be_told_is_not_guessed(output, said):
    with pytest.raises(UsageError, match=said) as raised:
        gaussian_of(output)
    assert "extract=" in str(raised.value)


@pytest.mark.parametrize(
    "output",
    [Poisson(VARIANCE), Independent(Poisson(VARIANCE), 1), MultivariateNormal(MEAN, torch.eye(3))],
)
def test_another_distribution_is_refused_by_name(output):
    with pytest.raises(UsageError, match=r"a (Poisson|MultivariateNormal); "):
        gaussian_of(output)
