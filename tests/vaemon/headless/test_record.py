import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaemon.batch import Event, RunState
from vaemon.headless.record import EVENTS, as_json, number, record
from vaemon.headless.text import frame
from vaemon.view.alerts import Alert
from vaemon.view.fold import fold, heard
from vaemon.view.state import RunView
from vaemon.view.summary import summary


def view_of(made, step=1200, **changes):
    return heard(RunView(), fold(RunView(), made.batch(step, **changes)), made.NOW)


def strict(text):
    return json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


def test_a_record_of_a_run(made):
    events = [Event(300, made.NOW, 1, "wake", 0), Event(400, made.NOW + 0.5, 1, "note", text="lunch")]
    alert = Alert("mse<1", "mse<1: mse 0.0200", 1200, 1, made.NOW, 2)
    found = strict(as_json(view_of(made, events=events), made.NOW + 3, (alert,)))
    assert found == {
        "run": "r",
        "address": "runs/r",
        "state": "running",
        "reason": "",
        "failure": None,
        "alarm": "",
        "age": 3.0,
        "stage": 1,
        "step": 1200,
        "total_steps": 5000,
        "epoch": 12,
        "rows": 1200,
        "rate": 40.0,
        "eta": 95.0,
        "scalars": {"mse": {"newest": 0.02, "smoothed": 0.02}, "gamma": {"newest": 0.1, "smoothed": 0.1}},
        "counts": {"active": 1, "waking": 0, "limbo": 1, "collapsed": 0},
        "inactive": 1,
        "active_units": 2,
        "latents": {
            "variance": [0.1, 0.9],
            "kl": [1.5, 1.5],
            "state": ["active", "limbo"],
            "active_unit": [True, True],
            "woke": [300, None],
        },
        "not_defined": None,
        "events": [
            {"step": 400, "stage": 1, "kind": "note", "latent": None, "text": "lunch", "time": made.NOW + 0.5},
            {"step": 300, "stage": 1, "kind": "wake", "latent": 0, "text": "", "time": made.NOW},
        ],
        "alerts": [{"rule": "mse<1", "text": "mse<1: mse 0.0200", "step": 1200}],
    }


def test_what_is_not_defined_is_no_number(made):
    answer = made.batch(1200, variance=())
    del answer.latest.smoothed["mean_variance"]
    info = replace(answer.info, config={"not_defined": {"RAE": ["mean_variance"]}})
    view = heard(RunView(), fold(RunView(), replace(answer, info=info)), made.NOW)
    found = strict(as_json(view, made.NOW))
    assert found["not_defined"] == "not defined for RAE"
    assert [found[key] for key in ("counts", "inactive", "active_units", "latents")] == [None] * 4
    assert "states of latents: not defined for RAE" in frame(view, made.NOW)
    line = summary(view)
    assert (line.active, line.inactive, line.active_units) == (None, None, None)


def test_values_that_are_not_finite_are_strings(made):
    scalars = {"a": math.nan, "b": math.inf, "c": -math.inf}
    view = view_of(made, scalars=scalars, variance=(math.nan, 0.5))
    found = strict(as_json(view, made.NOW))
    assert {name: value["newest"] for name, value in found["scalars"].items()} == {
        "a": "NaN",
        "b": "Infinity",
        "c": "-Infinity",
    }
    assert found["latents"]["variance"] == ["NaN", 0.5]
    assert float(found["scalars"]["c"]["newest"]) == -math.inf


@pytest.mark.parametrize("time", [math.inf, -math.inf, math.nan])
def test_a_time_that_is_none_is_a_string(made, time):
    view = view_of(made, events=[Event(300, time, 1, "note", text="x")])
    told = strict(as_json(replace(view, heard=time), made.NOW))
    assert isinstance(told["events"][0]["time"], str)
    eta = strict(as_json(replace(view, rate=5e-324), made.NOW))["eta"]
    assert eta == "Infinity"


@given(st.floats(width=32))
def test_a_number_survives_in_float32(value):
    told = np.float32(number(float(value)))
    assert told == np.float32(value) or (math.isnan(told) and math.isnan(value)) or abs(told / value - 1) < 1e-6


@pytest.mark.parametrize("step", [0, 1200])
@pytest.mark.parametrize("state", list(RunState))
def test_any_state_is_strict_json_in_one_line_of_ascii(made, state, step):
    text = as_json(view_of(made, step, state=state, name="größe\n", reason="\ud800\x1b"), made.NOW)
    assert text.isascii()
    assert "\n" not in text
    assert strict(text)["state"] == state
    assert set(strict(text)) == set(record(RunView(), made.NOW))


def test_before_any_answer_nothing_is_known(made):
    found = record(RunView(), made.NOW)
    unknown = ("run", "address", "age", "stage", "step", "total_steps", "epoch", "rate", "eta")
    assert {found[name] for name in unknown} == {None}
    assert (found["state"], found["rows"], found["scalars"], found["events"]) == ("opening", 0, {}, [])


def test_a_run_that_is_over_has_no_time_left(made):
    assert record(view_of(made, state=RunState.STOPPED), made.NOW)["eta"] is None
    assert record(view_of(made, 6000), made.NOW)["eta"] == 0


def test_a_failure_of_the_latents_is_told_beside_the_state(made):
    found = record(view_of(made, events=[Event(300, made.NOW, 1, "collapse", text="2 of 2")]), made.NOW)
    assert found["state"] == "running"
    assert found["failure"] == "collapse"
    assert found["alarm"].startswith("posterior collapse: ")


def test_the_newest_events_alone(made):
    events = [Event(step, made.NOW, 1, "note", text="x") for step in range(1, EVENTS + 10)]
    steps = [event["step"] for event in record(view_of(made, events=events), made.NOW)["events"]]
    assert steps == list(range(EVENTS + 9, 9, -1))
