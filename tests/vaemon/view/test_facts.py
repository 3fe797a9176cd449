import math
from dataclasses import replace

import numpy as np
import pytest

from vaemon.batch import Latest, RunInfo, RunState, StageInfo
from vaemon.latents import Failure
from vaemon.view.facts import STATES, TRUTHS, facts, state_of
from vaemon.view.state import RunView
from vaemon.view.status import Kind, Status, status

NOW = 1000.0


def view(*, state=RunState.RUNNING, states=(3, 3, 2, 1, 0), newest=None, rows=400, **changes):
    scalars = {"mse": 0.02, **(newest or {})}
    smoothed = {name: np.float64(0.5) for name in scalars}
    smoothed |= {"mean_variance": np.ones(len(states)), "latent_kl": np.ones(len(states))}
    return replace(
        RunView(
            info=RunInfo("r", "runs/r", state, stages=(StageInfo(1, len(states)),)),
            stage=1,
            rows=rows,
            latest=Latest(1200, 3, NOW, scalars, smoothed),
            rate=40.0,
            states=np.array(states, np.int8),
            inactive=2,
            heard=NOW,
        ),
        **changes,
    )


def of(shown, now=NOW):
    return facts(shown, status(shown, now))


def test_the_numbers_of_a_run_by_their_names():
    known = of(view())
    numbers = {name: known[name] for name in known if name not in (*TRUTHS, "active_units")}
    assert numbers == {
        "mse": 0.5,
        "active": 2,
        "waking": 1,
        "limbo": 1,
        "collapsed": 1,
        "inactive": 2,
        "latents": 5,
        "step": 1200,
        "epoch": 3,
        "stage": 1,
        "rate": 40,
    }


@pytest.mark.parametrize("kind", list(Kind))
def test_no_more_than_one_state_is_true_at_a_time(kind):
    known = facts(view(), Status(kind, str(kind)))
    word = {Kind.ALARM: "running", Kind.UNRECORDED: "running", Kind.LOST: "lost"}.get(kind, str(kind))
    assert [state for state in STATES if known[state]] == ([word] if word in STATES else [])
    assert known["unrecorded"] == (kind is Kind.UNRECORDED)
    assert state_of(Status(kind, str(kind))) == word


def test_a_run_that_stalls_is_not_running():
    known = of(view(), NOW + 60)
    assert (known["stalled"], known["running"], known["over"]) == (1, 0, 0)


@pytest.mark.parametrize("state", list(RunState))
def test_over_is_over_in_whatever_way(state):
    assert of(view(state=state))["over"] == state.over


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_not_finite(value):
    assert of(view(newest={"mse": value}))["nan"] == 1
    assert of(view())["nan"] == 0


@pytest.mark.parametrize("failure", list(Failure))
def test_the_failures_of_the_latents(failure):
    known = of(view(failure=failure))
    assert [word for word in ("collapse", "ignored") if known[word]] == ([str(failure)] if failure else [])


def test_a_run_in_alarm_is_still_running():
    assert of(view(failure=Failure.COLLAPSE, alarm="most latents have collapsed"))["running"] == 1


def test_active_units_may_be_unknown():
    assert math.isnan(of(view())["active_units"])
    assert of(view(units=np.array([True, False, True, False, False])))["active_units"] == 2


def test_before_any_row_there_are_states_alone():
    assert set(of(view(latest=None))) == {*STATES, "over", "unrecorded"}
    assert set(facts(RunView(), Status(Kind.OPENING, "opening"))) == {*STATES, "over", "unrecorded"}


def test_the_numbers_of_an_older_stage_are_no_news():
    info = RunInfo("r", "runs/r", RunState.RUNNING, stages=(StageInfo(1, 5), StageInfo(2, 5)))
    assert set(of(view(info=info))) == {*STATES, "over", "unrecorded"}
    assert "mse" in of(view(info=info, stage=2))


def test_a_scalar_of_ones_own_does_not_hide_a_count():
    assert of(view(newest={"active": 7.0}))["active"] == 2


def test_counts_that_are_not_defined_are_no_numbers():
    none = replace(view().info, config={"not_defined": {"RAE": ["mean_variance"]}})
    known = of(view(info=none, states=(), inactive=0))
    assert all(math.isnan(known[name]) for name in ("inactive", "active", "waking", "limbo", "collapsed"))
    assert known["mse"] == 0.5
