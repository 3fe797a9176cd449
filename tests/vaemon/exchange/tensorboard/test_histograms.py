"""The figures of a histogram, beside those of the values that it counts."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from vaemon.exchange.tensorboard.histograms import FIGURES, of_buckets, of_message
from vaemon.exchange.tensorboard.messages import Event


def figures(found):
    return dict(zip(FIGURES, found, strict=True))


@given(npst.arrays(np.float64, st.integers(1, 200), elements=st.floats(-100, 100)), st.integers(1, 30))
def test_of_buckets_quantiles_are_right_within_a_bucket(values, count):
    counts, edges = np.histogram(values, count, range=(values.min() - 1e-3, values.max() + 1e-3))
    found = figures(of_buckets(np.stack([edges[:-1], edges[1:], counts], axis=1)))
    width = edges[1] - edges[0] + 1e-9
    assert abs(found["min"] - values.min()) <= width
    assert abs(found["max"] - values.max()) <= width
    assert abs(found["mean"] - values.mean()) <= width
    for name, share in (("q05", 0.05), ("q50", 0.5), ("q95", 0.95)):
        low, high = (np.quantile(values, share, method=way) for way in ("lower", "higher"))
        assert low - width <= found[name] <= high + width


def test_the_message_tells_all_but_the_quantiles_exactly():
    rng = np.random.default_rng(0)
    values = rng.normal(3, 2, 10_000)
    counts, edges = np.histogram(values, 100)
    made = Event().summary.value.add().histo
    made.min, made.max, made.num = values.min(), values.max(), len(values)
    made.sum, made.sum_squares = values.sum(), (values**2).sum()
    made.bucket_limit.extend(edges[1:])
    made.bucket.extend(counts)
    found = figures(of_message(made))
    np.testing.assert_allclose(
        [found["min"], found["max"], found["mean"], found["std"]],
        [values.min(), values.max(), values.mean(), values.std()],
    )
    for name, share in (("q05", 0.05), ("q50", 0.5), ("q95", 0.95)):
        assert abs(found[name] - np.quantile(values, share)) < 0.2


def test_of_a_uniform_bucket_all_is_known():
    found = figures(of_buckets(np.array([[0.0, 1.0, 8.0], [1.0, 1.0, 0.0]])))
    np.testing.assert_allclose(list(found.values()), [0, 0.05, 0.5, 0.95, 1, 0.5, 12**-0.5])


def test_what_counts_nothing_has_no_figures():
    assert of_buckets(np.zeros((3, 3))) is None
    assert of_buckets(np.zeros((0, 3))) is None
    assert of_buckets(np.zeros(3)) is None
    assert of_message(Event().summary.value.add().histo) is None
