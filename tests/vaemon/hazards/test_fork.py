"""Forked children of a training: workers that outlive it, and children that end as processes do, exit handlers and all.

HDF5's exit handler of such a child flushes and closes what the parent has open: its stale cache over the parent's file.
"""

import contextlib
import fcntl
import hashlib
import os
import signal
import sys
import threading
import time
import warnings
from pathlib import Path

import h5py
import numpy as np
import pytest

from vaemon import Recorder, open_run
from vaemon.batch import RunState
from vaemon.errors import RunLocked


def fork():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # a fork beside threads is what is tried here
        return os.fork()


def log(recorder, first, last):
    for step in range(first, last + 1):
        recorder.log(step, mean_variance=np.full(8, step), mse=float(step))


def read_run(talk, runs):
    with open_run("r", runs) as run:
        steps = run.series("step").mean
        assert (run.series("mean_variance").mean == steps[:, None]).all()
        assert (run.series("mse").mean == steps).all()
        return [steps, str(run.info().state)]


def digest(runs):
    return [hashlib.sha256(each.read_bytes()).hexdigest() for each in sorted((Path(runs) / "r").glob("segment-*.h5"))]


# A worker that outlives its trainer


def plain_trainer_with_worker(talk, path):
    file = open(path, "w")  # noqa: SIM115 - held
    fcntl.flock(file, fcntl.LOCK_EX)
    talk.say(fork_worker())
    talk.hear()


def fork_worker():
    pid = fork()
    if pid == 0:
        time.sleep(600)
        os._exit(0)
    return pid


def take_flock(talk, path):
    with open(path) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return "held"
        return "free"


def trainer_with_worker(talk, runs):
    recorder = Recorder("r", runs=runs)
    log(recorder, 1, 100)
    recorder.flush()
    talk.say(fork_worker())
    talk.hear()


def resume(talk, runs, first=101):
    with Recorder("r", runs=runs, resume=True) as recorder:
        log(recorder, first, first + 99)


def test_plain_a_worker_that_outlives_the_trainer_holds_its_flock(forks, tmp_path):
    trainer = forks.start(plain_trainer_with_worker, path=tmp_path / "lock")
    worker = trainer.hear()
    try:
        trainer.end()
        assert forks.call(take_flock, path=tmp_path / "lock") == "held"
    finally:
        os.kill(worker, signal.SIGKILL)


def test_a_run_is_resumed_at_once_though_a_worker_outlives_the_trainer(forks, runs):
    trainer = forks.start(trainer_with_worker, runs=runs)
    worker = trainer.hear()
    try:
        trainer.end()
        forks.call(resume, runs=runs)
        os.kill(worker, 0)
    finally:
        os.kill(worker, signal.SIGKILL)
    assert forks.call(read_run, runs=runs) == [list(range(1, 201)), RunState.FINISHED]


def trainer_whose_worker_goes_on(talk, runs):
    recorder = Recorder("r", runs=runs)
    log(recorder, 1, 100)
    recorder.flush()
    trainer = os.getpid()
    pid = fork()
    if pid == 0:
        while os.getppid() == trainer:
            time.sleep(0.01)
        with open_run("r", runs) as run:
            talk.say(str(run.info().state))
        resume(talk, runs)
        talk.say("resumed")
        os._exit(0)
    talk.say(pid)
    talk.hear()


def test_a_worker_that_outlives_the_trainer_sees_that_it_is_gone_and_may_go_on_itself(forks, runs):
    trainer = forks.start(trainer_whose_worker_goes_on, runs=runs)
    worker = trainer.hear()
    try:
        trainer.kill()
        assert trainer.hear() == RunState.CRASHED
        assert trainer.hear() == "resumed"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)


# A child that ends


def parent_of(talk, runs, ends):
    recorder = Recorder("r", runs=runs)
    log(recorder, 1, 100)
    recorder.flush()
    talk.say(digest(runs))
    pid = fork()
    if pid == 0:
        log(recorder, 101, 110)
        recorder.event("note", "from the child")
        recorder.flush()
        recorder.close()
        os._exit(0) if ends == "os._exit" else sys.exit(0)
    talk.say([os.waitpid(pid, 0)[1], digest(runs)])
    talk.hear()
    log(recorder, 101, 200)
    recorder.close()


