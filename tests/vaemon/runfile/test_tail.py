"""The newest rows are kept: whatever is asked, they are those of the file, and none of them is read twice."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaemon.runfile import tail
from vaemon.runfile.tail import Tail

ROWS = np.zeros(3000, [("step", "i8"), ("mse", "f4")])
ROWS["step"] = np.arange(len(ROWS))


class File:
    def __init__(self):
        self.read = []

    def __call__(self, first, last):
        self.read.append((first, last))
        return ROWS[first:last]


@given(st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 900)), max_size=12))
def test_the_rows_are_those_of_the_file(asked):
    held, file = Tail(), File()
    for first, count in asked:
        np.testing.assert_array_equal(held.rows(first, first + count, file), ROWS[first : first + count])
        assert held._held is None or len(held._held) <= tail.KEPT


def test_of_a_run_that_grows_only_what_is_new_is_read():
    held, file = Tail(), File()
    held.rows(990, 1000, file)
    held.rows(875, 1000, file)
    for end in (1010, 1025, 1031):
        assert held.rows(999, 1000, file)["step"].tolist() == [999]
        held.rows(end - 20, end, file)
        held.rows(end - 125, end, file)
    assert file.read == [(990, 1000), (875, 1000), (1000, 1010), (1010, 1025), (1025, 1031)]


def test_what_is_kept_is_bounded_and_cannot_be_written_into(monkeypatch):
    monkeypatch.setattr(tail, "KEPT_BYTES", 10 * ROWS.itemsize)
    held, file = Tail(), File()
    held.rows(0, 100, file)
    assert held._held.base is None
    with pytest.raises(ValueError, match="read-only"):
        held.rows(95, 99, file)["mse"] = 1.0
    held.rows(89, 99, file)
    assert file.read == [(0, 100), (89, 99)]


def test_nothing_is_kept_once_it_is_forgotten():
    held, file = Tail(), File()
    held.rows(0, 10, file)
    held.forget()
    held.rows(0, 10, file)
    assert file.read == [(0, 10), (0, 10)]
