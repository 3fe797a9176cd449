"""Burda's active units against a slow reference, and that they are no complement of the inactive latents."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from analysis.measures.active_units import THRESHOLD, active_units
from vaemon.latents import inactive

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
    ("mu_variance", "threshold", "expected", "source"), [pytest.param(*case[1:], id=case[0]) for case in CASES]
)
def test_units(mu_variance, threshold, expected, source):
    assert active_units(np.array(mu_variance), threshold).tolist() == expected, source


def test_the_default_threshold():
    assert THRESHOLD == 0.01
    assert active_units(np.array([0.0101, 0.0099])).tolist() == [True, False]


@given(hnp.arrays(np.float64, (11, 4), elements=st.integers(-30, 30).map(lambda i: i / 100)))
def test_against_a_slow_reference(means):
    variance = means.var(axis=0)
    clear = np.abs(variance - THRESHOLD) > 1e-12  # at the threshold itself rounding decides
    assert active_units(variance)[clear].tolist() == np.array(slow_active_units(means))[clear].tolist()


def test_inactive_and_active_units_are_not_complements():
    # In the limbo: a broad posterior whose mean still moves. And its reverse: narrow, but always in one place.
    mean_variance = np.array([0.9, 0.1])
    mu_variance = np.array([0.05, 0.0])
    both = inactive(mean_variance) & active_units(mu_variance)
    neither = ~inactive(mean_variance) & ~active_units(mu_variance)
    assert both.tolist() == [True, False]
    assert neither.tolist() == [False, True]
