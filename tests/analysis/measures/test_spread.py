import pytest

from analysis.measures.spread import spread


def test_of_three_values():
    assert spread([1.0, 2.0, 6.0]) == (3.0, pytest.approx(7**0.5), 3)  # (4 + 1 + 9) / 2 = 7


def test_of_fewer_than_two_there_is_no_deviation():
    assert spread([5]) == (5.0, None, 1)
    assert spread([]) == (None, None, 0)
