"""Where the events of a long run stand, told anew for each frame without going through all of them."""

import numpy as np

from vaemon.batch import Columns, Event
from vaemon.view.state import RunView
from vaemon.watch.render.span import TimeSpan
from vaemon.watch.widgets.marks import event_marks
from vaemon.watch.widgets.picture import Picture

COLUMNS = Columns(width=10, step=np.arange(10, 110, 10), time=np.arange(10.0), epoch=np.zeros(10, np.int64))


def marks(*events, latent=None, columns=COLUMNS):
    picture = Picture(view=RunView(stage=1, events=events))
    return event_marks(picture, columns, TimeSpan.over(len(columns)), 10, latent)


def event(step, kind="wake", latent=0, stage=1):
    return Event(step, 0.0, stage, kind, latent)


def test_each_event_stands_in_the_column_of_its_step():
    assert marks(event(1), event(10), event(11), event(100)) == ((0, "active"), (1, "active"), (9, "active"))


def test_what_matters_more_comes_last_and_what_has_no_mark_not_at_all():
    told = event(5, "nan"), event(95), event(5), event(5, "note"), event(5, "checkpoint"), event(5, stage=2)
    assert marks(*told) == ((0, "active"), (9, "active"), (0, "bad"))


def test_of_one_latent_there_are_its_own_and_those_of_none():
    told = event(5, latent=1), event(15, latent=2), event(25, "error", -1)
    assert marks(*told, latent=2) == ((1, "active"), (2, "bad"))


def test_of_a_part_of_the_run_events_before_it_are_left_out():
    part = COLUMNS.cut(50, 100)
    assert marks(event(50), event(51), event(61), columns=part) == ((0, "active"), (2, "active"))
    assert marks(event(50), columns=part) == ()


def test_further_events_are_told_with_those_before_and_others_in_their_place():
    first, second, third = event(5), event(45), event(95)
    assert [place for place, _ in marks(first, second)] == [0, 4]
    assert [place for place, _ in marks(first, second, third)] == [0, 4, 9]
    assert [place for place, _ in marks(first, third)] == [0, 9]
    assert marks() == ()
