import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vaemon.decimate import pair_mean, pool, width_for

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
