import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaemon.latents import DEFAULT, LatentState, Thresholds, WakeTracker, inactive, smooth, states


def test_inactive_is_the_papers_rule_threshold_included():
    assert inactive(np.array([0.05, 0.79999, 0.8, 1.0, np.nan])).tolist() == [False, False, True, True, False]


@pytest.mark.parametrize(
    ("variance", "kl", "awake", "expected"),
    [
        (0.05, 2.0, True, LatentState.ACTIVE),
        (0.29, 1.0, False, LatentState.ACTIVE),
        (0.31, 1.0, False, LatentState.WAKING),
        (0.31, 1.0, True, LatentState.ACTIVE),
        (0.50, 0.5, True, LatentState.ACTIVE),
        (0.51, 0.5, True, LatentState.LIMBO),
        (0.50, 0.5, False, LatentState.LIMBO),
        (0.80, 0.1, False, LatentState.LIMBO),
        (0.98, 0.02, False, LatentState.LIMBO),
        (0.98, 0.005, False, LatentState.COLLAPSED),
        (np.nan, np.nan, False, LatentState.LIMBO),
    ],
)
def test_the_state_of_a_latent(variance, kl, awake, expected):
    assert states(np.array([variance]), np.array([kl]), np.array([awake]))[0] == expected


def test_smoothing_a_constant_gives_it_at_once_and_passes_over_what_is_not_finite():
    rows = np.full((7, 3), 0.25)
    rows[3, 1] = np.nan
    rows[:, 2] = np.inf
    found = smooth(rows)
    assert found[:2] == pytest.approx([0.25, 0.25])
    assert np.isnan(found[2])


def test_smoothing_equals_the_recursion_of_a_debiased_mean():
    values = np.random.default_rng(0).normal(size=60)
    total = weight = 0.0
    for value in values:
        total, weight = total * 0.96 + value, weight * 0.96 + 1
    assert smooth(values, 25) == pytest.approx(total / weight)


def test_each_step_of_the_staircase_is_one_wake_at_its_crossing(staircase):
    found = WakeTracker(5).update(staircase(800, 5))
    assert [(p.latent, p.woke) for p in found] == [(i, True) for i in range(5)]
    # 1/25 smoothing delays the fall from 1 to below .3 by some 25 rows
    assert [p.row for p in found] == pytest.approx([135 + 100 * i for i in range(5)], abs=12)


def test_a_latent_that_falls_asleep_is_told_once_and_may_wake_again():
    level = np.concatenate([np.ones(50), np.full(200, 0.1), np.full(200, 0.9), np.full(200, 0.1)])[:, None]
    found = WakeTracker(1).update(level)
    assert [p.woke for p in found] == [True, False, True]


def test_a_dip_shorter_than_the_hold_is_no_wake():
    at = Thresholds(smoothing=1.0)
    level = np.ones((200, 1))
    level[50 : 50 + at.hold - 1] = 0.1
    assert WakeTracker(1, at).update(level) == []
    level[50:] = 0.1
    assert [p.row for p in WakeTracker(1, at).update(level)] == [50]


def test_noise_between_the_thresholds_makes_no_events():
    rng = np.random.default_rng(1)
    assert WakeTracker(64).update(0.65 + 0.027 * rng.normal(size=(2000, 64))) == []


@given(cuts=st.lists(st.integers(1, 80), max_size=12), seed=st.integers(0, 9))
@settings(max_examples=30, deadline=None)
def test_how_rows_are_cut_into_calls_makes_no_difference(cuts, seed):
    rng = np.random.default_rng(seed)
    rows = np.clip(np.cumsum(rng.normal(0, 0.05, (400, 4)), axis=0) % 1.2, 0, 1)
    whole = WakeTracker(4).update(rows)
    tracker, parts, start = WakeTracker(4), [], 0
    for cut in [*cuts, 400]:
        parts += tracker.update(rows[start : start + cut])
        start += cut
    assert parts == whole


@pytest.mark.parametrize("cut", [300, 400, 431, 439, 445, 462, 463, 464, 500])
def test_a_primed_tracker_goes_on_as_one_that_saw_everything(staircase, cut):
    rows = staircase(900, 6)
    whole = WakeTracker(6)
    events = whole.update(rows)
    first = WakeTracker(6)
    told = first.update(rows[:cut])
    second = WakeTracker(6)
    second.prime(first.awake, rows[cut - int(10 * DEFAULT.smoothing) : cut])
    later = [p._replace(row=p.row + cut) for p in second.update(rows[cut:])]
    assert told + later == events
