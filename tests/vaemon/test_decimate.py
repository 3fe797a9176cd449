import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vaemon.decimate import Pooled, merge, pair_mean, pool, pool_between, width_for
from vaemon.errors import UsageError

numbers = st.one_of(st.floats(-1e6, 1e6), st.sampled_from([np.nan, np.inf, -np.inf]))


def slow(group):
    finite = [x for x in group if np.isfinite(x)]
    if not finite:
        return np.nan, np.nan, np.nan, len(group)
    return np.mean(finite), min(finite), max(finite), len(group) - len(finite)


@given(values=arrays(np.float64, st.integers(0, 12).map(lambda n: 4 * n), elements=numbers))
def test_pool_equals_the_slow_way(values):
    pooled = pool(values, 4)
    for i in range(len(values) // 4):
        expected = slow(values[4 * i : 4 * i + 4])
        found = (pooled.mean[i], pooled.low[i], pooled.high[i], pooled.bad[i])
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-6)


@given(
    values=arrays(
        st.sampled_from([np.float32, np.float64]),
        st.tuples(st.integers(0, 5).map(lambda n: 8 * n), st.integers(0, 3)),
        # Small multiples of 1/4, whose sums are exact in any order.
        elements=st.one_of(st.integers(-400, 400).map(lambda n: n / 4), st.sampled_from([np.nan, np.inf, -np.inf])),
    )
)
def test_pool_is_exact_where_sums_are(values):
    pooled = pool(values, 8)
    assert [each.dtype for each in pooled] == [np.float64] * 3 + [np.int64]
    for i in range(len(values) // 8):
        for k in range(values.shape[1]):
            group = values[8 * i : 8 * i + 8, k].astype(float)
            np.testing.assert_array_equal([each[i, k] for each in pooled], slow(group))


def test_pool_adds_single_precision_up_in_double_precision():
    values = np.full((1 << 16, 2), 0.1, np.float32)
    np.testing.assert_allclose(pool(values, 1 << 16).mean, float(np.float32(0.1)), rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.int32, np.int64, np.bool_])
def test_pool_takes_whole_numbers(dtype):
    pooled = pool(np.array([0, 1, 1, 1, 0, 0], dtype), 2)
    np.testing.assert_array_equal(pooled.mean, [0.5, 1.0, 0.0])
    np.testing.assert_array_equal(pooled.high, [1.0, 1.0, 0.0])


def test_pool_keeps_the_latents_apart():
    values = np.arange(12.0).reshape(4, 3)
    np.testing.assert_array_equal(pool(values, 2).mean, [[1.5, 2.5, 3.5], [7.5, 8.5, 9.5]])


@given(values=arrays(np.float64, 16, elements=numbers))
def test_merging_pooled_pairs_equals_pooling_wider(values):
    narrow, wide = pool(values, 4), pool(values, 8)
    np.testing.assert_allclose(pair_mean(narrow.mean, 4 - narrow.bad), wide.mean, rtol=1e-9, atol=1e-6)


@given(rows=st.integers(0, 10**9), columns=st.integers(1, 4096))
def test_the_width_is_the_smallest_power_of_two_that_fits(rows, columns):
    width = width_for(rows, columns)
    assert width & (width - 1) == 0
    assert rows <= width * columns
    assert width == 1 or rows > width // 2 * columns


@pytest.mark.parametrize("columns", [0, -3, 2.5, float("nan"), "12"])
def test_points_that_there_cannot_be_are_refused(columns):
    with pytest.raises(UsageError, match=r"points=.*: a whole number from 1 on"):
        width_for(100, columns)


def joined(parts):
    return Pooled(*(np.concatenate(each) for each in zip(*parts, strict=True)))


@given(
    data=st.data(),
    shape=st.tuples(st.integers(1, 40), st.integers(1, 3)),
    dtype=st.sampled_from([np.float32, np.float64]),
    flat=st.booleans(),
)
def test_merging_the_bins_of_any_partition_equals_pooling_the_rows(data, shape, dtype, flat):
    wide = st.floats(-1e6, 1e6, width=np.finfo(dtype).bits)
    values = data.draw(arrays(dtype, shape, elements=st.one_of(wide, st.sampled_from([np.nan, np.inf, -np.inf]))))
    values = values[:, 0] if flat else values
    cuts = data.draw(st.lists(st.integers(1, shape[0]), max_size=12).map(lambda cuts: sorted({0, *cuts, shape[0]})))
    bins = [values[start:end] for start, end in itertools.pairwise(cuts)]
    columns = np.cumsum(data.draw(st.lists(st.integers(0, 2), min_size=len(bins), max_size=len(bins)))) - 3
    found = merge(joined([pool(each, len(each)) for each in bins]), np.array([len(each) for each in bins]), columns)
    groups = [
        np.concatenate([each for each, column in zip(bins, columns, strict=True) if column == wanted])
        for wanted in np.unique(columns)
    ]
    expected = joined([pool(each, len(each)) for each in groups])
    np.testing.assert_allclose(found.mean, expected.mean, rtol=1e-12, atol=1e-12 * 1e6)
    for name in ("low", "high", "bad"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))


def test_merging_adds_single_precision_up_in_double_precision():
    mean = np.full((1000, 2), 0.1, np.float32)
    bins = Pooled(mean, mean, mean, np.zeros((1000, 2), np.int64))
    found = merge(bins, np.full(1000, 7), np.zeros(1000, np.int64))
    assert found.mean.dtype == np.float64
    np.testing.assert_allclose(found.mean, float(np.float32(0.1)), rtol=1e-12)


def test_merging_no_bins_gives_none():
    empty = pool(np.zeros((0, 3)), 4)
    found = merge(empty, np.zeros(0, np.int64), np.zeros(0, np.int64))
    assert [each.shape for each in found] == [(0, 3)] * 4


def test_merging_passes_over_means_that_nothing_stands_behind():
    bins = Pooled(*np.array([[np.nan, 2.0, np.inf]] * 3), bad=np.array([4, 0, 4]))
    found = merge(bins, np.array([4, 4, 4]), np.array([5, 5, 9]))
    np.testing.assert_array_equal(found.mean, [2.0, np.nan])


@given(
    st.lists(st.tuples(st.integers(0, 40), numbers), max_size=30, unique_by=lambda each: each[0]),
    st.lists(st.integers(0, 39), max_size=8, unique=True),
)
def test_values_that_lie_anywhere_are_pooled_by_the_column_they_lie_in(placed, ends):
    placed, ends = sorted(placed), np.array([*sorted(ends), 40])
    values, places = np.array([value for _, value in placed], float), np.array([place for place, _ in placed], int)
    found, counts = pool_between(values, places, ends)
    for i, (before, end) in enumerate(itertools.pairwise([-1, *ends])):
        inside = [value for place, value in placed if before < place <= end]
        assert counts[i] == len(inside)
        expected = slow(inside) if inside else (np.nan, np.nan, np.nan, 0)
        np.testing.assert_allclose([each[i] for each in found], expected, rtol=1e-9, atol=1e-6)
