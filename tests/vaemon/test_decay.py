import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaemon.decay import BLOCK, RunningMeans


def slow(rows, window):
    total = weight = 0.0
    means = []
    for row in rows:
        if np.isfinite(row):
            total, weight = total * (1 - 1 / window) + row, weight * (1 - 1 / window) + 1
        means.append(total / weight if weight else np.nan)
    return means


def means_at_once(rows, window):
    means = RunningMeans(rows.shape[1], window)
    means.take(rows)
    return means.means(np.arange(rows.shape[1]))


def rows_with_gaps(seed, n, gapped=True, columns=5):
    rng = np.random.default_rng(seed)
    rows = rng.random((n, columns))
    if gapped:
        gaps = rng.random((n, columns)) < np.resize([0.0, 0.0, 0.02, 0.5, 1.0], columns)
        rows[gaps] = rng.choice([np.nan, np.inf, -np.inf], gaps.sum())
    return rows


@pytest.mark.parametrize("gapped", [False, True])
@pytest.mark.parametrize("width", [5, 16])
@pytest.mark.parametrize("window", [1.0, 3.0, 25.0, 1000.0])
def test_the_means_are_those_of_the_recursion(window, width, gapped):
    rows = rows_with_gaps(0, 500, gapped, width)
    found = means_at_once(rows, window)
    np.testing.assert_allclose(found.T, [slow(each, window) for each in rows.T], rtol=1e-12)


@given(
    seed=st.integers(0, 99),
    gapped=st.booleans(),
    width=st.sampled_from([1, 5, 16]),
    window=st.sampled_from([1.0, 25.0]),
    cuts=st.lists(st.one_of(st.integers(1, 9), st.integers(1, 3 * BLOCK)), min_size=1, max_size=12),
    data=st.data(),
)
@settings(max_examples=60, deadline=None)
def test_cuts_and_the_columns_asked_for_leave_every_bit_as_it_is(seed, gapped, width, window, cuts, data):
    rows = rows_with_gaps(seed, sum(cuts), gapped, width)
    whole = means_at_once(rows, window)
    means, start = RunningMeans(width, window), 0
    some = st.lists(st.integers(0, width - 1), max_size=width, unique=True)
    for cut in cuts:
        means.take(rows[start : start + cut])
        if columns := data.draw(some):
            for asked in (columns, columns[:1]):
                np.testing.assert_array_equal(means.means(np.array(asked)), whole[start : start + cut, asked])
        start += cut


@given(seed=st.integers(0, 99), cuts=st.lists(st.integers(1, 3 * BLOCK), min_size=1, max_size=6))
@settings(deadline=None)
def test_the_bounds_hold(seed, cuts):
    rows, start = rows_with_gaps(seed, sum(cuts)), 0
    means = RunningMeans(5, 25.0)
    for cut in cuts:
        low, high = means.take(rows[start : start + cut])
        found = means.means(np.arange(5))
        start += cut
        assert not (found < low - 1e-12).any()
        assert not (found > high + 1e-12).any()


def test_a_level_that_is_a_power_of_two_stays_it_exactly():
    rows = np.full((300, 3), 0.5)
    rows[::7, 1] = np.nan
    rows[:40, 2] = np.inf
    found = means_at_once(rows, 25.0)
    assert set(found[~np.isnan(found)]) == {0.5}
    assert np.isnan(found).sum() == 41
