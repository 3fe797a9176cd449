"""A run told again: nothing before its time, everything in the end."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from vaemon import Recorder
from vaemon.batch import Cursor, Excerpt, RunState, Want
from vaemon.playback import Playback
from vaemon.source.local import LocalSource
from vaemon.source.replay import ReplaySource
from vaemon.view.fold import fold
from vaemon.view.state import RunView

_spec = importlib.util.spec_from_file_location("contract", Path(__file__).with_name("contract.py"))
contract = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(contract)

WANT = contract.WANT


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def replayed(runs):
    """replay(...) -> a source that tells of run "r", and its clock."""
    opened = []

    def replay(speed=None, first_step=0):
        clock = Clock()
        opened.append(ReplaySource(LocalSource(runs / "r"), Playback(speed, first_step, clock=clock)))
        return opened[-1], clock

    yield replay
    for each in opened:
        each.close()


@pytest.fixture
def times(monkeypatch):
    """set(seconds): the time that the recorder is told, a tenth of a second later with each question."""
    told = [1e9]

    def now():
        told[0] += 0.1
        return told[0]

    monkeypatch.setattr("time.time", now)
    monkeypatch.setattr("vaemon.recorder.block.time", now)
    return lambda seconds: told.__setitem__(0, told[0] + seconds)


def record(log_rows, *parts, latents=3):
    with Recorder("r", latents=latents, total_steps=500) as recorder:
        first = 1
        for part in parts:
            part(recorder) if callable(part) else log_rows(recorder, part, first=first)
            first += 0 if callable(part) else len(part)


def told(source, want=WANT):
    return contract.read_to_end(source, RunView(), want)


def test_replaying_to_the_end_equals_the_run(runs, replayed, times, staircase, log_rows, monkeypatch):
    # As of a long run: one that has rows which fill no column of the playback.
    monkeypatch.setattr("vaemon.source.replay.GRAIN", 64)
    record(log_rows, staircase(471, 3))
    source, clock = replayed()
    view, rows = RunView(), []
    for _ in range(40):
        view = contract.read_to_end(source, view)
        rows.append(view.rows)
        clock.now += 2.0
    assert rows == sorted(rows)
    assert len(set(rows)) > 20
    whole = told(LocalSource(runs / "r"))
    contract.same_columns(view.columns, whole.columns)
    assert (view.rows, view.events, view.info.stages) == (471, whole.events, whole.info.stages)
    assert view.info.state is RunState.FINISHED


def test_nothing_is_told_before_its_time(replayed, times, staircase, log_rows):
    record(log_rows, staircase(400, 3))
    source, clock = replayed()
    assert source.info().state is RunState.RUNNING
    seen = []
    for _ in range(30):
        view = told(source)
        assert view.columns.rows <= view.rows
        assert view.latest.step == view.rows
        assert all(event.step <= view.rows for event in view.events)
        seen.append(len(view.events))
        clock.now += 3.0
    assert seen == sorted(seen)
    assert seen[0] < seen[-1]


def test_wound_back_it_is_as_it_was_then(replayed, times, staircase, log_rows):
    record(log_rows, staircase(400, 3))
    source, clock = replayed()
    told(source)
    clock.now += 500.0
    view = told(source)
    assert view.rows == 400
    source._playback.wind(-0.95)
    view = fold(view, source.poll(view.cursor, WANT))
    fresh = told(source)
    assert 1 <= view.rows < 60
    contract.same_columns(view.columns, fresh.columns)
    assert (view.events, view.rows) == (fresh.events, fresh.rows)


def test_a_stage_follows_the_other(replayed, times, staircase, log_rows):
    def second(recorder):
        recorder.stage(2, latents=5)
        log_rows(recorder, np.full((60, 5), 0.7))

    record(log_rows, staircase(100, 3), second)
    source, clock = replayed()
    seen = []
    for _ in range(40):
        view = told(source)
        seen.append((view.stage, view.rows, tuple(stage.number for stage in view.info.stages)))
        clock.now += 2.0
    assert [stage for stage, _, _ in seen] == sorted(stage for stage, _, _ in seen)
    assert seen[0][::2] == (1, (1,))
    assert seen[-1] == (2, 60, (1, 2))
    view = told(source, Want(WANT.channels, stage=1))
    assert (view.stage, view.rows) == (1, 100)


def test_an_earlier_stage_is_looked_at_without_a_glance_at_what_comes_in_the_later_one(
    runs, replayed, times, staircase, log_rows
):
    def second(recorder):
        recorder.stage(2, latents=3)
        log_rows(recorder, staircase(400, 3))

    record(log_rows, staircase(400, 3), second)
    source, clock = replayed()
    first = Want(WANT.channels, stage=1)
    view, seen = RunView(), []
    for _ in range(60):
        at = told(source)
        view = contract.read_to_end(source, view, first)
        later = [event for event in view.events if event.stage == 2]
        if at.stage == 2:
            assert later == [event for event in at.events if event.stage == 2]
            assert [event.step for event in view.events if event.stage == 1] == [
                event.step for event in at.events if event.stage == 1
            ]
        assert view.stage == 1
        seen.append(len(later))
        clock.now += 1.5
    assert seen == sorted(seen)
    assert len(set(seen)) > 3
    everything = told(LocalSource(runs / "r")).events
    assert view.events == everything
    source._playback.wind(-0.3)
    view = contract.read_to_end(source, RunView(), first)
    assert len(view.events) < len(everything)
    clock.now += 1000.0
    assert contract.read_to_end(source, view, first).events == everything


def test_it_begins_at_a_step(replayed, staircase, log_rows):
    record(log_rows, staircase(100, 3))
    assert told(replayed(first_step=40)[0]).rows == 40
    assert told(replayed(first_step=10_000)[0]).rows == 100


def test_a_break_is_cut_short(replayed, staircase, log_rows, times):
    variance = staircase(200, 3)
    record(log_rows, variance[:100], lambda recorder: times(8 * 3600.0), variance[100:])
    source, clock = replayed(speed=1.0)
    told(source)
    clock.now += 120.0
    assert told(source).rows == 200


@pytest.mark.parametrize("hours", [-3, 3])
def test_a_clock_put_back_or_on_hides_no_event(runs, replayed, staircase, log_rows, times, hours):
    variance = staircase(400, 3)
    record(log_rows, variance[:250], lambda recorder: times(3600.0 * hours), variance[250:])
    source, clock = replayed()
    rows, events = [], []
    for _ in range(60):
        view = told(source)
        rows.append(view.rows)
        events.append(len(view.events))
        clock.now += 1.5
    assert rows == sorted(rows)
    assert events == sorted(events)
    assert (rows[-1], events[-1]) == (400, len(told(LocalSource(runs / "r")).events))


def test_a_run_without_rows_is_told_as_one(replayed, runs):
    source, _ = replayed()
    assert source.poll(Cursor(), WANT).info.state is RunState.WAITING
    with Recorder("r", latents=2):
        pass
    view = told(source)
    assert (view.rows, len(view.columns), view.info.state) == (0, 0, RunState.FINISHED)


def test_what_is_seen_closely_is_there(replayed, staircase, log_rows):
    record(log_rows, staircase(100, 3))
    near = replayed()[0].excerpt(Excerpt(1, 40, 60, ("mse",)))
    assert near.step.tolist() == list(range(41, 61))
