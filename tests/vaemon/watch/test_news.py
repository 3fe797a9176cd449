"""Further rows are asked for once a second; in between, only whether there is more to tell than further rows."""

import threading
from dataclasses import replace

import pytest

from vaemon.batch import Batch, Cursor, Event, Latest, RunInfo, RunState, StageInfo
from vaemon.errors import SourceLost
from vaemon.watch.poller import Poller

INFO = RunInfo("run42", "runs/run42", RunState.RUNNING, stages=(StageInfo(1, 2),))


def rows(count, **changes):
    latest = Latest(count, 0, float(count), {}, {})
    return Batch(INFO, Cursor(1, 1, count), stage=1, rows=count, latest=latest, **changes)


def none(count=9, **changes):
    return replace(rows(count, **changes), latest=None)


def state(state):
    return replace(none(), info=replace(INFO, state=state))


class Script:
    """Answers as it is told to; the poller ends with the last answer, and only says when it would wait."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.newest = []
        """What was asked: whether for rows, too, or only for news."""
        self.posted = []
        self.done = threading.Event()

    def poll(self, since, want):
        self.newest.append(want.newest)
        answer = self.answers.pop(0)
        if not self.answers:
            self.done.set()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def run(self, monkeypatch, hz=2.0):
        monkeypatch.setattr(Poller, "_pause", lambda *_: self.newest.append("wait"))
        poller = Poller(self, self.posted.append, hz=hz, clock=lambda: 100.0)
        poller.run(self.done)
        return self

    def excerpt(self, asked):
        raise AssertionError("nothing was to be seen closely")


def test_every_second_question_is_only_for_news_and_shows_nothing(monkeypatch):
    script = Script(rows(3), none(5), rows(7), none(9), rows(12)).run(monkeypatch)
    assert script.newest == [True, "wait", False, "wait", True, "wait", False, "wait", True, "wait"]
    assert [view.rows for view in script.posted] == [3, 7, 12]


@pytest.mark.parametrize(
    "news",
    [
        none(events=(Event(8, 8.0, 1, "wake", 1),)),
        none(events_anew=True),
        none(rewound_to=4),
        none(2),
        replace(none(), stage=2),
        state(RunState.FINISHED),
        replace(none(), info=replace(INFO, reason="the disk is full")),
        SourceLost("gone"),
    ],
)
def test_news_has_all_asked_for_at_once(monkeypatch, news):
    script = Script(rows(3), news, rows(9)).run(monkeypatch)
    assert script.newest == [True, "wait", False, True, "wait"]
    assert [view.rows for view in script.posted] == [3, 9]


def test_the_last_rows_are_shown_when_the_run_goes_quiet(monkeypatch):
    script = Script(rows(3), none(5), rows(5), none(5), rows(5)).run(monkeypatch)
    assert [view.rows for view in script.posted] == [3, 5]


@pytest.mark.parametrize(("hz", "first"), [(1.0, rows(3)), (4.0, rows(3)), (2.0, rows(3, more=True)), (2.0, none(3))])
def test_rows_are_asked_for_each_time_where_they_cannot_wait(monkeypatch, hz, first):
    assert Script(first, rows(5), rows(7)).run(monkeypatch, hz).newest[:3] == [True, "wait", True]


def test_what_a_person_does_has_rows_asked_for_at_once(monkeypatch):
    script = Script(rows(3), rows(5), rows(7))
    monkeypatch.setattr(Poller, "_pause", lambda self, *_: self.nudge())
    poller = Poller(script, script.posted.append, hz=2.0, clock=lambda: 100.0)
    poller.run(script.done)
    assert script.newest == [True, True, True]
