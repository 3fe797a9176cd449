"""Factors on shortfalls of known size, and the published code's scalars on cases that can be worked out."""

import numpy as np
import pytest

from analysis.measures.renormalisation import (
    published_factor,
    published_target,
    published_variance_loss,
    renormalise,
    renormalising_factors,
    variance_shortfall,
)

PAPER = "Asperti & Trentin 2020, CelebA: variance around .85, where 1 is expected"

FACTORS = [
    ("nothing lacks", [1.0], 1.0, [1.0]),
    ("the paper's", [0.85], 1.0, [0.85**-0.5]),
    ("too much", [1.44], 1.0, [1 / 1.2]),
    ("each latent to its own", [0.25, 0.5], [1.0, 2.0], [2.0, 2.0]),
    ("a constant stays one", [0.0, 0.25], 1.0, [1.0, 2.0]),
    ("NaN stays with its latent", [np.nan, 0.25], 1.0, [np.nan, 2.0]),
]


@pytest.mark.parametrize(("variance", "target", "expected"), [pytest.param(*case[1:], id=case[0]) for case in FACTORS])
def test_factor(variance, target, expected):
    np.testing.assert_allclose(renormalising_factors(np.array(variance), target), expected, rtol=1e-15, err_msg=PAPER)


def test_shortfall():
    np.testing.assert_allclose(variance_shortfall([0.85, 1.2], 1.0), [0.15, -0.2], rtol=1e-13)
    np.testing.assert_allclose(variance_shortfall([0.85, 1.2], [0.9, 1.3]), [0.05, 0.1], rtol=1e-13)


def test_the_factor_of_a_synthetic_shortfall_is_the_known_one_and_makes_up_for_it():
    deviation, centre = np.array([0.5, 0.92, 1.3]), np.array([-2.0, 0.0, 0.4])
    z = centre + deviation * np.random.default_rng(0).standard_normal((200_000, 3))
    factor = renormalising_factors(z.var(axis=0))
    np.testing.assert_allclose(factor, 1 / deviation, rtol=0.01)
    after = renormalise(z, z.mean(axis=0), factor).astype(np.float64)
    np.testing.assert_allclose(after.std(axis=0), 1.0, rtol=1e-6)
    np.testing.assert_allclose(after.mean(axis=0), z.mean(axis=0), atol=1e-6)


def test_the_published_target_is_the_root_of_its_law():
    assert published_target(np.array([0.96, 0.0]), np.array([0.2, 1.0])) == pytest.approx(np.sqrt((1.16 + 1.0) / 2))


@pytest.mark.parametrize("share", [0.0, 0.5, 0.9])
def test_the_published_rule_on_latents_that_are_shrunk(share):
    mu = np.random.default_rng(1).standard_normal((1000, 4)) * [1, 2, 0.1, 1] + 3.0
    shrunk = mu.mean(axis=0) + share * (mu - mu.mean(axis=0))
    assert published_variance_loss(mu, shrunk) == pytest.approx((1 + share) / (1 - share), rel=1e-9)


def test_the_published_rule_where_nothing_is_lost():
    mu = np.random.default_rng(1).standard_normal((1000, 4))
    assert published_variance_loss(mu, mu) == 0.0
    assert published_variance_loss(mu, mu + np.random.default_rng(2).standard_normal(mu.shape)) < 0


def test_the_published_factor_brings_the_mean_deviation_to_the_target():
    z = np.random.default_rng(3).standard_normal((100, 5)) * [0.1, 0.5, 1, 1, 2]
    factor = published_factor(z, 1.05)
    assert (factor * z).std(axis=0).mean() == pytest.approx(1.05)
    assert published_factor(np.ones((100, 5)), 1.05) == 1.0
