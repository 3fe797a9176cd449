import numpy as np
import pytest

from vaemon.batch import Columns, Latest, RunInfo, RunState
from vaemon.view.state import RunView
from vaemon.view.status import SIGNS, Kind, row_interval, stalled_after, status

NOW = 1000.0


def view(state=RunState.RUNNING, *, heard=NOW, reason="", lost="", every=0.1, width=2, rows=True):
    times = np.arange(20) * every * width
    return RunView(
        info=RunInfo("run42", "runs/run42", state, reason),
        columns=Columns(width=width, step=np.arange(20), time=times, epoch=np.zeros(20)),
        latest=Latest(40, 0, heard, {}, {}) if rows else None,
        heard=heard,
        lost=lost,
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


def test_a_clock_that_runs_behind_does_not_make_ages_negative():
    assert status(view(heard=NOW + 50.0), NOW).age == "now"
