"""Mean and deviation of a figure over runs."""

import math
import statistics

import pytest

from analysis.spread import Spread, spread


def test_a_spread_is_mean_and_sample_deviation():
    assert spread([1.0, 2.0, 6.0]) == Spread(3.0, pytest.approx(statistics.stdev([1, 2, 6])), 3)
    assert spread([2.5]) == Spread(2.5, None, 1)
    assert spread([]) is None


def test_what_is_not_finite_is_not_hidden():
    assert math.isnan(spread([1.0, math.nan]).mean)
