import pytest

from vaemon.batch import RunState
from vaemon.errors import SourceLost, UsageError
from vaemon.headless.follow import now_of, updates
from vaemon.view.alerts import Alert


def followed(made, answers, *, guard=None, clock=None, **options):
    """The steps of each update, 0 before any row, and whether it had anything new."""
    clock = clock or made.Clock()
    source = made.Script(answers)
    told = updates(source, guard or made.Guard(), clock=clock, wait=clock.wait, **options)
    return [(update.view.latest.step if update.view.latest else 0, update.new) for update in told]


def test_each_thing_that_is_new_is_an_update_until_the_run_is_over(made):
    answers = [made.batch(step) for step in (10, 10, 10, 20)] + [made.batch(30, state=RunState.FINISHED)]
    assert followed(made, answers) == [(10, True), (20, True), (30, True)]


def test_a_run_is_waited_for(made):
    answers = [made.batch(state=RunState.WAITING)] * 3 + [made.batch(5, state=RunState.STOPPED)]
    assert followed(made, answers) == [(0, True), (5, True)]


def test_a_run_that_stalls_and_one_that_crashes_are_updates(made):
    clock = made.Clock()
    answers = [made.batch(10)] * 30 + [made.batch(10, state=RunState.CRASHED)]
    told = updates(made.Script(answers), made.Guard(), clock=clock, wait=clock.wait)
    states = [(update.view.info.state, update.now - made.NOW) for update in told]
    assert states == [(RunState.RUNNING, 0), (RunState.RUNNING, 11), (RunState.CRASHED, 30)]


def test_the_lookout_ends_it_and_the_last_update_may_have_nothing_new(made):
    answers = [made.batch(10), made.batch(20), made.batch(30)]
    assert followed(made, answers, guard=made.Guard(until=20)) == [(10, True), (20, True)]

    class Patient(made.Guard):
        looks = 0

        def see(self, view, fares):
            self.looks += 1
            self.until = 10 if self.looks == 4 else self.until
            return super().see(view, fares)

    assert followed(made, [made.batch(10)], guard=Patient()) == [(10, True), (10, False)]


def test_an_alert_is_an_update(made):
    alert = Alert("stall", "stalled 11 s", 10, 1, made.NOW, 0)
    answers = [made.batch(10), made.batch(10), made.batch(20, state=RunState.FINISHED)]

    class Late(made.Guard):
        looks = 0

        def see(self, view, fares):
            self.looks += 1
            self.alerts = {10: [alert]} if self.looks == 2 else {}
            return super().see(view, fares)

    assert followed(made, answers, guard=Late()) == [(10, True), (10, True), (20, True)]


def test_nothing_is_told_while_older_rows_are_still_being_read(made):
    clock = made.Clock()
    answers = [made.batch(10, more=True), made.batch(10, more=True), made.batch(10, state=RunState.FINISHED)]
    assert followed(made, answers, clock=clock) == [(10, True)]
    assert clock.waits == [0.0, 0.0]


def test_it_is_asked_as_often_as_wanted(made):
    clock = made.Clock()
    followed(made, [made.batch(10)] * 3 + [made.batch(20, state=RunState.FINISHED)], clock=clock, hz=4.0)
    assert clock.waits == [0.25] * 3


def test_a_source_that_is_gone_is_given_up_after_a_while(made):
    clock = made.Clock()
    source = made.Script([made.batch(10), SourceLost("no such folder")])
    told = updates(source, made.Guard(), clock=clock, wait=clock.wait)
    assert [next(told).view.lost, next(told).view.lost] == ["", "no such folder"]
    with pytest.raises(SourceLost, match="r has not answered for 5 s: no such folder"):
        next(told)
    assert clock.now - made.NOW == pytest.approx(5.0, abs=1.0)


def test_a_source_that_comes_back_goes_on(made):
    lost = SourceLost("no such folder")
    answers = [made.batch(10), *[lost] * 4, made.batch(20), *[lost] * 4, made.batch(30, state=RunState.FINISHED)]
    assert [step for step, _ in followed(made, answers)] == [10, 10, 20, 20, 30]


def test_a_lookout_that_cannot_go_on_ends_it(made):
    class Strict(made.Guard):
        def see(self, view, fares):
            raise UsageError("no such name")

    with pytest.raises(UsageError, match="no such name"):
        followed(made, [made.batch(10)], guard=Strict())


def test_the_run_as_it_is_now(made):
    source = made.Script([made.batch(10, more=True), made.batch(20), made.batch(30)])
    assert now_of(source, made.Clock()).latest.step == 20
    with pytest.raises(SourceLost, match="gone"):
        now_of(made.Script([SourceLost("gone")]), made.Clock())
