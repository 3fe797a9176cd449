"""Moments of hand-made posteriors, and that no cut into batches changes them."""

from functools import reduce

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from analysis.measures.kl import gaussian_kl
from analysis.measures.moments import merge, posterior_moments

FIELDS = ("mean_mu", "mu_variance", "mu_squared", "mean_variance", "mean_deviation", "kl")
SHAPES = ("mu_covariance", "variance_variance", "near_prior", "skewness", "kurtosis")
"""What there is beside; their closed forms are below."""


def column(values):
    return np.array(values, np.float64)[:, None]


def log_of(deviations):
    return 2 * np.log(column(deviations))


LN3 = float(np.log(3))

# id, means, deviations, then E[mu], Var[mu], E[mu²], E[σ²], E[σ], KL, and the source
CASES = [
    ("posterior is the prior", [0, 0, 0], [1, 1, 1], (0, 0, 0, 1, 1, 0), "definition"),
    ("two-point means ±2", [2, -2], [0.5, 0.5], (0, 4, 4, 0.25, 0.5, 0.5 * (4 + 0.25 + np.log(4) - 1)), "definition"),
    ("means 0, 0, 3", [0, 0, 3], [1, 1, 1], (1, 2, 3, 1, 1, 1.5), "Var of a Bernoulli(1/3) times 9 = 2"),
    ("deviations 1 and 3", [0, 0], [1, 3], (0, 0, 0, 5, 2, 0.5 * (5 - LN3 - 1)), "definition"),
    ("one sample", [1.5], [1], (1.5, 0, 2.25, 1, 1, 1.125), "a single value has no variance"),
]


@pytest.mark.parametrize(
    ("means", "deviations", "expected", "source"), [pytest.param(*case[1:], id=case[0]) for case in CASES]
)
def test_closed_forms(means, deviations, expected, source):
    found = posterior_moments(column(means), log_of(deviations))
    assert found.count == len(means)
    values = [float(getattr(found, name)[0]) for name in FIELDS]
    np.testing.assert_allclose(values, expected, rtol=1e-14, atol=1e-15, err_msg=source)


posteriors = st.integers(1, 40).flatmap(
    lambda n: st.tuples(
        hnp.arrays(np.float64, (n, 3), elements=st.floats(-100, 100)),
        hnp.arrays(np.float64, (n, 3), elements=st.floats(-20, 5)),
        st.lists(st.integers(1, n), max_size=6),
        st.permutations(range(n)),
    )
)


TINY = np.array([[0.0] * 3, [1e-156, 0.0, 0.0], [0.0] * 3])
"""Its squares are subnormal."""


@given(posteriors)
@example((TINY, np.zeros((3, 3)), [1], [0, 1, 2]))
def test_any_cut_in_any_order_equals_one_pass(drawn):
    mean, log_variance, cuts, order = drawn
    whole = posterior_moments(mean, log_variance)
    shuffled = list(order)
    pieces = np.split(shuffled, sorted(set(cuts) - {len(mean)}))
    merged = reduce(merge, (posterior_moments(mean[piece], log_variance[piece]) for piece in pieces))
    assert merged.count == whole.count
    for name in FIELDS:
        scale = float(np.abs(mean).max() ** 2) if name in ("mu_variance", "mu_squared") else 100.0
        close = 1e-13 * scale + np.finfo(np.float64).tiny  # below which floats have fewer digits
        np.testing.assert_allclose(getattr(merged, name), getattr(whole, name), rtol=1e-12, atol=close)


@given(posteriors)
def test_against_a_slow_reference_and_in_any_order_of_latents(drawn):
    mean, log_variance, _, _ = drawn
    found = posterior_moments(mean[:, ::-1], log_variance[:, ::-1])
    slow = {
        "mean_mu": [sum(row) / len(row) for row in mean.T],
        "mu_variance": [sum((v - sum(row) / len(row)) ** 2 for v in row) / len(row) for row in mean.T],
        "mu_squared": [sum(v * v for v in row) / len(row) for row in mean.T],
        "mean_variance": [sum(np.exp(t) for t in row) / len(row) for row in log_variance.T],
        "mean_deviation": [sum(np.sqrt(np.exp(t)) for t in row) / len(row) for row in log_variance.T],
        "kl": gaussian_kl(mean, log_variance).mean(axis=0),
    }
    for name in FIELDS:
        np.testing.assert_allclose(getattr(found, name), np.array(slow[name])[::-1], rtol=1e-11, atol=1e-11)


