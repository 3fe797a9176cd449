import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaemon.watch.render.span import Pooled, TimeSpan, pool, pool_mean, pool_strict

spans = st.one_of(
    st.builds(TimeSpan.live, st.integers(0, 600), st.integers(0, 210)), st.builds(TimeSpan.over, st.integers(0, 600))
)


@pytest.mark.parametrize(
    ("columns", "cells", "total", "painted"),
    [(0, 50, 50, 0), (7, 50, 50, 7), (50, 50, 50, 50), (51, 50, 100, 25), (99, 50, 100, 49), (300, 56, 336, 50)],
)
def test_a_live_axis_leaves_room(columns, cells, total, painted):
    span = TimeSpan.live(columns, cells)
    assert (span.total, span.painted(cells)) == (total, painted)


@given(st.integers(1, 600), st.integers(1, 210))
def test_a_run_that_is_over_fills_the_width(columns, cells):
    assert TimeSpan.over(columns).painted(cells) == cells


@given(st.integers(1, 300), st.integers(1, 120))
def test_merging_pairs_of_columns_leaves_the_picture_as_it_is(half, cells):
    wide, narrow = TimeSpan.live(half, cells), TimeSpan.live(2 * half, cells)
    if narrow.total == 2 * wide.total:
        assert (narrow.starts(cells) == 2 * wide.starts(cells)).all()


@given(spans, st.integers(0, 210))
def test_cells_cover_the_axis_in_order(span, cells):
    starts, ends = span.starts(cells), span.ends(cells)
    assert (starts < ends).all()
    assert (np.diff(starts) >= 0).all()
    if cells:
        assert (starts[0], ends[-1]) == (0, span.total)
    assert span.whole(cells).filled <= max(span.filled, 0)
    assert span.whole(cells).painted(cells) == span.painted(cells)


@given(spans, st.integers(1, 210))
def test_a_column_stands_in_its_cell(span, cells):
    for column in range(0, span.total, 7):
        cell = span.cell(column, cells)
        assert span.starts(cells)[cell] <= column


def test_pooling_weighs_columns_by_their_finite_values():
    columns = Pooled(
        mean=np.array([1.0, 4.0, np.nan, 2.0]),
        low=np.array([0.0, 3.0, np.nan, 2.0]),
        high=np.array([2.0, 5.0, np.nan, 2.0]),
        bad=np.array([0, 6, 8, 7]),
    )
    pooled = pool(columns, TimeSpan(4, 4), 2, np.full(4, 8))
    np.testing.assert_allclose(pooled.mean, [(8 * 1 + 2 * 4) / 10, 2.0])
    np.testing.assert_allclose(pooled.low, [0.0, 2.0])
    np.testing.assert_allclose(pooled.high, [5.0, 2.0])
    assert pooled.bad.tolist() == [6, 15]


def test_rows_without_the_channel_have_no_weight_and_are_not_bad():
    columns = Pooled(*(np.array([1.0, 5.0, np.nan]),) * 3, bad=np.array([0, 1, 0]))
    pooled = pool(columns, TimeSpan.over(3), 1, np.array([4, 2, 0]))
    np.testing.assert_allclose(pooled.mean, [(4 * 1 + 1 * 5) / 5])
    assert pooled.bad.tolist() == [1]


@given(st.integers(0, 99), st.integers(0, 300), st.integers(0, 120), st.booleans())
def test_pooling_equals_the_slow_way(seed, count, cells, over):
    rng = np.random.default_rng(seed)
    values = rng.random((count, 2))
    values[rng.random(values.shape) < 0.2] = np.nan
    span = TimeSpan.over(count) if over else TimeSpan.live(count, cells)
    found = pool_mean(values, span, cells)
    groups = list(zip(span.starts(cells), span.ends(cells), strict=True))[: span.painted(cells)]
    assert found.shape == (len(groups), 2)
    for row, (first, last) in zip(found, groups, strict=True):
        for value, group in zip(row, values[first:last].T, strict=True):
            known = group[~np.isnan(group)]
            assert np.isnan(value) if not len(known) else value == pytest.approx(known.mean())


@given(st.integers(0, 99), st.integers(0, 300), st.integers(0, 120), st.booleans())
def test_extremes_equal_the_slow_way(seed, count, cells, over):
    rng = np.random.default_rng(seed)
    low = np.where(rng.random(count) < 0.2, np.nan, rng.random(count))
    columns = Pooled(low + 0.5, low, low + 1.0, np.where(np.isnan(low), 4, 1))
    span = TimeSpan.over(count) if over else TimeSpan.live(count, cells)
    found = pool(columns, span, cells, np.full(count, 4))
    for j in range(span.painted(cells)):
        group = slice(span.starts(cells)[j], span.ends(cells)[j])
        known = low[group][~np.isnan(low[group])]
        assert found.bad[j] == columns.bad[group].sum()
        if len(known):
            assert found.low[j] == known.min()
            assert found.high[j] == known.max() + 1.0
            assert found.low[j] <= found.mean[j] <= found.high[j]
        else:
            assert np.isnan([found.low[j], found.mean[j], found.high[j]]).all()


def test_one_column_without_a_value_is_seen_in_its_cell():
    values = np.array([[1.0, 1.0], [np.nan, 3.0], [5.0, 5.0], [7.0, 7.0]])
    found = pool_strict(values, TimeSpan(4, 4), 2)
    np.testing.assert_array_equal(found, [[np.nan, 2.0], [6.0, 6.0]])
    assert pool_strict(values[:0], TimeSpan(4, 0), 2).shape == (0, 2)
