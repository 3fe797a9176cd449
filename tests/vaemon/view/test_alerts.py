from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaemon.batch import Event, Latest, RunInfo, RunState, StageInfo
from vaemon.errors import UsageError
from vaemon.latents import Failure
from vaemon.thresholds import DEFAULT, Thresholds
from vaemon.view.alerts import EVENTS, Told, among_events, look, parse_rule
from vaemon.view.state import RunView
from vaemon.view.status import status

NOW = 1000.0
HOLD = DEFAULT.hold


def view(mse=1.0, rows=1, *, state=RunState.RUNNING, newest=None, events=(), stage=1, stages=1, heard=NOW):
    info = RunInfo("r", "runs/r", state, stages=tuple(StageInfo(n + 1, 0) for n in range(stages)))
    raw = {"mse": mse if newest is None else newest}
    latest = Latest(rows, 0, heard, raw, {"mse": np.float64(mse)})
    return RunView(info=info, stage=stage, rows=rows, latest=latest, events=tuple(events), heard=heard)


def wake(latent, step=1, kind="wake", time=NOW):
    return Event(step, time, 1, kind, latent)


def told(rules, views, now=NOW):
    """The alerts of each view, as texts."""
    before, found = Told(), []
    for each in views:
        before, alerts = look(before, [parse_rule(rule) for rule in rules], each, status(each, now))
        found.append([alert.text for alert in alerts])
    return found


def test_a_condition_tells_when_it_becomes_true_and_not_again_while_it_is():
    views = [view(mse, rows) for rows, mse in enumerate([1.0, 0.009, 0.008, 0.007], 1)]
    assert told(["mse<0.01"], views) == [[], ["mse<0.01: mse 0.0090"], [], []]


def test_what_is_true_at_first_sight_is_told():
    assert told(["mse<0.01"], [view(0.001)]) == [["mse<0.01: mse 0.0010"]]


@pytest.mark.parametrize(("away", "again"), [(1, 0), (HOLD - 1, 0), (HOLD, 1), (3 * HOLD, 1)])
def test_a_rule_is_armed_again_once_it_has_been_false_for_some_rows(away, again):
    views = [view(0.001, 100), view(1.0, 100 + away), view(0.001, 101 + away)]
    assert [len(each) for each in told(["mse<0.01"], views)] == [1, 0, again]


def test_how_long_is_a_threshold_of_the_run():
    views = [view(0.001, 100), view(1.0, 103), view(0.001, 104)]
    views = [replace(each, info=replace(each.info, thresholds=Thresholds(hold=3))) for each in views]
    assert [len(each) for each in told(["mse<0.01"], views)] == [1, 0, 1]


def test_a_value_that_flickers_tells_once():
    views = [view(0.001 if rows % 2 else 1.0, rows) for rows in range(1, 200)]
    assert sum(map(len, told(["mse<0.01"], views))) == 1


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 40)), max_size=30))
def test_between_two_tellings_the_rule_was_false_for_some_rows(steps):
    rows, views = 0, []
    for true, more in steps:
        rows += more
        views.append(view(0.001 if true else 1.0, rows))
    fires = [i for i, alerts in enumerate(told(["mse<0.01"], views)) if alerts]
    assert all(steps[i][0] for i in fires)
    for first, second in pairwise(fires):
        true_before = max(i for i in range(first, second) if steps[i][0])
        false = [views[i].rows for i in range(true_before + 1, second)]
        assert false
        assert false[-1] - views[true_before].rows >= HOLD


def test_another_stage_arms_at_once():
    views = [view(0.001, 100), view(1.0, 1, stage=2, stages=2), view(0.001, 2, stage=2, stages=2)]
    assert [len(each) for each in told(["mse<0.01"], views)] == [1, 0, 1]


def test_looking_back_at_a_stage_neither_tells_nor_arms():
    now, back = view(0.001, 100, stage=2, stages=2), view(1.0, 900, stage=1, stages=2)
    assert told(["mse<0.01"], [now, back, now]) == [["mse<0.01: mse 0.0010"], [], []]
    assert told(["mse<0.01"], [back]) == [[]]
    assert told(["crashed"], [replace(back, info=replace(back.info, state=RunState.CRASHED))]) != [[]]


def test_before_the_source_has_answered_nothing_is_told():
    assert told(["mse<0.01", "lost", "wake"], [RunView(lost="no route to host")]) == [[]]


