"""Both variance laws on hand-made posteriors, and what the mean over latents hides."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.measures.variance_law import (
    largest_mean,
    mean_share,
    summarize_law,
    variance_law,
    variance_law_as_published,
)

EQ7 = "Asperti & Trentin 2020, eq. 7"
CODE = "asperti/BalancingVAE: Var(mu) + mean of exp(log sigma)"

LAWS = [
    ("posterior is the prior", variance_law, ([0.0], [1.0]), [1.0], 0.0, EQ7),
    ("two-point means ±√.96, σ = .2", variance_law, ([0.96], [0.04]), [1.0], 1e-15, EQ7),
    ("means 0 and 3 (2:1), σ² of 1 and 3", variance_law, ([3.0], [2.0]), [5.0], 0.0, EQ7),
    ("a point at the mean", variance_law, ([0.0], [0.0]), [0.0], 0.0, EQ7),
    ("each latent by itself", variance_law, ([0.5, 0.1], [0.5, 0.7]), [1.0, 0.8], 1e-15, EQ7),
    ("NaN stays with its latent", variance_law, ([np.nan, 0.2], [0.1, 0.3]), [np.nan, 0.5], 1e-15, EQ7),
    ("as published, posterior is the prior", variance_law_as_published, ([0.0], [1.0]), [1.0], 0.0, CODE),
    ("as published, ±√.96 and σ = .2", variance_law_as_published, ([0.96], [0.2]), [1.16], 1e-15, CODE),
    ("as published, a displaced mean is not seen", variance_law_as_published, ([0.0], [0.5]), [0.5], 0.0, CODE),
]


@pytest.mark.parametrize(
    ("law", "arrays", "expected", "rtol", "source"), [pytest.param(*case[1:], id=case[0]) for case in LAWS]
)
def test_law(law, arrays, expected, rtol, source):
    np.testing.assert_allclose(law(*map(np.array, arrays)), expected, rtol=rtol, atol=0, err_msg=source)


SUMMARIES = [
    ("holds", [1.0, 1.0], (1.0, 0.0, 0.0), 0.0, EQ7),
    ("falls short", [0.8, 0.9], (0.85, -0.15, 0.2), 1e-12, EQ7),
    ("holds in the mean alone", [0.5, 1.5], (1.0, 0.0, 0.5), 0.0, "deviations cancel in a mean, not in a maximum"),
    ("one latent", [1.25], (1.25, 0.25, 0.25), 0.0, EQ7),
    ("NaN is not passed over", [1.0, np.nan], (np.nan, np.nan, np.nan), 0.0, EQ7),
]


@pytest.mark.parametrize(
    ("law", "expected", "rtol", "source"), [pytest.param(*case[1:], id=case[0]) for case in SUMMARIES]
)
def test_summary(law, expected, rtol, source):
    np.testing.assert_allclose(summarize_law(np.array(law)), expected, rtol=rtol, atol=0, err_msg=source)


MEANS = [
    ("the prior's", largest_mean, [0.0, 0.0], 0.0, "Asperti & Trentin 2020, eq. 6"),
    ("the sign makes no difference", largest_mean, [0.1, -0.3], 0.3, "Asperti & Trentin 2020, eq. 6"),
    ("share of nothing", mean_share, [0.0], 0.0, "E[mu²] = Var[mu] + E[mu]²"),
    ("share", mean_share, [0.1, -0.3], 0.05, "E[mu²] = Var[mu] + E[mu]²"),
]


@pytest.mark.parametrize(
    ("measure", "mean_mu", "expected", "source"), [pytest.param(*case[1:], id=case[0]) for case in MEANS]
)
def test_mean(measure, mean_mu, expected, source):
    assert measure(np.array(mean_mu)) == pytest.approx(expected, rel=1e-14), source


@given(st.floats(0.001, 1))
def test_as_published_a_posterior_that_obeys_the_law_exceeds_one(deviation):
    obeys = np.array([1 - deviation**2])
    assert variance_law(obeys, np.array([deviation**2])) == pytest.approx(1.0)
    published = float(variance_law_as_published(obeys, np.array([deviation]))[0])
    assert published == pytest.approx(1 + deviation - deviation**2)
    assert published >= 1 or math.isclose(published, 1)


@given(st.permutations(range(4)))
def test_the_order_of_the_latents_makes_no_difference(order):
    mu_squared, mean_variance = np.array([0.9, 0.1, 0.4, 0.0]), np.array([0.1, 0.8, 0.7, 1.0])
    law = variance_law(mu_squared, mean_variance)
    shuffled = variance_law(mu_squared[list(order)], mean_variance[list(order)])
    np.testing.assert_array_equal(shuffled, law[list(order)])
    np.testing.assert_allclose(summarize_law(shuffled), summarize_law(law), rtol=1e-14, atol=1e-15)
