"""The longest pause of a training: learnt from the recorded times, whatever was cut, merged or gone on with."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaemon import Recorder
from vaemon.batch import Cursor, Want
from vaemon.runfile.compact import compact_run
from vaemon.runfile.schema import CLOCK
from vaemon.source import pauses
from vaemon.source.local import LocalSource
from vaemon.source.pauses import pause_in_bins, pause_in_rows
from vaemon.view.fold import fold
from vaemon.view.state import RunView
from vaemon.view.status import Kind, stalled_after, status

EVERY = 0.25


class Rows:
    """As much of a stage as its pauses need; one file."""

    def __init__(self, time):
        self.clock = np.zeros(len(time) // 32, CLOCK)
        self.clock["time"] = time[31::32]
        self.clock["step"] = np.arange(32, len(time) + 1, 32)

    def clocks(self, first, last):
        return [self.clock[first:last]]


@given(
    count=st.integers(2, 3000),
    pauses=st.dictionaries(st.integers(1, 3000), st.floats(1.0, 600.0), max_size=2),
    nights=st.sets(st.integers(1, 3000), max_size=2),
)
def test_the_longest_pause_is_found_to_the_bin(count, pauses, nights):
    passed = np.full(count, EVERY)
    for row, seconds in pauses.items():
        if row < count and all(row // 32 != night // 32 for night in nights):
            passed[row] += seconds
    longest = passed[1:].max()
    for night in nights:
        passed[night : night + 1] += 40_000.0
        longest = max(longest, EVERY)
    time = np.cumsum(passed)
    newest = slice(max(count - 125, 0), count)
    block = {"step": np.arange(1, count + 1)[newest], "time": time[newest]}
    resumed = [night + 1 for night in nights]
    found = max(pause_in_rows(block, resumed), pause_in_bins(Rows(time), count, resumed))
    slow = [passed[32 * i : 32 * (i + 1)].sum() for i in range(1, count // 32)]
    whole = [each for i, each in enumerate(slow, 1) if not any(night // 32 == i for night in nights)]
    exact = [each for row, each in enumerate(passed) if row > newest.start and row not in nights]
    # By the definition; and where most bins have no pause, that is the longest one there was (the first bin apart).
    guess = max(whole, default=0.0) - (np.median(whole) * 31 / 32 if whole else 0.0)
    assert found == pytest.approx(max([guess, *exact, 0.0]), abs=1e-3)
    if len(whole) > 4 and all(row >= 32 for row in pauses) and len({row // 32 for row in pauses}) == len(pauses):
        assert found == pytest.approx(longest, abs=0.01)


@pytest.fixture
def clock(monkeypatch):
    now = SimpleNamespace(value=1e9)
    monkeypatch.setattr("vaemon.recorder.block.time", lambda: now.value)
    monkeypatch.setattr("time.time", lambda: now.value)
    return now


def record(clock, first, last, pauses=(), **options):
    with Recorder("r", **options) as recorder:
        for step in range(first, last):
            clock.value += EVERY + dict(pauses).get(step, 0.0)
            recorder.log(step, mse=1.0)


def read(folder):
    source, view = LocalSource(folder), RunView()
    for _ in range(2):
        view = fold(view, source.poll(view.cursor, Want(("mse",))))
    glance = LocalSource(folder).poll(Cursor(), Want((), columns=0))
    assert view.pause == glance.pause
    return view


@pytest.mark.parametrize("arrange", [lambda folder: None, compact_run], ids=["as is", "compact"])
def test_a_break_between_two_sittings_is_no_pause_of_the_training(runs, clock, arrange):
    record(clock, 1, 700, {333: 45.0})
    clock.value += 40_000.0
    record(clock, 700, 1400, resume=True)
    arrange(runs / "r")
    assert read(runs / "r").pause == pytest.approx(45.0 + EVERY)


def test_a_pause_long_ago_and_one_just_now_are_both_learnt_from(runs, clock):
    record(clock, 1, 500)
    assert read(runs / "r").pause == pytest.approx(EVERY)
    record(clock, 500, 540, {520: 7.0}, resume=True)
    assert read(runs / "r").pause == pytest.approx(7.0 + EVERY)


def test_only_what_was_of_late_counts(runs, clock, monkeypatch):
    monkeypatch.setattr(pauses, "BINS", 8)
    record(clock, 1, 1000, {100: 60.0})
    assert read(runs / "r").pause == pytest.approx(EVERY)


def test_a_run_with_a_known_pause_stalls_after_three_of_it_and_not_before(runs, clock):
    with Recorder("r") as recorder:
        for step in range(1, 1001):
            clock.value += EVERY + (20.0 if step == 500 else 0.0)
            recorder.log(step, mse=1.0)
        recorder.flush()
        view = read(runs / "r")
    assert stalled_after(view) == pytest.approx(3 * (20.0 + EVERY))
    heard = view.latest.time
    view = replace(view, heard=heard)
    assert status(view, heard + 60.0).kind is Kind.RUNNING
    assert status(view, heard + 61.0).kind is Kind.STALLED
