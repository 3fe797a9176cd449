"""Values on their way into a run, beside a dictionary of them."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaemon.exchange import spool as module
from vaemon.exchange.rows import extent, places, strokes
from vaemon.exchange.spool import Spool

VALUES = st.lists(
    st.one_of(
        st.tuples(st.sampled_from("abc"), st.integers(0, 12), st.floats(-5, 5)),
        st.tuples(st.just("purge"), st.integers(0, 12), st.just(0.0)),
    ),
    max_size=60,
)


@pytest.fixture
def tight(monkeypatch):
    """Next to nothing is held, and little is looked at at once."""
    monkeypatch.setattr(module, "MOST_WAITING", 40)
    monkeypatch.setattr(module, "_STROKE", 3)


@pytest.mark.usefixtures("tight")
@given(VALUES, st.integers(1, 5))
def test_the_last_of_each_step_is_kept_by_step(given_values, at_once):
    known = {}
    with tempfile.TemporaryDirectory() as folder:
        spool = Spool(Path(folder))
        for i, (name, step, value) in enumerate(given_values):
            if name == "purge":
                spool.purge(step)
                known = {at: each for at, each in known.items() if at[1] < step}
            else:
                assert spool.add(name, step, float(i), value)
                known[name, step] = (float(i), value)
        columns = spool.columns()
        found = {
            (name, int(step)): (float(time), float(value))
            for name, column in columns.items()
            for step, time, value in zip(
                column.steps, column.times(0, len(column)), column.values(0, len(column)), strict=True
            )
        }
        assert found == known
        rows = [
            (int(step), {name for name in columns if i in places(stroke, columns[name], name)[0].tolist()})
            for stroke in strokes(columns, at_once)
            for i, step in enumerate(stroke.steps)
        ]
        steps = sorted({step for _, step in known})
        assert rows == [(step, {name for name, each in known if each == step}) for step in steps]
        told = extent(columns, at_once)
        assert told.rows == len(steps)
        absent = {(name, row) for name, first, last in told.lacking for row in range(first, last)}
        assert absent == {(name, i) for i, (_, there) in enumerate(rows) for name in columns if name not in there}


@pytest.mark.usefixtures("tight")
def test_vectors_keep_their_shape_and_precision(tmp_path):
    spool = Spool(tmp_path)
    values = np.random.default_rng(0).random((20, 2, 3)).astype(np.float32)
    for step in range(20):
        assert spool.add("v", step, 0.0, values[step])
    assert not spool.add("v", 20, 0.0, np.zeros(2, np.float32))
    assert not spool.add("v", 20, 0.0, 1.0)
    column = spool.columns()["v"]
    assert (column.shape, column.dtype, len(column)) == ((2, 3), np.float32, 20)
    np.testing.assert_array_equal(column.values(5, 9), values[5:9])


def test_ranges_that_are_too_many_are_not_told(tmp_path):
    spool = Spool(tmp_path)
    for step in range(3000):
        spool.add("every", step, 0.0, 1.0)
        if step % 2:
            spool.add("other", step, 0.0, 1.0)
        if step >= 1000:
            spool.add("late", step, 0.0, 1.0)
    assert extent(spool.columns(), 100) == (3000, (("late", 0, 1000),))
