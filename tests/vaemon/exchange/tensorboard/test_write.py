"""What is written for TensorBoard to draw."""

import numpy as np
import pytest

from vaemon.exchange.tensorboard.messages import Event
from vaemon.exchange.tensorboard.records import framed
from vaemon.exchange.tensorboard.tensors import to_array
from vaemon.exchange.tensorboard.write import EventFile, Table


def values(data):
    """The values of the records of some bytes, by tag."""
    found = {}
    while data:
        length = int.from_bytes(data[:8], "little")
        event = Event.FromString(data[12 : 12 + length])
        assert framed(event.SerializeToString()) == data[: 16 + length]
        for value in event.summary.value:
            found.setdefault(value.tag.decode(), []).append((event.step, value))
        data = data[16 + length :]
    return found


def table(**channels):
    rows = len(next(iter(channels.values())))
    return Table(np.arange(rows), np.zeros(rows), channels, {})


def test_histograms_over_the_latents_are_few_and_count_every_latent():
    rows = np.random.default_rng(0).random((1700, 8)).astype(np.float32)
    found = values(EventFile(1700).rows(table(mean_variance=rows)))
    assert len(found["mean_variance"]) == 1700
    drawn = found["vaemon/latents/mean_variance"]
    assert [step for step, _ in drawn] == list(range(0, 1700, 4))
    for step, value in drawn:
        left, right, counts = to_array(value.tensor).T
        np.testing.assert_allclose((left[0], right[-1]), (rows[step].min(), rows[step].max()))
        np.testing.assert_array_equal(counts, np.histogram(rows[step].astype(float), 30)[0])


@pytest.mark.parametrize(
    ("row", "counted"), [([1, 1, 1], 3), ([np.nan, 2, np.inf], 1), ([np.nan] * 3, 0), ([3e38, -3e38, 0], 3)]
)
def test_odd_vectors(row, counted):
    found = values(EventFile(1).rows(table(v=np.array([row], np.float32))))
    drawn = found.get("vaemon/latents/v", [])
    assert sum(to_array(value.tensor)[:, 2].sum() for _, value in drawn) == counted


def test_nan_of_ones_own_is_told_once_and_of_a_listed_channel_always():
    nan = np.array([np.nan, np.nan, 1, np.nan])
    found = values(EventFile(4).rows(table(own=nan, loss=nan)))
    assert [step for step, _ in found["own"]] == [0, 2]
    assert [step for step, _ in found["loss"]] == [0, 1, 2, 3]
    assert [value.metadata.plugin_data.plugin_name for _, value in found["own"]] == [b"scalars", b""]


def test_a_row_that_lacks_a_channel_has_no_value():
    given = Table(np.arange(3), np.zeros(3), {"loss": np.ones(3)}, {"loss": np.array([False, True, True])})
    assert [step for step, _ in values(EventFile(3).rows(given))["loss"]] == [1, 2]