def test_a_stall_is_told_though_the_view_stays_the_same():
    before, found = Told(), []
    for now in (NOW, NOW + 60, NOW + 90):
        same = view()
        before, alerts = look(before, [parse_rule("stall")], same, status(same, now))
        found.append([alert.text for alert in alerts])
    assert found == [[], ["stalled 1 min"], []]


def test_a_crash_is_told_with_its_reason():
    over = view(state=RunState.CRASHED)
    over = replace(over, info=replace(over.info, reason="process 7 on vm is gone"))
    assert told(["crashed"], [over]) == [["crashed: process 7 on vm is gone"]]


def test_wakes_before_the_first_view_are_no_news():
    views = [view(events=[wake(1)]), view(events=[wake(1), wake(2)]), view(events=[wake(1), wake(2)])]
    assert told(["wake"], views) == [[], ["z2 woke"], []]


def test_a_source_that_is_lost_and_comes_back_brings_no_old_news():
    views = [view(events=[wake(1)]), RunView(info=view().info, lost="gone"), view(events=[wake(1), wake(2)])]
    assert told(["wake", "running"], views) == [["running"], [], ["z2 woke"]]


def test_wakes_that_come_together_are_one_alert():
    five = [wake(latent, step=10 + latent) for latent in range(6)]
    sleep = wake(9, kind="sleep")
    assert told(["wake"], [view(), view(events=[*five, sleep])]) == [
        [],
        ["z0 woke; z1 woke; z2 woke; z3 woke; and 2 more"],
    ]
    assert told(["sleep"], [view(), view(events=[*five, sleep])]) == [[], ["z9 fell asleep"]]


def test_an_event_is_told_with_its_own_step():
    before = Told()
    for each in (view(), view(rows=500, events=[wake(1, step=400)])):
        before, alerts = look(before, [parse_rule("wake")], each, status(each, NOW))
    assert [(alert.step, alert.stage, alert.after, alert.rule) for alert in alerts] == [(400, 1, 1, "wake")]


def test_after_a_resume_the_events_that_are_new_are_told():
    first = [wake(1, time=1.0), wake(2, time=2.0)]
    anew = [wake(1, time=1.0), Event(9, 3.0, 1, "resume"), wake(3, time=4.0)]
    assert told(["wake"], [view(events=first), view(events=anew)]) == [[], ["z3 woke"]]


def test_nan_is_an_event_or_a_value_and_one_alert():
    event = Event(7, NOW, 1, "nan", text="mse is not finite")
    bad = view(newest=float("nan"), rows=8, events=[event])
    assert told(["nan"], [view(), bad]) == [[], ["mse not finite"]]
    assert told(["nan"], [view(), view(rows=8, events=[event])]) == [[], ["not finite: mse is not finite"]]


@pytest.mark.parametrize("failure", [Failure.COLLAPSE, Failure.IGNORED])
def test_a_failure_of_the_latents_is_one_alert_and_a_later_one_another(failure):
    event = Event(300, NOW, 1, str(failure), text="60 of 64")
    failing = replace(view(rows=400, events=[event]), failure=failure, alarm="it fails: 60 of 64")
    again = replace(failing, rows=401)
    well = view(rows=500, events=[event, Event(450, NOW, 1, "restored")])
    relapse = replace(failing, rows=600, events=(*well.events, replace(event, step=550)))
    assert told([str(failure)], [view(), failing, again, well, relapse]) == [
        [],
        ["it fails: 60 of 64"],
        [],
        [],
        ["it fails: 60 of 64"],
    ]


@pytest.mark.parametrize("word", EVENTS)
def test_every_kind_of_event_is_a_rule(word):
    assert parse_rule(word).event == word


@pytest.mark.parametrize(("text", "near"), [("wke", "wake"), ("stal", "stall"), ("crashd", "crashed")])
def test_a_slip_of_the_pen_is_answered_with_the_nearest(text, near):
    with pytest.raises(UsageError, match=f"--alert '{text}': there is no such rule; did you mean '{near}'"):
        parse_rule(text)


def test_alerts_stand_among_the_events_where_they_came():
    before, alerts = Told(), []
    views = [view(events=[wake(1)]), view(0.001, 5, events=[wake(1), wake(2)]), view(0.001, 9, events=[wake(1)] * 3)]
    for each in views:
        before, new = look(before, [parse_rule("mse<0.01")], each, status(each, NOW))
        alerts += new
    shown = among_events(views[-1], alerts)
    assert [event.kind for event in shown.events] == ["wake", "wake", "alert", "wake"]
    assert shown.events[2].text == "mse<0.01: mse 0.0010"
    assert among_events(views[-1], []) is views[-1]
