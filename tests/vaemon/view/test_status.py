from dataclasses import replace

import numpy as np
import pytest

from vaemon.batch import Columns, Latest, RunInfo, RunState
from vaemon.latents import Failure
from vaemon.view.state import RunView
from vaemon.view.status import SIGNS, Kind, row_interval, stalled_after, status

NOW = 1000.0


def view(state=RunState.RUNNING, *, heard=NOW, reason="", lost="", every=0.1, width=2, rows=True, failure=""):
    times = np.arange(20) * every * width
    return RunView(
        info=RunInfo("run42", "runs/run42", state, reason),
        columns=Columns(width=width, step=np.arange(20), time=times, epoch=np.zeros(20)),
        latest=Latest(40, 0, heard, {}, {}) if rows else None,
        heard=heard,
        lost=lost,
        failure=Failure(failure),
        alarm=f"{failure}: 9 of 9 latents" if failure else "",
    )


def test_every_kind_has_a_sign_of_one_character():
    assert set(SIGNS) == set(Kind)
    assert all(len(sign) == 1 for sign in SIGNS.values())


def test_before_the_first_answer():
    told = status(RunView(), NOW)
    assert (told.kind, told.words, told.sign, told.age) == (Kind.OPENING, "opening", "…", "")


@pytest.mark.parametrize("state", list(RunState))
def test_the_state_of_the_run_is_told(state):
    told = status(view(state), NOW)
    assert told.words == state.value
    assert told.age == "now"


def test_a_run_without_new_rows_is_stalled_after_ten_seconds():
    assert status(view(heard=NOW - 9.9), NOW).kind is Kind.RUNNING
    told = status(view(heard=NOW - 42.0), NOW)
    assert (told.kind, told.words, told.sign, told.age) == (Kind.STALLED, "stalled 42 s", "▲", "42 s ago")


def test_slow_rows_make_a_run_stall_later():
    slow = view(heard=NOW - 42.0, every=5.0)
    assert row_interval(slow) == pytest.approx(5.0)
    assert stalled_after(slow) == pytest.approx(100.0)
    assert status(slow, NOW).kind is Kind.RUNNING
    assert status(slow, NOW + 100.0).kind is Kind.STALLED


def test_an_evaluation_between_epochs_is_no_stall_once_there_was_one():
    learnt = view(heard=NOW - 42.0)
    assert status(replace(learnt, pause=15.0), NOW).kind is Kind.RUNNING
    assert status(replace(learnt, pause=13.9), NOW).kind is Kind.STALLED
    assert stalled_after(replace(learnt, pause=1.0)) == 10.0
    assert stalled_after(replace(learnt, pause=8 * 3600.0)) == 1800.0, "a night's stall does not hide the next"
    assert stalled_after(replace(view(every=200.0), pause=8 * 3600.0)) == pytest.approx(4000.0)


def test_a_run_of_which_there_are_no_columns_stalls_by_its_rate():
    listed = replace(view(heard=NOW - 42.0), columns=Columns(), rate=1.0, rows=8)  # 40 steps, one in 5 recorded
    assert row_interval(listed) == pytest.approx(5.0)
    assert status(listed, NOW).kind is Kind.RUNNING
    assert row_interval(replace(listed, rate=0.0)) == 0.0


def test_a_run_that_is_over_does_not_stall():
    assert status(view(RunState.FINISHED, heard=NOW - 1e6), NOW).words == "finished"


def test_a_lost_link_tells_the_age_of_the_data_and_why():
    told = status(view(heard=NOW - 65.0, lost="no route to host"), NOW)
    assert (told.kind, told.words, told.reason) == (Kind.LOST, "link lost, data 1 min 5 s old", "no route to host")
    assert status(view(lost="gone", rows=False), NOW).words == "link lost"


def test_reasons():
    assert status(view(RunState.FAILED, reason="mse is NaN"), NOW).reason == "mse is NaN"
    assert "without a word" in status(view(RunState.CRASHED), NOW).reason
    assert status(view(RunState.FINISHED), NOW).reason == ""


def test_a_run_that_is_not_all_recorded_does_not_look_well():
    told = status(view(reason="3 rows could not be recorded"), NOW)
    assert (told.kind, told.words, told.sign) == (Kind.UNRECORDED, "running, not all recorded", "▲")
    assert told.live
    assert told.reason == "3 rows could not be recorded"


@pytest.mark.parametrize(("failure", "words"), [("collapse", "posterior collapse"), ("ignored", "prior ignored")])
def test_a_run_whose_latents_fail_does_not_look_well(failure, words):
    told = status(view(failure=failure), NOW)
    assert (told.kind, told.words, told.sign) == (Kind.ALARM, f"running, {words}", "!")
    assert (told.live, told.alarm, told.reason) == (True, True, f"{failure}: 9 of 9 latents")
    over = status(view(RunState.STOPPED, failure=failure, reason="Ctrl-C"), NOW)
    assert (over.kind, over.words) == (Kind.STOPPED, f"stopped, {words}")
    assert over.reason == f"Ctrl-C · {failure}: 9 of 9 latents"
    assert not over.live


def test_the_worse_news_is_told_first():
    assert status(view(failure="collapse", reason="disk full"), NOW).kind is Kind.UNRECORDED
    assert status(view(failure="collapse", reason="disk full", heard=NOW - 60), NOW).kind is Kind.STALLED
    assert status(view(failure="collapse", lost="gone"), NOW).kind is Kind.LOST


def test_a_clock_that_runs_behind_does_not_make_ages_negative():
    assert status(view(heard=NOW + 50.0), NOW).age == "now"
