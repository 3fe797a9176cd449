from dataclasses import replace

import numpy as np
import pytest

from vaemon import latents
from vaemon.batch import Columns, Event, Latest
from vaemon.decimate import pool
from vaemon.latents import LatentState
from vaemon.thresholds import DEFAULT
from vaemon.view.moment import moment
from vaemon.view.state import RunView


def run(rows, kl, width, events=()):
    """A view of a made-up run at its last row."""
    step = np.arange(width, len(rows) + 1, width)
    means = {"mean_variance": pool(rows, width).mean, "latent_kl": pool(kl, width).mean}
    columns = Columns(0, width, step, step * 1.0, step * 0, mean=means)
    smoothed = {"mean_variance": latents.smooth(rows[-125:]), "latent_kl": latents.smooth(kl[-125:])}
    count = rows.shape[1]
    return RunView(
        stage=1,
        rows=len(rows),
        columns=columns,
        events=tuple(events),
        latest=Latest(len(rows), 0, 0.0, {}, smoothed),
        states=np.full(count, LatentState.LIMBO, np.int8),
        woke=np.full(count, -1),
    )


def drifting(seed=0, rows=1024, count=12):
    rng = np.random.default_rng(seed)
    path = np.cumsum(rng.normal(0, 0.02, (rows, count)), axis=0)
    return np.clip(0.6 + path + 0.027 * rng.standard_normal((rows, count)), 0.01, 1.02)


def test_now_is_what_the_view_says():
    view = run(drifting(), np.ones((1024, 12)), 8)
    now = moment(view, view.columns, None)
    assert now.step is None
    assert now.states is view.states
    assert now.variance is view.latest.smoothed["mean_variance"]


@pytest.mark.parametrize("width", [1, 4, 16])
def test_states_are_those_that_a_reader_saw_at_that_moment(width):
    rows = drifting()
    kl = np.where(rows > 0.97, 0.001, 0.5)
    tracker = latents.WakeTracker(rows.shape[1])
    passages = tracker.update(rows)
    events = [Event(p.row + 1, 0.0, 1, "wake" if p.woke else "sleep", p.latent) for p in passages]
    assert events
    view = run(rows, kl, width, events)
    wrong = 0
    for at in range(200, 1024, 64):
        found = moment(view, view.columns, at)
        end = found.step
        awake = np.zeros(rows.shape[1], bool)
        for event in events:
            if event.step <= end:
                awake[event.latent] = event.kind == "wake"
        newest = slice(max(end - 125, 0), end)
        told = latents.states(latents.smooth(rows[newest]), latents.smooth(kl[newest]), awake)
        wrong += int((found.states != told).sum())
    # Of wider columns the last rows weigh a little differently: one near a threshold may be judged otherwise.
    assert wrong <= {1: 0, 4: 3, 16: 6}[width]


def test_values_are_those_of_the_column():
    rows = drifting()
    view = run(rows, rows / 2, 16)
    found = moment(view, view.columns, 100)
    assert found.step == 112
    np.testing.assert_allclose(found.variance, rows[96:112].mean(axis=0))
    np.testing.assert_allclose(found.kl, rows[96:112].mean(axis=0) / 2)


def test_a_wake_that_came_later_is_not_known_then():
    rows = np.full((400, 1), 0.4)  # between wake and doze: only the event tells
    view = run(rows, np.ones((400, 1)), 1, [Event(200, 0.0, 1, "wake", 0), Event(300, 0.0, 1, "sleep", 0)])
    states = [LatentState(int(moment(view, view.columns, at).states[0])) for at in (100, 250, 350)]
    assert states == [LatentState.WAKING, LatentState.ACTIVE, LatentState.WAKING]


def test_without_a_kl_none_is_collapsed():
    view = run(np.full((200, 1), 1.0), np.zeros((200, 1)), 1)
    without = replace(view.columns, mean={"mean_variance": view.columns.mean["mean_variance"]})
    assert moment(view, view.columns, 100).states[0] == LatentState.COLLAPSED
    found = moment(view, without, 100)
    assert found.states[0] == LatentState.LIMBO
    assert np.isnan(found.kl[0])
    assert DEFAULT.collapsed < 1.0


def test_values_that_are_not_finite_are_told_and_take_no_part_in_the_state():
    rows = np.full((200, 1), 0.1)
    rows[100] = np.nan
    view = run(rows, np.ones((200, 1)), 1)
    found = moment(view, view.columns, 100)
    assert np.isnan(found.variance[0])
    assert found.states[0] == LatentState.ACTIVE
