import math
from dataclasses import replace

import numpy as np
import pytest

from vaemon.batch import StageInfo
from vaemon.latents import LatentState
from vaemon.view import words
from vaemon.view.state import RunView


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (0.6, "1 s"),
        (42, "42 s"),
        (59.6, "1 min"),
        (200, "3 min 20 s"),
        (3600, "1 h"),
        (7500, "2 h 5 min"),
        (3601, "1 h"),
        (4 * 86_400 + 3_700, "4 d 1 h"),
        (-5, "0 s"),
        (math.inf, "–"),
        (math.nan, "–"),
    ],
)
def test_duration(seconds, said):
    assert words.duration(seconds) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "now"),
        (1.9, "now"),
        (2, "2 s ago"),
        (59.9, "59 s ago"),
        (60, "1 min ago"),
        (7300, "2 h ago"),
        (2e5, "2 d ago"),
    ],
)
def test_age(seconds, said):
    assert words.age(seconds) == said


def test_age_of_nothing():
    assert words.age(math.nan) == "–"


@pytest.mark.parametrize(
    ("per_second", "said"),
    [
        (412.4, "412 steps/s"),
        (2.04, "2.0 steps/s"),
        (0.1, "10 s/step"),
        (1234.0, "1,234 steps/s"),
        (0, ""),
        (-1, ""),
        (math.nan, ""),
    ],
)
def test_rate(per_second, said):
    assert words.rate(per_second) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.0, "0.0000"),
        (0.14234, "0.1423"),
        (1.0, "1.000"),
        (31.24, "31.24"),
        (123.456, "123.5"),
        (1204.2, "1,204"),
        (-0.5, "-0.5000"),
        (1.234e-5, "1.23e-05"),
        (1.5e8, "1.50e+08"),
        (math.nan, "NaN"),
        (math.inf, "∞"),
        (-math.inf, "-∞"),
    ],
)
def test_number(value, said):
    assert words.number(value) == said


def test_eta_needs_an_end_and_a_rate():
    assert words.eta(400, 1000, 10.0) == "1 min"
    assert words.eta(400, None, 10.0) == ""
    assert words.eta(400, 1000, 0.0) == ""
    assert words.eta(400, 1000, math.nan) == ""
    assert words.eta(1000, 1000, 10.0) == ""


def test_steps_and_epochs():
    known = StageInfo(1, latents=16, total_steps=1000, steps_per_epoch=300)
    assert words.steps(known, 1240) == "step 1,240/1,000"
    assert words.epochs(known, 0) == "epoch 1/4"
    assert words.epochs(known, 9) == "epoch 10/10"
    assert words.steps(None, 1240) == "step 1,240"
    assert words.epochs(None, 2) == "epoch 3"


def test_counts_line():
    states = np.array([3] * 19 + [2] * 6 + [1] * 27 + [0] * 12, np.int8)
    view = RunView(states=states, inactive=17, units=np.arange(64) < 45)
    assert words.counts(view)[0] == (LatentState.ACTIVE, 19)
    states = (
        "19 active · 6 waking · 27 limbo · 12 collapsed | inactive (E[σ²] ≥ 0.8): 17 | active units (Var(μ) > 0.01)"
    )
    assert words.counts_line(view) == f"{states}: 45"
    assert words.counts_line(replace(view, units=np.zeros(0, bool))) == f"{states}: –"
