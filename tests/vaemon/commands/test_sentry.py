from dataclasses import replace

import numpy as np
import pytest

from vaemon.batch import Event, Latest, RunInfo, RunState
from vaemon.commands.hooks import Hooks
from vaemon.commands.sentry import Sentry
from vaemon.errors import UnknownName
from vaemon.view.alerts import parse_rule
from vaemon.view.conditions import parse_condition
from vaemon.view.state import RunView
from vaemon.view.status import status

NOW = 1000.0


def view(step=10, *, state=RunState.RUNNING, loading=False, mse=0.5, name="r"):
    latest = Latest(step, 0, NOW, {"mse": mse}, {"mse": np.float64(mse)}) if step else None
    return RunView(RunInfo(name, "runs/r", state), stage=1, rows=step, latest=latest, heard=NOW, loading=loading)


def see(sentry, shown):
    return sentry.see(shown, status(shown, NOW))


def until(text, **options):
    return Sentry(until=parse_condition(text), **options)


@pytest.mark.parametrize(
    ("condition", "views", "done", "code"),
    [
        ("step>=20", [view(10), view(20)], [False, True], 0),
        ("step>=20", [view(10), view(15, state=RunState.FINISHED)], [False, True], 4),
        ("step>=20", [view(20, state=RunState.CRASHED)], [True], 0),
        ("step>=20", [view(10)], [False], 4),
        ("finished", [view(10), view(10, state=RunState.FINISHED)], [False, True], 0),
        ("finished", [view(10, state=RunState.CRASHED)], [True], 4),
        ("finished or crashed", [view(10, state=RunState.CRASHED)], [True], 0),
        ("step>=20", [view(10, state=RunState.FINISHED, loading=True)], [False], 4),
        ("step>=20", [view(0, state=RunState.WAITING), RunView()], [False, False], 4),
        ("step>=20", [view(20), view(10, state=RunState.STOPPED)], [True, True], 0),
    ],
)
def test_waiting_for_a_condition(condition, views, done, code):
    sentry = until(condition)
    assert [see(sentry, each).done for each in views] == done
    assert sentry.code == code


def test_a_value_that_was_not_finite_between_two_looks_counts():
    sentry = until("nan")
    assert not see(sentry, view()).done
    assert see(sentry, replace(view(20), events=(Event(15, NOW, 1, "nan"),))).done
    assert sentry.code == 0


def test_without_anything_to_wait_for_it_is_never_done():
    sentry = Sentry(rules=[parse_rule("finished")])
    seen = see(sentry, view(state=RunState.FINISHED))
    assert (seen.done, sentry.code, [alert.text for alert in seen.alerts]) == (False, 0, ["finished"])
    assert (sentry.waits, sentry.watches) == (False, True)


def test_a_time_that_is_up():
    now = [0.0]
    sentry = until("step>=20", timeout=30.0, clock=lambda: now[0])
    assert not see(sentry, view()).done
    now[0] = 30.0
    assert see(sentry, RunView()).done
    assert sentry.code == 4


@pytest.mark.parametrize(
    ("last", "code"), [(view(10, mse=0.001), 4), (view(10, state=RunState.FINISHED), 0), (view(10), 0)]
)
def test_leaving_at_the_first_alert(last, code):
    sentry = Sentry(rules=[parse_rule("mse<0.01")], ends_on_alert=True)
    assert not see(sentry, view()).done
    assert see(sentry, last).done is (last.info.state.over or code == 4)
    assert sentry.code == code


@pytest.mark.parametrize(
    ("options", "option"),
    [({"until": parse_condition("mze<1")}, "--until"), ({"rules": [parse_rule("mze<1")]}, "--alert")],
)
def test_a_name_that_there_is_not_is_told_once_the_channels_are_known(options, option):
    sentry = Sentry(**options)
    see(sentry, RunView())
    see(sentry, view(0, state=RunState.WAITING))
    with pytest.raises(UnknownName, match=rf"{option} 'mze' \(did you mean 'mse'\?\)"):
        see(sentry, view())


@pytest.mark.parametrize(
    ("options", "escapes"),
    [
        ({}, ""),
        ({"bell": True}, "\x07"),
        (
            {"notify": True},
            "\x1b]9;vaemon a?b,c: finished\x07\x1b]777;notify;vaemon;vaemon a?b,c: finished\x07",
        ),
    ],
)
def test_the_terminal_is_asked_for_what_was_wished_and_told_nothing_that_controls_it(monkeypatch, options, escapes):
    monkeypatch.delenv("TMUX", raising=False)
    sentry = Sentry(rules=[parse_rule("finished")], **options)
    shown = view(state=RunState.FINISHED, name="a\x1bb;c")
    assert see(sentry, shown).escapes == escapes
    assert see(sentry, shown).escapes == ""


def test_tmux_is_asked_to_pass_a_notification_on(monkeypatch):
    monkeypatch.setenv("TMUX", "/tmp/tmux-0/default,1,0")
    seen = see(Sentry(rules=[parse_rule("finished")], notify=True), view(state=RunState.FINISHED))
    assert seen.escapes.startswith("\x1bPtmux;\x1b\x1b]9;vaemon r: finished\x07\x1b\\\x1bPtmux;\x1b\x1b]777;")
    assert seen.escapes.endswith("\x07\x1b\\")


def test_alerts_stay_among_the_events_and_equal_views_have_the_same_ones():
    sentry = Sentry(rules=[parse_rule("mse<0.01")])
    first = view(mse=0.001)
    seen = see(sentry, first)
    assert [event.text for event in seen.view.events] == ["mse<0.01: mse 0.0010"]
    assert see(sentry, first).view.events is seen.view.events
    later = see(sentry, view(20))
    assert [event.text for event in later.view.events] == ["mse<0.01: mse 0.0010"]
    assert later.alerts == ()
    assert see(sentry, replace(first, events=(Event(9, NOW, 1, "note"),))).view.events[1].kind == "note"


def test_hooks_are_told_and_what_fails_in_them_is_said():
    told = []

    def hook(occasion):
        told.append((occasion.run, occasion.alert.rule))
        raise OSError("nobody there")

    sentry = Sentry(rules=[parse_rule("finished")], hooks=Hooks({"--hook": hook}))
    see(sentry, view(state=RunState.FINISHED))
    assert sentry.close() == ["--hook failed: nobody there"]
    assert told == [("r", "finished")]
