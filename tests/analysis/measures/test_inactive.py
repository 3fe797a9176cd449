"""Inactive latents by the paper and by the published code."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from analysis.measures.inactive import inactive_as_published
from vaemon.latents import inactive

NOTE3 = "Asperti & Trentin 2020, footnote 3"
CODE = "asperti/BalancingVAE, mean of exp(log sigma) > .8"

COUNTS = [
    ("posterior is the prior", [1.0, 1.0, 1.0], 0.8, 3, NOTE3),
    ("all used", [0.01, 0.02, 0.0], 0.8, 0, NOTE3),
    ("at the threshold counts", [0.8, np.nextafter(0.8, 0)], 0.8, 1, NOTE3),
    ("another threshold", [0.5, 0.6, 0.8], 0.6, 2, NOTE3),
    ("NaN does not count", [np.nan, 0.9], 0.8, 1, "a latent that broke is not asleep"),
    ("infinite counts", [np.inf], 0.8, 1, NOTE3),
    ("one latent", [0.79], 0.8, 0, NOTE3),
]


@pytest.mark.parametrize(
    ("mean_variance", "threshold", "expected", "source"), [pytest.param(*case[1:], id=case[0]) for case in COUNTS]
)
def test_count(mean_variance, threshold, expected, source):
    assert inactive(np.array(mean_variance), threshold).sum() == expected, source


PUBLISHED = [
    ("posterior is the prior", [1.0, 1.0], [True, True], CODE),
    ("at the threshold does not count", [0.8, np.nextafter(0.8, 1)], [False, True], CODE),
    ("NaN does not count", [np.nan], [False], CODE),
    # σ = .9 everywhere: E[σ²] = .81 and E[σ] = .9. σ = .85: E[σ²] = .7225, so only the code counts it.
    ("a latent that only the code counts", [0.85], [True], CODE),
]


@pytest.mark.parametrize(
    ("mean_deviation", "expected", "source"), [pytest.param(*case[1:], id=case[0]) for case in PUBLISHED]
)
def test_as_published(mean_deviation, expected, source):
    assert inactive_as_published(np.array(mean_deviation)).tolist() == expected, source


@given(hnp.arrays(np.float64, (7, 5), elements=st.floats(0, 1)))
def test_the_code_counts_at_least_as_many_where_no_deviation_exceeds_one(deviation):
    paper = inactive((deviation**2).mean(axis=0)).sum()
    assert inactive_as_published(deviation.mean(axis=0), np.nextafter(0.8, 0)).sum() >= paper


@given(hnp.arrays(np.float64, 9, elements=st.floats(0, 2)), st.permutations(range(9)))
def test_the_order_of_the_latents_makes_no_difference(mean_variance, order):
    assert inactive(mean_variance[list(order)]).sum() == inactive(mean_variance).sum()
