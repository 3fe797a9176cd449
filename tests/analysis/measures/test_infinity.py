"""FID∞: the line through FIDs over 1/N, and that it takes away the bias that finitely many samples have."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.measures.features import FeatureStatistics, FeatureSums
from analysis.measures.frechet import frechet_distance
from analysis.measures.infinity import fid_infinity, line_at_infinity
from vaemon.errors import UsageError, VaemonError


def statistics(features, ddof=1):
    sums = FeatureSums(features.shape[1])
    sums.add(features)
    return sums.statistics(ddof)


TRUE = FeatureStatistics(10**9, np.zeros(8), np.eye(8))


def standard_normal(count, seed=0):
    return np.random.default_rng(seed).standard_normal((count, 8))


@given(
    st.floats(-1e3, 1e3), st.floats(-1e6, 1e6), st.lists(st.integers(2, 50_000), min_size=2, max_size=20, unique=True)
)
def test_a_line_is_found_again(value, slope, sizes):
    found = line_at_infinity(np.array(sizes), value + slope / np.array(sizes))
    assert found == pytest.approx((value, slope), rel=1e-6, abs=1e-6)


def test_the_line_is_that_of_least_squares():
    sizes, values = np.array([10, 20, 25, 40]), np.array([3.0, 1.0, 2.0, 0.5])
    slope, value = np.polyfit(1 / sizes, values, 1)
    assert line_at_infinity(sizes, values) == pytest.approx((value, slope), rel=1e-12)


def test_the_bias_of_few_samples_goes():
    fake = standard_normal(4000)
    found = fid_infinity(TRUE, fake, smallest=200, points=12)
    assert found.sizes[0] == 200
    assert found.sizes[-1] == 4000
    assert len(found.sizes) == len(found.distances) == 12
    assert found.slope > 0
    assert found.distances[0] > 10 * abs(found.value)  # the truth is nothing
    assert abs(found.value) < found.distances[-1]


def test_what_the_distance_truly_is_stays():
    found = fid_infinity(TRUE, standard_normal(4000) * 1.5 + 1, smallest=200, points=12)
    assert found.value == pytest.approx(8 + 8 * 0.5**2, rel=0.05)


def test_the_last_point_is_the_fid_of_all():
    fake = standard_normal(300)
    for ddof in (0, 1):
        real = FeatureStatistics(500, TRUE.mean, TRUE.covariance, ddof)
        found = fid_infinity(real, fake, smallest=50, points=4)
        assert found.distances[-1] == pytest.approx(frechet_distance(real, statistics(fake, ddof)), rel=1e-10)


def test_more_rows_than_are_summed_at_a_time():
    fake = standard_normal(2500)
    found = fid_infinity(TRUE, fake, smallest=1200, points=2)
    assert found.distances[-1] == pytest.approx(frechet_distance(TRUE, statistics(fake)), rel=1e-9)


def test_equal_seeds_give_equal_figures_and_others_do_not():
    fake = standard_normal(100)
    one, again, other = (fid_infinity(TRUE, fake, 20, 5, seed).value for seed in (1, 1, 2))
    assert one == again != other


@pytest.mark.parametrize(
    ("images", "smallest", "points", "told"),
    [(100, 100, 5, "goes on from 100 images; there are 100"), (100, 50, 1, "make none"), (100, 1, 5, "make none")],
)
def test_what_makes_no_line_is_told(images, smallest, points, told):
    with pytest.raises(UsageError, match=told):
        fid_infinity(TRUE, standard_normal(images), smallest, points)


def test_features_that_do_not_fit_are_told():
    with pytest.raises(UsageError, match="3 features, the other 8"):
        fid_infinity(TRUE, np.zeros((10, 3)), 5)
    with pytest.raises(VaemonError, match="1 of 10 images have NaN"):
        fid_infinity(TRUE, np.where(np.arange(80).reshape(10, 8) == 3, np.nan, 1.0), 5)
