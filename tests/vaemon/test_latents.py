import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaemon.latents import LatentState, Passage, WakeTracker, inactive, smooth, states
from vaemon.thresholds import DEFAULT, Thresholds


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


class RowByRow:
    """What `WakeTracker` means, one row after another."""

    def __init__(self, latents, at):
        self.at, self.rows = at, 0
        self.awake = np.zeros(latents, bool)
        self.sum, self.weight = np.zeros((2, latents))
        self.crossed = [None] * latents

    def update(self, rows):
        return [passage for row in rows for passage in (self.take(row), self.settled())[1]]

    def prime(self, awake, recent):
        self.awake, self.rows = awake.copy(), -len(recent)
        for row in recent:
            self.take(row)

    def take(self, row):
        finite, decay = np.isfinite(row), 1 - 1 / self.at.smoothing
        self.sum[finite] = self.sum[finite] * decay + row[finite]
        self.weight[finite] = self.weight[finite] * decay + 1
        for i in np.flatnonzero(self.weight):
            value, awake = self.sum[i] / self.weight[i], self.awake[i]
            if value <= self.at.wake if awake else value >= self.at.doze:
                self.crossed[i] = None
            if self.crossed[i] is None and (value > self.at.doze if awake else value < self.at.wake):
                self.crossed[i] = self.rows
        self.rows += 1

    def settled(self):
        found = []
        for i, crossed in enumerate(self.crossed):
            if crossed is not None and self.rows - crossed >= self.at.hold:
                found.append(Passage(crossed, i, not self.awake[i]))
                self.awake[i], self.crossed[i] = not self.awake[i], None
        return sorted(found)


def levels(rng, n, among):
    """Steps of random lengths."""
    ends = np.cumsum(rng.integers(1, 90, n))
    return rng.choice(among, n)[np.searchsorted(ends, np.arange(n), "right")]


def rows_of_every_kind(rng, n, smoothing):
    walk = np.cumsum(rng.normal(0, 0.06, (n, 3)), axis=0) % 1.2
    steps = np.stack([levels(rng, n, rng.random(9)) + 0.02 * rng.normal(size=n) for _ in range(2)], axis=1)
    wild = 10.0 ** rng.integers(-3, 9, (n, 1)) * rng.normal(size=(n, 1))
    # Smoothed, a level at a threshold is one of rounding; as it is, it is exact.
    among = np.array([0.3, 0.5, np.nextafter(0.3, 0), np.nextafter(0.5, 1), 0.1, 0.9])
    exact = levels(rng, n, among if smoothing == 1.0 else rng.random(6))[:, None]
    gaps = np.concatenate([walk[:, :1], steps[:, :1], exact], axis=1) * np.where(rng.random((n, 3)) < 0.2, np.nan, 1)
    dead = np.where(np.arange(n)[:, None] < rng.integers(0, n + 1, 2), walk[:, :2], [np.nan, -np.inf])
    rows = np.concatenate([walk, steps, wild, exact, gaps, dead, np.full((n, 1), np.inf)], axis=1)
    return np.roll(rows, rng.integers(13), axis=1)


@given(
    seed=st.integers(0, 2**32 - 1),
    smoothing=st.sampled_from([1.0, 1.5, 25.0]),
    hold=st.sampled_from([0, 1, 2, 7, 25]),
    calls=st.lists(st.tuples(st.integers(0, 90), st.sampled_from([False, False, False, True])), max_size=8),
)
@settings(max_examples=60, deadline=None)
def test_the_tracker_tells_what_going_row_by_row_tells(seed, smoothing, hold, calls):
    rng = np.random.default_rng(seed)
    at = Thresholds(smoothing=smoothing, hold=hold)
    rows = rows_of_every_kind(rng, 300, smoothing)
    tracker, slow = WakeTracker(rows.shape[1], at), RowByRow(rows.shape[1], at)
    start = 0
    for length, prime in [*calls, (300, False)]:
        piece = rows[start : start + length]
        start += length
        if prime:
            awake = rng.random(rows.shape[1]) < 0.5
            tracker.prime(awake, piece)
            slow.prime(awake, piece)
        else:
            assert tracker.update(piece) == slow.update(piece)
        assert tracker.rows == slow.rows
        np.testing.assert_array_equal(tracker.awake, slow.awake)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_many_rows_at_once_are_told_as_row_by_row(dtype):
    rows = rows_of_every_kind(np.random.default_rng(5), 2500, 25.0).astype(dtype)
    found = WakeTracker(rows.shape[1]).update(rows)
    assert len(found) > 50
    assert found == RowByRow(rows.shape[1], DEFAULT).update(rows)


@pytest.mark.parametrize("wake", [0.05, 0.499])
def test_other_thresholds_are_told_as_row_by_row(wake):
    at = Thresholds(wake=wake, hold=2, smoothing=1.0)
    rows = np.random.default_rng(6).random((400, 4))
    found = WakeTracker(4, at).update(rows)
    assert len(found) > 10
    assert found == RowByRow(4, at).update(rows)


@pytest.mark.parametrize("rows", [0, 1, 400])
def test_no_latents_and_no_rows_make_no_events(rows):
    assert WakeTracker(0).update(np.zeros((rows, 0))) == []
    assert WakeTracker(3).update(np.ones((rows, 3))) == []


def test_a_latent_that_rests_exactly_on_a_threshold_has_not_crossed_it():
    rows = np.full((300, 2), 0.5)
    rows[::7, 1] = np.nan
    tracker = WakeTracker(2)
    tracker.prime(np.ones(2, bool), rows[:0])
    assert tracker.update(rows) == []
