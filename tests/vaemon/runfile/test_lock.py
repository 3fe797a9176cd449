import os
import signal
import subprocess
import sys

import pytest

from vaemon import Recorder, open_run
from vaemon.batch import RunState
from vaemon.errors import RunExists, RunLocked
from vaemon.runfile import lock

WRITER = """
import sys
from vaemon import Recorder
recorder = Recorder("held", latents=2)
recorder.log(1, mean_variance=[1.0, 1.0])
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def writer(runs):
    """A live process that records the run "held"."""
    child = subprocess.Popen([sys.executable, "-c", WRITER], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout.readline() == b"ready\n"
    yield child
    child.kill()
    child.wait()
    child.stdin.close()
    child.stdout.close()


def test_a_second_writer_is_told_who_has_the_run(runs, writer):
    for resume in (False, True):
        with pytest.raises(RunLocked, match=f"process {writer.pid} on "):
            Recorder("held", latents=2, resume=resume)


def test_a_reader_learns_of_a_live_writer_and_of_its_death(runs, writer):
    with open_run("held") as run:
        assert lock.holder(runs / "held").pid == writer.pid
        assert run.info().state is RunState.RUNNING
        os.kill(writer.pid, signal.SIGKILL)
        writer.wait()
        assert lock.holder(runs / "held") is None
        run.refresh()
        assert run.info().state is RunState.CRASHED


def test_the_lock_of_a_dead_writer_is_free(runs, writer):
    writer.kill()
    writer.wait()
    with Recorder("held", latents=2, resume=True) as recorder:
        recorder.log(2, mean_variance=[1.0, 1.0])
    with open_run("held") as run:
        assert run.series("step").mean.tolist() == [1, 2]


def test_reading_in_the_writers_process_does_not_free_its_lock(runs):
    with Recorder("mine", latents=1) as recorder:
        recorder.log(1, mean_variance=[1.0])
        with open_run("mine") as run:
            assert run.info().state is RunState.RUNNING
        question = "import sys, pathlib; from vaemon.runfile import lock; print(lock.holder(pathlib.Path(sys.argv[1])))"
        told = subprocess.run(
            [sys.executable, "-c", question, str(runs / "mine")], capture_output=True, text=True, check=True
        )
        assert f"pid={os.getpid()}" in told.stdout
    assert lock.holder(runs / "mine") is None


def test_a_name_already_taken_is_refused_without_resume(runs):
    with Recorder("once", latents=1) as recorder:
        recorder.log(1, mean_variance=[1.0])
    with pytest.raises(RunExists, match="resume"):
        Recorder("once", latents=1)
