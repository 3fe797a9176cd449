"""Rules and thresholds as they are written on the command line."""

import pytest

from analysis.rules import Rules, parse_thresholds
from vaemon.errors import UnknownName, UsageError


def test_as_written():
    assert parse_thresholds(["0.9", "unit=0.02", " epsilon = 1e-3"]) == {"inactive": 0.9, "unit": 0.02, "epsilon": 1e-3}


def test_an_unknown_name_tells_the_nearest():
    with pytest.raises(UnknownName, match=r"unknown threshold 'epsilom' .did you mean 'epsilon'"):
        parse_thresholds(["epsilom=1"])


@pytest.mark.parametrize("text", ["", "unit=", "unit=high", "x"])
def test_no_number(text):
    with pytest.raises(UsageError, match="--threshold takes NAME=NUMBER"):
        parse_thresholds([text])


@pytest.mark.parametrize(
    "wrong", [{"epsilon": 0}, {"delta": 1}, {"delta": -0.1}, {"near": 0.5}, {"spread": 0}, {"near": float("nan")}]
)
def test_values_that_make_no_sense(wrong):
    with pytest.raises(UsageError, match=f"it must be that.*{next(iter(wrong))}"):
        Rules().changed(wrong)


def test_what_is_no_rule_is_left_alone():
    assert Rules().changed({"inactive": 0.5, "near": 0.2}) == Rules(near=0.2)
