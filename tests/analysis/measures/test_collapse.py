"""(ε, δ)-collapse on samples whose KL is known."""

import numpy as np
import pytest

from analysis.measures.collapse import collapsed, share_near_prior


def test_the_share_is_counted_strictly_below_epsilon():
    kl = np.array([[0.0, 0.01, np.inf], [0.005, 0.02, 0.0]])
    np.testing.assert_array_equal(share_near_prior(kl, 0.01), [1.0, 0.0, 0.5])


def test_a_kl_that_is_nan_makes_the_share_so():
    assert np.isnan(share_near_prior(np.array([[np.nan], [0.0]]))[0])


@pytest.mark.parametrize(
    ("near", "of", "delta", "expected"),
    [
        (99, 100, 0.01, True),
        (98, 100, 0.01, False),
        (100, 100, 0.0, True),
        (9999, 10_000, 0.0001, True),
        (1, 2, 0.5, True),
    ],
)
def test_collapsed_at_one_minus_delta_and_above(near, of, delta, expected):
    assert collapsed(np.array([near / of]), delta).tolist() == [expected]


def test_nan_has_not_collapsed():
    assert collapsed(np.array([np.nan])).tolist() == [False]


def test_a_latent_used_by_few_samples_has_not_collapsed_though_its_mean_kl_is_small():
    kl = np.zeros((1000, 1))
    kl[:20] = 0.3  # a mean of .006
    assert kl.mean() < 0.01
    assert not collapsed(share_near_prior(kl))[0]
