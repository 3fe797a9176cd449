"""Disks that are full, files and folders that may not be written, for a while or for good."""

import contextlib
import io
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from vaemon import Recorder, open_run
from vaemon.batch import RunState
from vaemon.cli import main
from vaemon.errors import VaemonError

ROOT = os.geteuid() == 0
NOBODY = 65534
UNLIMITED = resource.RLIM_INFINITY


def log(recorder, first, last, latents=64):
    for step in range(first, last + 1):
        recorder.log(step, mean_variance=np.full(latents, step), mse=float(step))


def recorder_on_call(talk, runs, user=None, latents=64, spacious=False):
    """A recorder that does what it is told: [kind, ...]. The last word is its exit code."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    if user is not None:
        become(user)
    if spacious:
        os.statvfs = lambda path: os.statvfs_result((4096, 4096, 10**9, 10**9, 10**9, 10**9, 10**9, 10**9, 0, 255))
    recorder, last = None, 0
    while True:
        kind, *rest = talk.hear()
        try:
            if kind == "begin":
                recorder = Recorder("r", runs=runs, resume=bool(rest))
            elif kind == "log":
                log(recorder, last + 1, last + rest[0], latents)
                last += rest[0]
                recorder.flush()
            elif kind == "late":
                recorder.log(last + 1, mean_variance=np.full(latents, last + 1), mse=last + 1.0, late=np.ones(latents))
                last += 1
                recorder.flush()
            elif kind == "close":
                recorder.close()
            else:
                return
            talk.say([kind, last])
        except VaemonError as error:
            talk.say(str(error))


def become(user):
    """Act as another user, to whom this Python may be closed: so all that is imported late is imported first."""
    with tempfile.TemporaryDirectory() as folder:
        with Recorder("r", runs=folder) as recorder:
            log(recorder, 1, 2)
        with open_run("r", folder) as run:
            run.series("mse")
    os.setgid(user)
    os.setuid(user)


def told(child, *command):
    child.say(command)
    return child.hear()


def ends_well(child):
    child.say(["end"])
    assert child.hear() is None
    assert child.wait() == 0


def read_run(talk, runs, user=None):
    if user is not None:
        become(user)
    with open_run("r", runs) as run:
        steps = run.series("step").mean
        assert (run.series("mean_variance").mean == steps[:, None]).all()
        assert (run.series("mse").mean == steps).all()
        return {
            "steps": steps,
            "segments": len(run.segments),
            "state": str(run.info().state),
            "events": [[event.kind, event.text] for event in run.events()],
        }


def upto(last):
    return list(range(1, last + 1))


# A limit to the size of files, set and lifted from outside


def limit_files(pid, size):
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, UNLIMITED))


def test_when_space_returns_rows_go_on_in_a_new_segment_and_none_is_lost(forks, runs):
    child = forks.start(recorder_on_call, runs=runs)
    told(child, "begin")
    told(child, "log", 300)
    for round_ in range(3):
        there = 300 * (2 * round_ + 1)
        limit_files(child.pid, 0)
        told(child, "log", 300)
        full = forks.call(read_run, runs=runs)
        assert full["steps"] == upto(there)
        limit_files(child.pid, UNLIMITED)
        told(child, "log", 300)
        free = forks.call(read_run, runs=runs)
        assert free["steps"] == upto(there + 600)
        assert free["segments"] > full["segments"]
    told(child, "close")
    ends_well(child)
    after = forks.call(read_run, runs=runs)
    assert after["state"] == RunState.FINISHED
    assert [text for kind, text in after["events"] if kind == "error"]


def test_what_does_not_fit_in_memory_until_space_returns_is_dropped_and_counted(forks, runs):
    child = forks.start(recorder_on_call, runs=runs, latents=8192)
    told(child, "begin")
    told(child, "log", 10)
    limit_files(child.pid, 0)
    told(child, "log", 2500)
    limit_files(child.pid, UNLIMITED)
    told(child, "log", 10)
    told(child, "log", 10)
    told(child, "close")
    ends_well(child)
    after = forks.call(read_run, runs=runs)
    missing = sorted({*upto(2530)} - {*after["steps"]})
    assert after["steps"] == sorted({*upto(2530)} - {*missing})
    assert min(missing) > 1000
    assert max(missing) <= 2520
    said = [re.findall(r"\d[\d,]*", text) for kind, text in after["events"] if kind == "drop"]
    numbers = [[int(each.replace(",", "")) for each in found] for found in said]
    assert sum(found[0] for found in numbers) == len(missing)
    assert min(found[1] for found in numbers) == missing[0]
    assert max(found[2] for found in numbers) == missing[-1]


# A small disk


@pytest.fixture
def small_disk(tmp_path):
    """mount(options) -> a tmpfs of its own."""
    mounted = []

    def mount(options):
        if not ROOT:
            pytest.skip("mounting a tmpfs needs root")
        folder = tmp_path / f"disk{len(mounted)}"
        folder.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"a tmpfs cannot be mounted: {done.stderr.strip()}")
        mounted.append(folder)
        return folder

    yield mount
    for each in mounted:
        subprocess.run(["umount", "-l", each], check=True)


def fill(path, mebibytes):
    path.write_bytes(b"\1" * (mebibytes << 20))


def test_on_a_disk_that_is_nearly_full_a_recorder_says_so_at_its_first_row(forks, small_disk):
    disk = small_disk("size=80m")
    fill(disk / "filler", 30)
    child = forks.start(recorder_on_call, runs=disk / "runs")
    told(child, "begin")
    said = told(child, "log", 1)
    assert str(disk / "runs" / "r") in said
    assert "free" in said
    ends_well(child)


def test_a_disk_that_is_nearly_full_for_a_while_holds_rows_up_and_loses_none(forks, small_disk):
    disk = small_disk("size=80m")
    child = forks.start(recorder_on_call, runs=disk / "runs")
    told(child, "begin")
    told(child, "log", 300)
    fill(disk / "filler", 30)
    told(child, "log", 300)
    assert forks.call(read_run, runs=disk / "runs")["steps"] == upto(300)
    (disk / "filler").unlink()
    told(child, "log", 300)
    after = forks.call(read_run, runs=disk / "runs")
    assert after["steps"] == upto(900)
    assert [text for kind, text in after["events"] if kind == "error"]
    told(child, "close")
    ends_well(child)


def test_a_disk_that_is_full_to_the_last_byte_takes_no_row_that_was_there(forks, small_disk):
    """Somebody else's file fills it between the look at the free space and the write."""
    disk = small_disk("size=2m")
    child = forks.start(recorder_on_call, runs=disk / "runs", spacious=True)
    told(child, "begin")
    told(child, "log", 300)
    with contextlib.suppress(OSError):
        fill(disk / "filler", 3)
    for _ in range(3):
        told(child, "log", 1000)
        there = forks.call(read_run, runs=disk / "runs")["steps"]
        assert 300 <= len(there) < 3300
        assert there == upto(len(there))
    (disk / "filler").unlink()
    told(child, "log", 10)
    told(child, "close")
    ends_well(child)
    assert forks.call(read_run, runs=disk / "runs")["steps"] == upto(3310)


