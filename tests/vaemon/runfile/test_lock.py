import errno
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import threading

import pytest

from vaemon import Recorder, open_run
from vaemon.batch import RunState
from vaemon.errors import RunExists, RunFileError, RunLocked
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


ASK = "import sys, pathlib; from vaemon.runfile import lock; lock.acquire(pathlib.Path(sys.argv[1]))"


def refused_elsewhere(folder):
    """Whether another process that wants to write the run is told of this one."""
    asked = subprocess.run([sys.executable, "-c", ASK, str(folder)], capture_output=True, text=True)
    return asked.returncode and f"process {os.getpid()} on" in asked.stderr


def test_a_reserved_run_is_taken_over_by_the_recorder_that_is_opened_next(runs):
    with Recorder("r", latents=1) as recorder:
        recorder.log(1, mean_variance=[1.0])
    with lock.reserving(runs / "r"):
        descriptor = lock._held[runs / "r"]
        assert refused_elsewhere(runs / "r")
        recorder = Recorder("r", latents=1, resume=True)
        with pytest.raises(RunLocked, match="by this process"):
            Recorder("r", latents=1, resume=True)
    assert lock._held[runs / "r"] == descriptor
    assert refused_elsewhere(runs / "r")
    recorder.close()
    assert not refused_elsewhere(runs / "r")


def test_a_reserved_run_that_nobody_records_is_let_go_of(runs, writer):
    with pytest.raises(RunLocked, match=f"process {writer.pid} on "), lock.reserving(runs / "held"):
        pass
    writer.kill()
    writer.wait()
    with lock.reserving(runs / "held"):
        assert lock.holder(runs / "held").pid == os.getpid()
    assert lock.holder(runs / "held") is None
    with Recorder("held", latents=2, resume=True):
        pass


@pytest.fixture
def no_locks(monkeypatch):
    """A file system without locks, as some network ones are."""

    def refuse(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "lockf", refuse)
    monkeypatch.setattr(fcntl, "fcntl", refuse)


def test_without_locks_a_signature_and_its_age_tell(runs, no_locks, monkeypatch):
    folder = runs / "r"
    folder.mkdir(parents=True)
    lock.acquire(folder)
    monkeypatch.setattr(lock, "_held", {})  # as another process sees it
    assert lock.holder(folder).pid == os.getpid()
    with pytest.raises(RunLocked, match=str(os.getpid())):
        lock.acquire(folder)
    monkeypatch.setattr(socket, "gethostname", lambda: "elsewhere")
    assert lock.holder(folder) is not None, "touched just now"
    os.utime(folder / lock.FILE, (1, 1))
    assert lock.holder(folder) is None, "silent for too long"
    lock.acquire(folder)
    assert lock.holder(folder).host == "elsewhere"
    lock.touch(folder)
    lock.release(folder)
    assert lock.holder(folder) is None


def test_without_locks_a_dead_process_of_this_machine_holds_nothing(runs, no_locks):
    folder = runs / "r"
    folder.mkdir(parents=True)
    gone = subprocess.Popen([sys.executable, "-c", "pass"])
    gone.wait()
    signature = {"pid": gone.pid, "host": socket.gethostname(), "since": 1.0, "trouble": ""}
    (folder / lock.FILE).write_text(json.dumps(signature))
    assert lock.holder(folder) is None
    lock.acquire(folder)
    lock.release(folder)


def test_without_locks_the_number_of_a_dead_process_may_be_anothers(runs, no_locks):
    folder = runs / "r"
    folder.mkdir(parents=True)
    signature = {"pid": os.getppid(), "host": socket.gethostname(), "since": 1.0, "trouble": ""}
    (folder / lock.FILE).write_text(json.dumps(signature))
    assert lock.holder(folder) is not None
    os.utime(folder / lock.FILE, (1, 1))
    assert lock.holder(folder) is None, "silent for too long"
    lock.acquire(folder)
    lock.release(folder)


def test_who_holds_a_run_without_recording_it_touches_the_file(runs, monkeypatch):
    touched = threading.Event()
    monkeypatch.setattr(lock, "TOUCH_EVERY", 0.001)
    monkeypatch.setattr(os, "utime", lambda descriptor: touched.set())
    (runs / "r").mkdir(parents=True)
    with lock.holding(runs / "r"):
        assert touched.wait(60)
        assert lock.holder(runs / "r").pid == os.getpid()
    assert lock.holder(runs / "r") is None


@pytest.mark.parametrize("had", [lock.holding, lock.reserving])
def test_a_process_that_can_start_no_thread_holds_nothing_afterwards(runs, monkeypatch, had):
    (runs / "r").mkdir(parents=True)
    monkeypatch.setattr(threading.Thread, "start", lambda thread: (_ for _ in ()).throw(RuntimeError("no more")))
    with pytest.raises(RuntimeError, match="no more"), had(runs / "r"):
        pass
    monkeypatch.undo()
    with lock.holding(runs / "r"):
        pass


def disk_full(descriptor, data, offset):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def disk_nearly_full(descriptor, data, offset, write=os.pwrite):
    return write(descriptor, data[:100], offset)


@pytest.mark.parametrize("write", [disk_full, disk_nearly_full])
def test_a_lock_that_cannot_be_signed_is_not_held(runs, monkeypatch, write):
    folder = runs / "r"
    folder.mkdir(parents=True)
    before = os.listdir("/dev/fd")
    with monkeypatch.context() as full:
        full.setattr(os, "pwrite", write)
        with pytest.raises(OSError, match="No space left"):
            lock.acquire(folder)
        with pytest.raises(RunFileError, match=r"writer\.lock: No space left on device"), lock.holding(folder):
            pass
        with pytest.raises(RunFileError, match="No space left on device"):
            Recorder("r", latents=1)
    assert os.listdir("/dev/fd") == before
    assert (folder / lock.FILE).stat().st_size == 0, "no half signature"
    lock.acquire(folder)
    lock.release(folder)


def test_a_writer_in_trouble_says_so_where_there_is_always_room(runs):
    with Recorder("r", latents=1) as recorder:
        recorder.log(1, mean_variance=[0.5])
        lock.tell(recorder.folder, "the disk is full" + "…" * 5000)
        with open_run("r") as run:
            assert run.info().reason.startswith("the disk is full…")
        lock.tell(recorder.folder, "")
        with open_run("r") as run:
            assert run.info().reason == ""


@pytest.mark.parametrize("had", [lock.holding, lock.reserving])
def test_without_locks_whoever_has_a_run_is_seen_to_be_alive_though_nothing_is_recorded(
    runs, no_locks, monkeypatch, had
):
    monkeypatch.setattr(lock, "TOUCH_EVERY", 0.01)
    Recorder("r", latents=1).close()
    with had(runs / "r"):
        os.utime(runs / "r" / lock.FILE, (0, 0))
        while os.stat(runs / "r" / lock.FILE).st_mtime == 0:  # whoever does not touch it is taken for dead
            pass
    assert lock.holder(runs / "r") is None
