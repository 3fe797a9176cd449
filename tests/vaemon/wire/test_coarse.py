import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from vaemon.batch import Batch, Columns, Cursor, Latest, RunInfo, RunState
from vaemon.wire.coarse import DRAWN, SCALAR, WRITTEN, coarsened, rounded
from vaemon.wire.codec import pack, unpack


@given(arrays.arrays(st.sampled_from([np.float32, np.float64]), st.integers(0, 20)), st.integers(2, 24))
def test_rounding_is_to_the_nearest_and_keeps_kind_shape_and_what_is_not_finite(values, bits):
    near = rounded(values, bits)
    assert (near.dtype, near.shape) == (values.dtype, values.shape)
    finite = np.isfinite(values)
    np.testing.assert_array_equal(near[~finite], values[~finite])
    mantissa, _ = np.frexp(near[np.isfinite(near)])
    tiny = np.finfo(values.dtype).smallest_normal
    scaled = mantissa * 2.0**bits
    whole = np.abs(near[np.isfinite(near)]) < tiny
    assert (whole | (scaled == np.round(scaled))).all()
    normal = finite & (np.abs(values) >= tiny) & np.isfinite(near)
    assert (np.abs(near[normal] - values[normal]) <= np.abs(values[normal]) * 2.0**-bits).all()


def test_numbers_of_few_bits_stay_as_they_are():
    values = np.array([0.0, -0.5, 0.75, 1024.0, -3.0], np.float32)
    np.testing.assert_array_equal(rounded(values, 2), values)
    assert np.array_equal(rounded(np.arange(5), 3), np.arange(5))
    assert rounded(np.float64(0.1), 24) == np.float32(0.1)


@pytest.fixture
def batch():
    rng = np.random.default_rng(0)
    latent = {name: rng.random((40, 64)).astype(np.float32) for name in ("mean_variance", "latent_kl")}
    scalar = {name: rng.random(40) for name in ("mse", "gamma")}
    columns = Columns(
        step=np.arange(40), time=rng.random(40), mean={**latent, **scalar}, low=dict(scalar), high=dict(scalar)
    )
    smoothed = {"mse": np.asarray(0.1), "mean_variance": rng.random(64)}
    latest = Latest(40, 1, 1e9, {"mse": 1 / 3}, smoothed)
    return Batch(RunInfo("r", "r", RunState.RUNNING), Cursor(), 1, 40, columns, latest)


def test_what_a_screen_writes_is_written_the_same(batch):
    coarse = coarsened(batch)
    for name, bits in (("mean_variance", DRAWN), ("mse", SCALAR)):
        np.testing.assert_allclose(coarse.columns.mean[name], batch.columns.mean[name], rtol=2.0**-bits)
    np.testing.assert_allclose(coarse.columns.low["mse"], batch.columns.low["mse"], rtol=2.0**-SCALAR)
    for name, bits in (("mean_variance", WRITTEN), ("mse", SCALAR)):
        np.testing.assert_allclose(coarse.latest.smoothed[name], batch.latest.smoothed[name], rtol=2.0**-bits)
    assert coarse.latest.scalars == {"mse": 1 / 3}
    np.testing.assert_array_equal(coarse.columns.time, batch.columns.time)


def test_it_takes_less_of_the_wire(batch):
    whole, coarse = (len(zlib.compress(pack(each))) for each in (batch, coarsened(batch)))
    assert coarse < 0.65 * whole
    back = unpack(pack(coarsened(batch)), Batch)
    np.testing.assert_array_equal(
        back.columns.mean["mean_variance"], rounded(batch.columns.mean["mean_variance"], DRAWN)
    )
