import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaemon.decimate import pool
from vaemon.watch.render.smooth import WEIGHTS, at_ends, smooth
from vaemon.watch.render.span import TimeSpan


def tensorboard(values, weight):
    """The line that TensorBoard draws, row by row, as its `classicSmoothing` has it."""
    last, count, line = 0.0, 0, []
    for value in values:
        if not np.isfinite(value):
            line.append(np.nan)
            continue
        last = last * weight + (1 - weight) * value
        count += 1
        line.append(last / (1 - weight**count))
    return np.array(line)


def noisy(seed, rows):
    rng = np.random.default_rng(seed)
    return 1.0 + np.exp(-np.arange(rows) / (0.2 * rows)) + 0.2 * rng.standard_normal(rows)


@given(st.lists(st.floats(-1e6, 1e6) | st.just(np.nan), max_size=60), st.sampled_from(WEIGHTS[1:]))
def test_where_columns_are_rows_it_is_tensorboards(values, weight):
    values = np.array(values, float)
    found = smooth(values, np.isfinite(values).astype(int), weight)
    np.testing.assert_allclose(found, tensorboard(values, weight), rtol=1e-9, atol=1e-6)


@pytest.mark.parametrize("weight", WEIGHTS[1:])
@pytest.mark.parametrize("width", [2, 8, 32])
def test_of_wider_columns_it_is_near_it(weight, width):
    rows = noisy(0, 4096)
    pooled = pool(rows, width)
    found = smooth(pooled.mean, width - pooled.bad, weight)
    exact = tensorboard(rows, weight)[width - 1 :: width]
    # A row's noise is 0.2. What is not known is how the rows of the newest columns lie within them: of a mean over
    # 1 / (1 - weight) rows that many columns of it matter the less, the more there are.
    spread = 0.2 * np.sqrt((1 - weight) / (1 + weight))
    assert np.abs(found - exact).mean() < spread
    if width <= 0.25 / (1 - weight):
        assert np.abs(found - exact).mean() < 0.25 * spread


def test_a_constant_stays_what_it_is_however_wide_the_columns():
    assert smooth(np.full(5, 3.0), np.array([1, 7, 32, 0, 2]), 0.9).tolist() == pytest.approx(
        [3.0, 3.0, 3.0, np.nan, 3.0], nan_ok=True
    )


def test_rows_that_are_not_finite_do_not_weigh():
    found = smooth(np.array([1.0, 2.0]), np.array([4, 1]), 0.5)
    assert found[1] == pytest.approx(tensorboard([1.0] * 4 + [2.0], 0.5)[-1])


@given(st.integers(0, 30), st.integers(1, 4), st.sampled_from(WEIGHTS[1:]))
def test_many_are_smoothed_as_one_by_one(count, lines, weight):
    rng = np.random.default_rng(count)
    values = rng.random((count, lines))
    values[rng.random(values.shape) < 0.2] = np.nan
    rows = rng.integers(1, 9, count)
    together = smooth(values, rows, weight)
    for i in range(lines):
        np.testing.assert_allclose(together[:, i], smooth(values[:, i], rows, weight))


@given(st.integers(1, 300), st.integers(1, 120), st.booleans(), st.booleans())
def test_each_cell_shows_the_last_value_in_it(count, cells, live, log):
    span = TimeSpan.live(count, cells) if live else TimeSpan.over(count)
    span = TimeSpan(span.total, span.filled, log=log)
    values = np.arange(count, dtype=float)
    values[::7] = np.nan
    found = at_ends(values, span, cells)
    ends = np.minimum(span.ends(cells), span.seen(cells))[: span.painted(cells)]
    for value, start, end in zip(found, span.starts(cells), ends, strict=False):
        known = values[start:end][np.isfinite(values[start:end])]
        np.testing.assert_equal(value, known[-1] if len(known) else np.nan)
    assert len(found) == span.painted(cells)
