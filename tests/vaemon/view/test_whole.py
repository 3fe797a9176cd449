"""A run looked at once: whoever cannot answer at one go is asked on."""

from vaemon.batch import Batch, Cursor, Event, RunInfo, RunState, Want
from vaemon.view.whole import whole

INFO = RunInfo("run42", "runs/run42", RunState.FINISHED)


def wake(step):
    return Event(step=step, time=0.0, stage=1, kind="wake", latent=0)


def test_a_source_is_asked_until_it_has_no_more():
    want, asked = Want((), columns=0, stage=1), []
    told = [
        Batch(INFO, Cursor(events=1), stage=1, events=(wake(1),), more=True),
        Batch(INFO, Cursor(events=2), stage=1, events=(wake(2),), events_anew=True, more=True),
        Batch(INFO, Cursor(events=3), stage=1, events=(wake(3),)),
    ]

    def poll(since, wanted):
        asked.append((since, wanted))
        return told[len(asked) - 1]

    view = whole(poll, want)
    assert [each.step for each in view.events] == [2, 3]
    assert not view.loading
    assert asked == [(Cursor(), want), (Cursor(events=1), want), (Cursor(events=2), want)]
