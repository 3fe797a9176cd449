from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaemon.watch.render.span import Pooled, TimeSpan, pool, pool_mean, pool_strict

linear = st.one_of(
    st.builds(TimeSpan.live, st.integers(0, 600), st.integers(0, 210)), st.builds(TimeSpan.over, st.integers(0, 600))
)
logarithmic = st.builds(
    lambda span, first: replace(span, log=True, first=first), linear, st.sampled_from([0, 0, 1, 7, 4096, 10**8])
)
spans = linear | logarithmic


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


@given(st.integers(0, 99), st.integers(0, 300), st.integers(0, 120), st.booleans(), st.booleans())
def test_pooling_equals_the_slow_way(seed, count, cells, over, log):
    rng = np.random.default_rng(seed)
    values = rng.random((count, 2))
    values[rng.random(values.shape) < 0.2] = np.nan
    span = replace(TimeSpan.over(count) if over else TimeSpan.live(count, cells), log=log)
    found = pool_mean(values, span, cells)
    ends = np.minimum(span.ends(cells), span.seen(cells))
    groups = list(zip(span.starts(cells), ends, strict=True))[: span.painted(cells)]
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


@given(logarithmic, st.floats(0, 1))
def test_a_share_of_a_logarithmic_axis_is_that_of_its_column(span, share):
    assert float(span.share(span.column(np.array(share)))) == pytest.approx(share, abs=1e-6)
    assert float(span.column(np.array(1.0))) == pytest.approx(span.total, abs=1e-4)


def test_equal_ratios_are_equally_wide():
    span = TimeSpan(1000, 1000, log=True)
    decades = span.share(np.array([1.0, 10.0, 100.0, 1000.0]))
    assert np.diff(decades) == pytest.approx([decades[1] - decades[0]] * 3)


@given(st.integers(1, 600), st.integers(1, 210))
def test_the_newest_columns_are_in_sight_on_a_logarithmic_axis(columns, cells):
    span = replace(TimeSpan.live(columns, cells), log=True)
    assert columns - span.seen(cells) < max(span.total // cells, 1)
    assert span.painted(cells) >= TimeSpan.live(columns, cells).painted(cells)


def test_growth_moves_nothing_until_the_axis_is_full():
    spans = [replace(TimeSpan.live(columns, 50), log=True) for columns in range(51, 100)]
    assert len({tuple(span.starts(50)) for span in spans}) == 1
    painted = [span.painted(50) for span in spans]
    assert painted == sorted(painted)


@given(spans, st.integers(1, 210))
def test_the_crosshair_goes_through_all_of_the_axis_and_back(span, cells):
    way = [0]
    while (following := span.beside(way[-1], 1, cells)) < span.total:
        assert following > way[-1]
        way.append(following)
    assert len(way) >= len(np.unique(span.starts(cells))) - 1
    for column in reversed(way[:-1]):
        way.append(span.beside(way[-1], -1, cells))
        assert way[-1] == column
    assert span.beside(0, -1, cells) <= 0