def test_a_far_mean_loses_no_variance():
    mean = 1e8 + column([1, -1] * 500)
    merged = reduce(merge, (posterior_moments(part, np.zeros_like(part)) for part in np.split(mean, 20)))
    assert merged.mu_variance[0] == pytest.approx(1.0, rel=1e-12)
    # What Chan's update is for: the difference of the two means has no correct digit here.
    assert abs(float(np.square(mean).mean() - mean.mean() ** 2) - 1.0) > 0.1


def test_an_infinite_kl_stays_infinite_when_merged():
    certain = np.full((3, 1), -np.inf)
    merged = merge(posterior_moments(np.ones((3, 1)), certain), posterior_moments(np.zeros((2, 1)), certain[:2]))
    assert merged.kl[0] == np.inf
    assert merged.mean_variance[0] == 0


def test_shapes_in_closed_form():
    """μ = ±1 with equal odds and σ² = ½ and 1½: Var(z) = 2, E[z⁴] = 1 + 6 · 1 + 3 · 1.25 about the mean 0."""
    found = posterior_moments(column([1, -1, 1, -1]), np.log(column([0.5, 0.5, 1.5, 1.5])))
    assert found.variance_variance[0] == pytest.approx(0.25)
    assert found.skewness[0] == pytest.approx(0, abs=1e-15)
    assert found.kurtosis[0] == pytest.approx(10.75 / 4 - 3)
    lone = posterior_moments(column([0, 0, 3]), np.full((3, 1), -np.inf))  # a Bernoulli of 1/3 times 3
    assert lone.skewness[0] == pytest.approx(1 / np.sqrt(2))
    assert lone.kurtosis[0] == pytest.approx(-1.5)


def test_the_share_near_the_prior_is_counted_sample_by_sample():
    mean = column([0, 0, 0, 2])  # KL 0, 0, 0 and 2
    assert posterior_moments(mean, np.zeros((4, 1)), epsilon=1.0).near_prior[0] == 0.75
    assert posterior_moments(mean, np.zeros((4, 1)), epsilon=2.5).near_prior[0] == 1.0


def test_shapes_do_not_depend_on_how_samples_are_cut():
    generator = np.random.default_rng(3)
    mean = generator.standard_normal((997, 4)) @ generator.standard_normal((4, 4)) + [0, 3, -50, 1e4]
    log_variance = generator.normal(-1, 1, (997, 4))
    whole = posterior_moments(mean, log_variance)
    pieces = np.split(np.arange(997), [1, 2, 300, 310, 900])
    merged = reduce(merge, (posterior_moments(mean[piece], log_variance[piece]) for piece in pieces))
    for name in SHAPES:
        np.testing.assert_allclose(getattr(merged, name), getattr(whole, name), rtol=1e-9, atol=1e-11, err_msg=name)
    np.testing.assert_allclose(whole.mu_covariance, np.cov(mean, rowvar=False, ddof=0), rtol=1e-9)


def test_skewness_and_kurtosis_against_samples_of_the_mixture():
    generator = np.random.default_rng(4)
    mean = generator.exponential(1.0, (4000, 1))
    found = posterior_moments(mean, np.full((4000, 1), np.log(0.3)))
    drawn = np.repeat(mean, 500) + np.sqrt(0.3) * generator.standard_normal(4000 * 500)
    off = (drawn - drawn.mean()) / drawn.std()
    assert found.skewness[0] == pytest.approx((off**3).mean(), abs=0.02)
    assert found.kurtosis[0] == pytest.approx((off**4).mean() - 3, abs=0.1)
