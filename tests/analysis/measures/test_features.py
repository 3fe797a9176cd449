"""Streamed mean and covariance: any cut or order equals one pass in longer arithmetic, and little is held."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from analysis.measures.features import FeatureStatistics, FeatureSums, check_features, same_width
from vaemon.errors import UsageError, VaemonError


def summed(*blocks):
    sums = FeatureSums(blocks[0].shape[1])
    for block in blocks:
        sums.add(block)
    return sums


def in_longer_arithmetic(features, ddof=1):
    """Two passes with 64 bits of mantissa, in which nothing is left to round of these sums in float64."""
    exact = np.asarray(features, np.longdouble)
    mean = exact.mean(axis=0)
    away = exact - mean
    return mean, np.einsum("ni,nj->ij", away, away) / (len(exact) - ddof)


def assert_equal_statistics(found, features, rtol=1e-13, ddof=1):
    mean, covariance = in_longer_arithmetic(features, ddof)
    deviation = np.sqrt(np.diagonal(covariance)).astype(float)
    assert found.count == len(features)
    assert found.ddof == ddof
    scale = np.abs(features).max(initial=1e-300)
    np.testing.assert_allclose(found.mean, mean.astype(float), rtol=1e-14, atol=1e-15 * scale)
    np.testing.assert_array_equal(found.covariance, found.covariance.T)
    error = np.abs(found.covariance - covariance.astype(float))
    assert (error <= rtol * np.outer(deviation, deviation) + 1e-28 * scale**2).all()


CASES = [
    ("three values", [[0.0], [0.0], [3.0]], 1, [1.0], [[3.0]]),
    ("divided by n", [[0.0], [0.0], [3.0]], 0, [1.0], [[2.0]]),
    ("one and its opposite", [[1.0, -1.0], [-1.0, 1.0]], 1, [0.0, 0.0], [[2.0, -2.0], [-2.0, 2.0]]),
    ("nothing varies", [[7.0, 0.1]] * 5, 1, [7.0, 0.1], [[0.0, 0.0], [0.0, 0.0]]),
]


@pytest.mark.parametrize(
    ("features", "ddof", "mean", "covariance"), [pytest.param(*case[1:], id=case[0]) for case in CASES]
)
def test_by_hand(features, ddof, mean, covariance):
    found = summed(np.array(features)).statistics(ddof)
    np.testing.assert_allclose(found.mean, mean, rtol=1e-15)
    np.testing.assert_allclose(found.covariance, covariance, atol=1e-30)


drawn = st.tuples(st.integers(2, 40), st.integers(1, 7)).flatmap(
    lambda shape: st.tuples(
        hnp.arrays(np.float64, shape, elements=st.floats(-1e3, 1e3, width=32)),
        st.lists(st.integers(1, shape[0] - 1), max_size=6, unique=True).map(sorted),
        st.permutations(range(shape[0])),
    )
)


@given(drawn)
def test_any_cut_in_any_order_is_one_pass(given_):
    features, cuts, order = given_
    whole, spread = in_longer_arithmetic(features)
    found = summed(features[:0], *np.split(features[list(order)], cuts)).statistics()
    np.testing.assert_allclose(found.mean, whole.astype(float), rtol=1e-13, atol=1e-12)
    np.testing.assert_allclose(found.covariance, spread.astype(float), rtol=1e-12, atol=1e-13 * np.ptp(features) ** 2)


@pytest.mark.parametrize("offset", [0, 100])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("batch", [1, 64, 500, 5000])
def test_an_offset_costs_no_digit(offset, kind, batch):
    rng = np.random.default_rng(1)
    features = (offset + rng.standard_normal((5000, 9)) @ rng.standard_normal((9, 9))).astype(kind)
    sums = summed(*(features[start : start + batch] for start in range(0, 5000, batch)))
    assert_equal_statistics(sums.statistics(), features)


def test_blocks_of_any_kind_and_layout_are_taken_and_not_changed():
    block = np.arange(24, dtype=np.uint8).reshape(6, 4)
    for each in (block, np.asfortranarray(block.astype(np.float64)), block.astype(np.float16)[::-1]):
        before = each.copy()
        assert_equal_statistics(summed(each, each[:0]).statistics(), block)
        np.testing.assert_array_equal(each, before)


def test_a_wide_matrix_is_mirrored_whole():
    features = np.random.default_rng(5).standard_normal((40, 600))
    found = summed(features).statistics().covariance
    np.testing.assert_allclose(found, np.cov(features, rowvar=False), atol=1e-13)
    np.testing.assert_array_equal(found, found.T)


def test_memory_is_bounded_however_many_images():
    block = np.random.default_rng(6).standard_normal((600, 2048), dtype=np.float32)
    tracemalloc.start()
    try:
        sums = summed(block, block)
        statistics = sums.statistics()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert statistics.covariance.shape == (2048, 2048)
    assert peak <= 53e6  # sums 17 MB, then a block in float64 (8 MB) or the covariance (34 MB)


def test_features_that_are_no_numbers_are_refused_whole():
    sums = summed(np.zeros((3, 2)))
    block = np.ones((4, 2))
    block[1, 0], block[3] = np.nan, np.inf
    with pytest.raises(VaemonError, match="2 of 4 images have NaN or infinity"):
        sums.add(block)
    assert sums.count == 3


@pytest.mark.parametrize("block", [np.zeros(2), np.zeros((3, 3)), np.zeros((3, 2, 1))])
def test_features_of_another_shape_are_refused(block):
    with pytest.raises(VaemonError, match=r"where \(n, 2\) was expected"):
        FeatureSums(2).add(block)


@pytest.mark.parametrize(("images", "ddof", "needed"), [(0, 0, 1), (0, 1, 2), (1, 1, 2)])
def test_too_few_images_have_no_covariance(images, ddof, needed):
    with pytest.raises(UsageError, match=f"{needed} or more are needed"):
        summed(np.zeros((images, 2))).statistics(ddof)


def test_statistics_that_are_none_are_refused():
    with pytest.raises(VaemonError, match=r"\(d, d\) are expected"):
        FeatureStatistics(5, np.zeros(3), np.eye(2))
    with pytest.raises(VaemonError, match="NaN or infinity"):
        FeatureStatistics(5, np.array([0.0, np.nan]), np.eye(2))


def test_sets_that_cannot_be_compared_are_refused():
    fine = np.zeros((4, 2))
    check_features(fine, fine, 4, "These")
    with pytest.raises(UsageError, match="2 features, the other 3"):
        same_width(fine, np.zeros((4, 3)))
    with pytest.raises(UsageError, match="These need at least 5 images on each side; there are 4 and 4"):
        check_features(fine, fine, 5, "These")
    with pytest.raises(VaemonError, match="1 of 4 images have NaN"):
        check_features(fine, np.where(np.eye(4, 2), [np.nan, 0], 0), 4, "These")
