"""The moment of a replay: by a clock that is set."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaemon.batch import Columns
from vaemon.playback import FASTEST, LENGTH, LONGEST_GAP, SLOWEST, Moment, Playback


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def columns(times, width=1):
    times = np.asarray(times, np.float64)
    count = len(times)
    return Columns(0, width, np.arange(width, (count + 1) * width, width)[:count], times, np.zeros(count, np.int32))


def playing(*stages, speed=1.0, first_step=0):
    clock = Clock()
    playback = Playback(speed, first_step, clock=clock)
    playback.load([(number, each) for number, each in enumerate(stages, start=1)])
    return playback, clock


def test_it_moves_on_with_the_clock():
    playback, clock = playing(columns(np.arange(101.0)), speed=2.0)
    assert playback.moment() == Moment(1, 1, False)
    clock.now += 10
    assert playback.moment() == Moment(1, 21, False)
    assert playback.share == pytest.approx(0.2)
    clock.now += 1000
    assert playback.moment() == Moment(1, 101, True)
    assert playback.share == 1.0


def test_without_a_speed_a_run_takes_as_long_as_any():
    playback, clock = playing(columns(np.arange(7501.0)), speed=None)
    assert playback.speed == pytest.approx(7500 / LENGTH)
    clock.now += LENGTH - 0.1
    assert not playback.moment().over
    clock.now += 0.2
    assert playback.moment().over


def test_a_stage_follows_the_other():
    playback, clock = playing(columns(np.arange(11.0)), columns(np.arange(5000.0, 5021.0), width=4))
    seen = []
    for _ in range(32):
        seen.append(playback.moment())
        clock.now += 1
    stages = [moment.stage for moment in seen]
    assert stages == sorted(stages)
    assert set(stages) == {1, 2}
    assert [moment.rows for moment in seen if moment.stage == 1] == list(range(1, 11))
    assert seen[-1] == Moment(2, 84, True)


def test_a_break_is_cut_short():
    night = 8 * 3600.0
    times = np.concatenate([np.arange(100.0), np.arange(100.0) + 99 + night])
    playback, clock = playing(columns(times))
    clock.now += 99 + LONGEST_GAP + 99 + 1e-6
    assert playback.moment() == Moment(1, 200, True)


@pytest.mark.parametrize("jump", [-7200.0, 7200.0])
def test_a_clock_that_was_put_back_or_on_stops_no_replay(jump):
    times = np.arange(200.0)
    times[100:] += jump
    playback, clock = playing(columns(times))
    rows = []
    for _ in range(240):
        rows.append(playback.moment().rows)
        clock.now += 1
    assert rows == sorted(rows)
    assert rows[-1] == 200


@given(st.lists(st.floats(-1e9, 1e9), max_size=40), st.lists(st.floats(-2, 2), max_size=5), st.integers(0, 50))
def test_any_times_are_played_from_their_first_row_to_their_last(times, winds, first_step):
    playback, clock = playing(columns(times), speed=None, first_step=first_step)
    for by in winds:
        playback.wind(by)
        moment = playback.moment()
        assert 1 <= moment.rows <= max(len(times), 1)
        assert 0.0 <= playback.share <= 1.0
    clock.now += 1e12
    assert playback.moment() == Moment(1, max(len(times), 1), True)


def test_it_stands_still_while_held_and_goes_on_from_there():
    playback, clock = playing(columns(np.arange(101.0)))
    clock.now += 10
    playback.hold(True)
    clock.now += 50
    assert playback.held
    assert playback.moment().rows == 11
    playback.wind(0.1)
    assert playback.moment().rows == 21
    playback.hold(False)
    clock.now += 5
    assert playback.moment().rows == 26


def test_at_the_end_it_begins_again():
    playback, clock = playing(columns(np.arange(101.0)))
    clock.now += 500
    playback.hold(True)
    playback.hold(False)
    assert playback.moment().rows == 1
    assert clock.now == 600


def test_it_is_wound_no_further_than_there_are_rows():
    playback, _ = playing(columns(np.arange(101.0)))
    playback.wind(0.5)
    assert playback.moment().rows == 51
    playback.wind(-3)
    assert playback.moment().rows == 1
    playback.wind(3)
    assert playback.moment() == Moment(1, 101, True)


def test_its_pace_changes_where_it_is_and_has_bounds():
    playback, clock = playing(columns(np.arange(1001.0)))
    clock.now += 10
    playback.pace(4.0)
    assert playback.moment().rows == 11
    clock.now += 10
    assert playback.moment().rows == 51
    playback.pace(1e30)
    assert playback.speed == FASTEST
    playback.pace(1e-30)
    assert playback.speed == SLOWEST


@pytest.mark.parametrize(("step", "rows"), [(0, 1), (1, 1), (40, 40), (9999, 101)])
def test_it_begins_at_a_step(step, rows):
    playback, _ = playing(columns(np.arange(101.0)), first_step=step)
    assert playback.moment().rows == rows


def test_a_run_without_rows():
    playback, _ = playing(columns([]))
    assert not playback.loaded
    assert playback.moment() == Moment(1, 1, True)
    assert playback.share == 0.0
