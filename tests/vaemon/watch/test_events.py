"""The list of events by itself: however many there are, and as they come."""

import pytest

from vaemon.batch import Event
from vaemon.view.chronicle import chronicle
from vaemon.view.state import RunView
from vaemon.watch.render.palette import DARK
from vaemon.watch.widgets import events
from vaemon.watch.widgets.events import Events
from vaemon.watch.widgets.pen import Pen
from vaemon.watch.widgets.picture import Look, Picture


def told(step):
    return Event(step, float(step), 1, "note", text=f"n{step}")


def words(widget, happened, text=""):
    look = Look(filters={"events": text} if text else {})
    rows = widget.rows(Picture(RunView(events=tuple(happened)), look=look), 40, 500)
    return ["".join(span.text for span in row) for row in rows[1:]]


@pytest.fixture
def widget():
    return Events(Pen(DARK), chooses=True)


def test_the_oldest_of_very_many_are_left_out_at_a_stroke(widget, monkeypatch):
    monkeypatch.setattr(events, "MOST", 100)
    monkeypatch.setattr(events, "AT_A_STROKE", 25)
    happened = []
    for step in range(1, 302):
        happened.append(told(step))
        seen = words(widget, happened)
        assert len(seen) == (step if step <= 100 else 76 + (step - 1) % 25)
        assert seen[0].endswith(f"n{step}")
        assert seen[-1].endswith(f"n{step - len(seen) + 1}")


def test_a_list_kept_as_events_come_is_that_of_a_new_widget(widget):
    happened = [told(1)]
    for step, latent, kind in ((5, 0, "wake"), (9, 0, "sleep"), (7, 1, "wake"), (12, 0, "wake"), (1200, 0, "sleep")):
        happened.append(Event(step, 0.0, 1, kind, latent))
        assert words(widget, happened) == words(Events(Pen(DARK), chooses=True), happened)
        assert len(words(widget, happened)) == len(chronicle(happened))
    assert len(words(widget, happened, "flickers")) == 1
    assert len(words(widget, happened[:2])) == 2


def test_what_of_a_line_does_not_fit_is_told_to_be_missing(widget):
    line = Event(7, 0.0, 1, "note", text="a line that is longer than the list of events is wide")
    assert words(widget, [line]) == ["▸7  · a line that is longer than the li…"]
