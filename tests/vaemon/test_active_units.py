"""Burda's active units: closed forms, a slow reference, and that they are no complement of the inactive latents."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vaemon.latents import active_units, inactive, mu_variance, smooth
from vaemon.thresholds import DEFAULT

BURDA = "Burda, Grosse & Salakhutdinov 2016, activity > 10^-2"


def slow_active_units(means):
    """Sample by sample, latent by latent."""
    found = []
    for latent in range(means.shape[1]):
        centre = sum(means[:, latent]) / len(means)
        found.append(sum((mean - centre) ** 2 for mean in means[:, latent]) / len(means) > 0.01)
    return found


CASES = [
    ("means that never move", [0.0, 0.0], 0.01, [False, False], BURDA),
    ("two-point means ±.2: variance .04", [0.04], 0.01, [True], BURDA),
    ("at the threshold does not count", [0.01, np.nextafter(0.01, 1)], 0.01, [False, True], BURDA),
    ("another threshold", [0.04, 0.5], 0.1, [False, True], BURDA),
    ("NaN is not active", [np.nan], 0.01, [False], BURDA),
]


@pytest.mark.parametrize(
    ("variance", "threshold", "expected", "source"), [pytest.param(*case[1:], id=case[0]) for case in CASES]
)
def test_units(variance, threshold, expected, source):
    assert active_units(np.array(variance), threshold).tolist() == expected, source


def test_the_default_threshold():
    assert DEFAULT.unit == 0.01
    assert active_units(np.array([0.0101, 0.0099])).tolist() == [True, False]


@given(hnp.arrays(np.float64, (11, 4), elements=st.integers(-30, 30).map(lambda i: i / 100)))
def test_against_a_slow_reference(means):
    variance = means.var(axis=0)
    clear = np.abs(variance - DEFAULT.unit) > 1e-12  # at the threshold itself rounding decides
    assert active_units(variance)[clear].tolist() == np.array(slow_active_units(means))[clear].tolist()


def test_inactive_and_active_units_are_not_complements():
    # In the limbo: a broad posterior whose mean still moves. And its reverse: narrow, but always in one place.
    mean_variance = np.array([0.9, 0.1])
    activity = np.array([0.05, 0.0])
    both = inactive(mean_variance) & active_units(activity)
    neither = ~inactive(mean_variance) & ~active_units(activity)
    assert both.tolist() == [True, False]
    assert neither.tolist() == [False, True]


VARIANCES = [
    ("two-point ±2", 0.0, 4.0, 4.0, "E[x²] - E[x]²"),
    ("means 0, 0, 3", 1.0, 3.0, 2.0, "E[x²] - E[x]²"),
    ("a constant", 3.0, 9.0, 0.0, "E[x²] - E[x]²"),
    ("rounded below zero", 3.0, 9.0 - 1e-9, 0.0, "no variance is negative"),
    ("unknown", np.nan, 1.0, np.nan, "E[x²] - E[x]²"),
]


@pytest.mark.parametrize(
    ("mean", "square", "expected", "source"), [pytest.param(*case[1:], id=case[0]) for case in VARIANCES]
)
def test_variance_from_means(mean, square, expected, source):
    np.testing.assert_array_equal(mu_variance(np.array([mean]), np.array([square])), [expected], err_msg=source)


def test_the_mean_of_batch_variances_is_not_the_variance():
    batches = np.array([[0.0, 0.0], [2.0, 2.0]])  # the means differ between batches, not within them
    means, squares = batches.mean(axis=1), np.square(batches).mean(axis=1)
    assert mu_variance(means.mean(), squares.mean()) == batches.var() == 1.0
    assert mu_variance(means, squares).mean() == 0.0


@given(st.integers(0, 2**32 - 1), st.floats(0, 5))
def test_smoothed_moments_give_the_variance_between_and_within_batches(seed, offset):
    rng = np.random.default_rng(seed)
    means = offset + rng.normal(size=(60, 1, 3)) + rng.normal(size=(60, 20, 3))
    # Over all samples of batches of 20, weighted as `smooth` weighs the batches.
    weight = (1 - 1 / DEFAULT.smoothing) ** np.arange(59, -1, -1.0)
    centre = np.einsum("b,bnk->k", weight, means) / (20 * weight.sum())
    expected = np.einsum("b,bnk->k", weight, (means - centre) ** 2) / (20 * weight.sum())
    found = mu_variance(smooth(means.mean(axis=1)), smooth((means**2).mean(axis=1)))
    np.testing.assert_allclose(found, expected, atol=1e-12)