def record_anew(talk, runs):
    try:
        Recorder("r", runs=runs, resume=True)
    except RunLocked as error:
        return str(error)


@pytest.mark.parametrize("ends", ["os._exit", "sys.exit"])
def test_the_end_of_a_child_changes_no_byte_of_the_file(forks, runs, ends):
    parent = forks.start(parent_of, runs=runs, ends=ends)
    before = parent.hear()
    assert parent.hear() == [0, before]


@pytest.mark.parametrize("ends", ["os._exit", "sys.exit"])
def test_the_end_of_a_child_frees_no_lock_and_the_parent_goes_on(forks, runs, ends):
    parent = forks.start(parent_of, runs=runs, ends=ends)
    parent.hear()
    assert parent.hear()[0] == 0
    assert f"process {parent.pid} on " in forks.call(record_anew, runs=runs)
    parent.say("go on")
    assert parent.hear() is None
    assert forks.call(read_run, runs=runs) == [list(range(1, 201)), RunState.FINISHED]


# A child forked between the write of some rows and their flush


def plain_parent(talk, path):
    file = h5py.File(path, "x", libver=("v110", "v110"))
    rows = file.create_dataset("rows", (10,), "i8", maxshape=(None,), chunks=(64,))
    file.swmr_mode = True
    rows[:] = 1
    pid = fork()
    if pid == 0:
        talk.hear()
        sys.exit(0)
    rows.resize((20,))
    rows[10:] = 2
    file.flush()
    talk.say("written")
    os.waitpid(pid, 0)
    talk.say("the child is gone")
    talk.hear()


def plain_rows(talk, path):
    with h5py.File(path, "r", swmr=True, locking=False) as file:
        return file["rows"][:]


def test_plain_the_stale_cache_of_a_child_overwrites_rows_of_its_parent(forks, tmp_path):
    parent = forks.start(plain_parent, path=tmp_path / "plain.h5")
    assert parent.hear() == "written"
    assert forks.call(plain_rows, path=tmp_path / "plain.h5") == [1] * 10 + [2] * 10
    parent.say("end, child")
    assert parent.hear() == "the child is gone"
    assert forks.call(plain_rows, path=tmp_path / "plain.h5") != [1] * 10 + [2] * 10


class HeldFlush:
    """Holds the next flush of an HDF5 file, once that is wanted, until it may go on."""

    def __init__(self):
        self.wanted, self.reached, self.may_go_on = threading.Event(), threading.Event(), threading.Event()
        self.inside = False
        file_flush, low_flush = h5py.File.flush, h5py.h5f.flush

        def flush_file(file):
            self.hold()
            self.inside = True
            file_flush(file)
            self.inside = False

        def flush_low(*arguments, **named):
            if not self.inside:
                self.hold()
            low_flush(*arguments, **named)

        h5py.File.flush, h5py.h5f.flush = flush_file, flush_low

    def hold(self):
        if self.wanted.is_set():
            self.wanted.clear()
            self.reached.set()
            self.may_go_on.wait(60)


def parent_in_a_flush(talk, runs):
    recorder = Recorder("r", runs=runs)
    log(recorder, 1, 100)
    recorder.flush()
    between = HeldFlush()
    between.wanted.set()
    log(recorder, 101, 150)
    assert between.reached.wait(60)
    pid = fork()
    if pid == 0:
        talk.hear()
        sys.exit(0)
    between.may_go_on.set()
    recorder.flush()
    log(recorder, 151, 200)
    recorder.flush()
    talk.say("flushed")
    os.waitpid(pid, 0)
    talk.say("the child is gone")
    talk.hear()


def test_a_child_forked_during_a_flush_overwrites_no_rows_when_it_ends(forks, runs):
    parent = forks.start(parent_in_a_flush, runs=runs)
    assert parent.hear() == "flushed"
    assert forks.call(read_run, runs=runs)[0] == list(range(1, 201))
    parent.say("end, child")
    assert parent.hear() == "the child is gone"
    parent.end()
    assert forks.call(read_run, runs=runs)[0] == list(range(1, 201))