def test_where_no_further_file_can_be_made_rows_wait_for_their_segment(forks, small_disk):
    disk = small_disk("size=200m,nr_inodes=40")
    child = forks.start(recorder_on_call, runs=disk / "runs")
    told(child, "begin")
    told(child, "log", 300)
    fillers = fill_inodes(disk)
    told(child, "late")
    told(child, "log", 300)
    assert forks.call(read_run, runs=disk / "runs")["steps"] == upto(300)
    for each in fillers:
        each.unlink()
    told(child, "log", 300)
    assert forks.call(read_run, runs=disk / "runs")["steps"] == upto(901)
    told(child, "close")
    ends_well(child)


def fill_inodes(disk):
    made = []
    with contextlib.suppress(OSError):
        while True:
            each = disk / f"filler{len(made)}"
            each.touch()
            made.append(each)
    return made


# Somebody else's files


@pytest.fixture
def public():
    """A folder that any user may reach."""
    if not ROOT:
        pytest.skip("acting as another user needs root")
    folder = Path(tempfile.mkdtemp(prefix="vaemon-test-"))
    folder.chmod(0o755)
    yield folder
    for each in folder.rglob("*"):
        each.is_dir() and each.chmod(0o755)
    shutil.rmtree(folder)


def test_a_folder_that_may_not_be_written_is_told_at_once(forks, public):
    child = forks.start(recorder_on_call, runs=public / "runs", user=NOBODY)
    said = told(child, "begin")
    assert str(public / "runs" / "r") in said
    assert "Permission denied" in said
    ends_well(child)


