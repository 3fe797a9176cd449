"""The thread that reads: what it asks, what it posts, how it bears a source that does not answer."""

import threading

import pytest

from vaemon.batch import Batch, Cursor, RunInfo, RunState, StageInfo
from vaemon.errors import RunFileError, SourceLost
from vaemon.view.state import RunView
from vaemon.watch.asked import Asked
from vaemon.watch.poller import LONGEST_WAIT, WAIT_WHEN_OVER, Poller, differs


class Script:
    """A source that answers what it is told to, then ends the poller."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []
        self.done = threading.Event()

    def excerpt(self, asked):
        raise AssertionError("nothing was to be seen closely")

    def poll(self, since, want):
        self.asked.append((since, want))
        answer = self.answers.pop(0)
        if not self.answers:
            self.done.set()
        if isinstance(answer, Exception):
            raise answer
        return answer


def batch(rows=0, state=RunState.RUNNING, more=False, reason=""):
    return Batch(RunInfo("run42", "runs/run42", state, reason), Cursor(1, 1, rows), stage=1, rows=rows, more=more)


def run(*answers, hz=1e6):
    source, posted = Script(*answers), []
    poller = Poller(source, posted.append, hz=hz, clock=lambda: 100.0)
    poller.run(source.done)
    return source, posted


def test_each_answer_is_asked_for_from_where_the_last_one_ended():
    source, posted = run(batch(3), batch(5), batch(9))
    assert [since.rows for since, _ in source.asked] == [0, 3, 5]
    assert [view.rows for view in posted] == [3, 5, 9]
    assert {"mean_variance", "latent_kl", "gamma", "mse", "kl", "variance_law"} <= set(source.asked[0][1].channels)


def test_let_go_it_asks_no_more_and_closes_the_source_in_its_own_thread():
    class Endless(Script):
        def poll(self, since, want):
            self.done.set()
            return batch(3)

        def close(self):
            self.closed_by = threading.current_thread()

    source = Endless()
    poller = Poller(source, lambda view: None, hz=0.01, clock=lambda: 100.0)
    thread = threading.Thread(target=poller.run, args=(threading.Event(),))
    thread.start()
    source.done.wait()
    poller.let_go()
    thread.join()
    assert (source.closed_by, poller.is_over) == (thread, True)
    with pytest.raises(SourceLost):
        poller.errand(lambda source: source).result()


def test_what_is_not_new_is_not_posted():
    _, posted = run(batch(3), batch(3), batch(3), batch(3, RunState.FINISHED))
    assert [(view.rows, view.info.state) for view in posted] == [(3, RunState.RUNNING), (3, RunState.FINISHED)]


@pytest.mark.parametrize(
    "error", [SourceLost("no route to host"), RunFileError("torn"), ConnectionResetError("reset"), RuntimeError("h5py")]
)
def test_a_source_that_does_not_answer_leaves_the_last_good_state(error):
    _, posted = run(batch(3), error, batch(5))
    assert [(view.rows, view.lost) for view in posted] == [(3, ""), (3, str(error)), (5, "")]


def test_beside_an_older_stage_the_newest_is_asked_for_and_both_are_lost_together():
    def of(number, rows):
        stages = (StageInfo(1, 2), StageInfo(2, 2))
        info = RunInfo("run42", "runs/run42", RunState.RUNNING, stages=stages)
        return Batch(info, Cursor(number, 1, rows), stage=number, rows=rows)

    source, posted = Script(of(1, 9), of(2, 3), of(1, 9), of(2, 3), of(1, 9), of(2, 4), SourceLost("gone")), []
    poller = Poller(source, posted.append, hz=1e6, clock=lambda: 100.0)
    poller.ask_for(Asked(stage=1))
    poller.run(source.done)
    assert [want.stage for _, want in source.asked] == [1, None] * 3 + [1]
    assert [since.rows for since, _ in source.asked] == [0, 0, 9, 3, 9, 3, 9]
    assert [(view.stage, view.ahead.stage, view.ahead.rows) for view in posted] == [(1, 2, 3), (1, 2, 4), (1, 2, 4)]
    assert (posted[-1].lost, posted[-1].ahead.lost) == ("gone", "gone")


def test_an_error_without_words_is_named():
    _, posted = run(OSError())
    assert posted[0].lost == "OSError"


def test_a_fault_of_our_own_is_not_hidden():
    with pytest.raises(ZeroDivisionError):
        run(ZeroDivisionError("a bug"))


def test_it_waits_longer_and_longer_for_a_lost_source():
    poller = Poller(Script(), lambda view: None, hz=2.0, clock=lambda: 0.0)
    lost = RunView(lost="gone")
    waits = [poller.pace(lost, failures) for failures in range(1, 9)]
    assert waits[:3] == [1.0, 2.0, 4.0]
    assert waits[-1] == LONGEST_WAIT
    assert poller.pace(lost, 10_000) == LONGEST_WAIT


def test_it_asks_at_once_while_older_rows_are_read_and_seldom_when_the_run_is_over():
    poller = Poller(Script(), lambda view: None, hz=2.0, clock=lambda: 0.0)
    info = batch().info
    over = batch(state=RunState.FINISHED).info
    assert poller.pace(RunView(info=info, loading=True), 0) == 0.0
    assert poller.pace(RunView(info=info), 0) == 0.5
    assert poller.pace(RunView(info=over), 0) == WAIT_WHEN_OVER


def test_another_stage_is_asked_for_from_its_start():
    source = Script(batch(3), batch(3), batch(3))
    poller = Poller(source, lambda view: poller.ask_for(Asked(1)), hz=1e6, clock=lambda: 0.0)
    poller.run(source.done)
    assert [(since.rows, want.stage) for since, want in source.asked] == [(0, None), (0, 1), (3, 1)]


def test_cancelling_ends_a_long_wait():
    source = Script(SourceLost("gone"), *[SourceLost("gone")] * 50)
    cancelled = threading.Event()
    poller = Poller(source, lambda view: cancelled.set(), hz=0.001, clock=lambda: 0.0)
    poller.run(cancelled)
    assert len(source.asked) == 1


def test_differs():
    info = batch().info
    assert not differs(RunView(info=info, rows=3), RunView(info=info, rows=3))
    assert differs(RunView(info=info, rows=3), RunView(info=info, rows=4))
    assert differs(RunView(), RunView(info=info))
    assert differs(RunView(), RunView(lost="gone"))


def test_who_asks_for_something_at_the_end_is_not_left_waiting():
    source = Script(batch(3))
    poller = Poller(source, lambda view: None, hz=1e6, clock=lambda: 100.0)
    early = [poller.errand(lambda source: "answer") for _ in range(3)]
    poller.run(source.done)
    assert early[0].result(0) == "answer"
    for late in (*early[1:], poller.errand(lambda source: "answer")):
        with pytest.raises(SourceLost, match="no longer asked"):
            late.result(0)