def test_somebody_elses_run_can_be_watched_but_not_resumed(forks, public):
    live = forks.start(recorder_on_call, runs=public / "runs")
    told(live, "begin")
    told(live, "log", 100)
    seen = forks.call(read_run, runs=public / "runs", user=NOBODY)
    assert (seen["steps"], seen["state"]) == (upto(100), RunState.RUNNING)
    live.end()
    assert forks.call(read_run, runs=public / "runs", user=NOBODY)["state"] == RunState.CRASHED
    child = forks.start(recorder_on_call, runs=public / "runs", user=NOBODY)
    said = told(child, "begin", "resume")
    assert str(public / "runs" / "r") in said
    assert "Permission denied" in said
    ends_well(child)


def run_command(talk, words, user):
    """`vaemon WORDS`, as another user: exit code and all that it says."""
    become(user)
    said = io.StringIO()
    sys.argv = ["vaemon", *words]
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            main()
        except SystemExit as left:
            return [left.code, said.getvalue()]


@pytest.mark.parametrize("command", [["check", "--repair"], ["compact"]])
def test_somebody_elses_run_is_neither_mended_nor_compacted(forks, public, command):
    with Recorder("r", runs=public / "runs") as recorder:
        log(recorder, 1, 10)
    before = {each.name: each.read_bytes() for each in (public / "runs" / "r").iterdir()}
    words = [*command, "r", "--runs", str(public / "runs")]
    code, said = forks.call(run_command, words=words, user=NOBODY)
    assert code == 1
    assert f"cannot write {public / 'runs' / 'r' / 'writer.lock'}: Permission denied" in said
    assert "ask whom the run belongs to" in said
    assert {each.name: each.read_bytes() for each in (public / "runs" / "r").iterdir()} == before


@pytest.mark.parametrize("closed", ["runs/r", "runs"])
@pytest.mark.parametrize("command", [["check"], ["check", "--repair"]])
def test_a_run_that_may_not_be_looked_into_is_told_in_words(forks, public, command, closed):
    with Recorder("r", runs=public / "runs") as recorder:
        log(recorder, 1, 10)
    (public / closed).chmod(0o700)
    code, said = forks.call(run_command, words=[*command, "r", "--runs", str(public / "runs")], user=NOBODY)
    assert code == 1
    assert f"cannot look into {public / 'runs' / 'r'}: Permission denied" in said


def test_a_folder_that_is_closed_while_it_is_recorded_holds_rows_up_and_loses_none(forks, public):
    public.chmod(0o777)
    child = forks.start(recorder_on_call, runs=public / "runs", user=NOBODY)
    told(child, "begin")
    told(child, "log", 100)
    folder = public / "runs" / "r"
    folder.chmod(0)
    told(child, "log", 100)
    told(child, "late")
    told(child, "log", 100)
    folder.chmod(0o755)
    held = forks.call(read_run, runs=public / "runs")["steps"]
    assert len(held) in (100, 200)
    told(child, "log", 100)
    told(child, "close")
    ends_well(child)
    after = forks.call(read_run, runs=public / "runs")
    assert after["steps"] == upto(401)
    assert after["state"] == RunState.FINISHED
    assert [text for kind, text in after["events"] if kind == "error"]


def test_a_folder_that_stays_closed_ends_no_process(forks, public):
    public.chmod(0o777)
    child = forks.start(recorder_on_call, runs=public / "runs", user=NOBODY)
    told(child, "begin")
    told(child, "log", 100)
    (public / "runs" / "r").chmod(0)
    told(child, "log", 100)
    told(child, "close")
    ends_well(child)
    (public / "runs" / "r").chmod(0o755)
    assert len(forks.call(read_run, runs=public / "runs")["steps"]) in (100, 200)
