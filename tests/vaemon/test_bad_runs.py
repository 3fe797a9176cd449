"""Run folders that are damaged, gone or left behind, seen by the real command."""

import os
import shutil
import subprocess
import sys

import pytest

from vaemon import Recorder

LEAVE = b"\x1b[?1049l"


@pytest.fixture
def run(runs, staircase, log_rows):
    """The folder of a finished run "r"."""
    with Recorder("r", latents=4, total_steps=500) as recorder:
        log_rows(recorder, staircase(500, 4))
    return runs / "r"


def segment(run):
    return next(run.glob("segment-*.h5"))


def empty(run):
    segment(run).write_bytes(b"")


def truncated(run):
    segment(run).write_bytes(segment(run).read_bytes()[:5000])


def not_hdf5(run):
    segment(run).write_bytes(b"this is no HDF5 file\n" * 500)


def later_version(run):
    import h5py

    with h5py.File(segment(run), "r+") as file:
        file.attrs["format"] = 99


def a_folder(run):
    segment(run).unlink()
    (run / "segment-0000.h5").mkdir()


def no_description(run):
    (run / "run.json").write_bytes(b"\x00{")


def no_rights(run):
    os.chmod(segment(run), 0)


DAMAGES = [empty, truncated, not_hdf5, later_version, a_folder, no_description, no_rights]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_damaged_run_is_told_in_words(run, terminal_of, fork_server, damage):
    if damage is no_rights and os.geteuid() == 0:
        pytest.skip("root may read everything")
    damage(run)
    for words in (("watch", "r"), ("replay", "r")):
        screen = terminal_of(*words)
        screen.wait_for("r")
        screen.read(1.0)
        screen.type(b"qq")
        assert screen.end() in (0, 1, 2)
        text = screen.written.decode(errors="replace")
        assert "Traceback" not in text
        if b"\x1b[?1049h" in screen.written:
            assert LEAVE in screen.written
    done = fork_server.run("watch", "r", "--once")
    assert done.returncode in (0, 1, 2)
    assert "Traceback" not in done.stderr
    assert done.stdout.strip() or done.stderr.startswith("vaemon: ")


def test_a_run_deleted_while_watched_stays_on_the_screen_and_comes_back(run, runs, terminal_of):
    screen = terminal_of("watch", "r", "--hz", "10")
    screen.wait_for("finished")
    screen.wait_for("z3")
    shutil.copytree(run, runs / "kept")
    shutil.rmtree(run)
    at = screen.wait_for("link lost", since=len(screen.written))
    assert "by wake" not in screen.written[at:].decode(errors="replace")
    (runs / "kept").rename(run)
    screen.wait_for("finished", since=at)
    screen.type(b"q")
    assert screen.end() == 0


def test_a_recorder_that_dies_in_the_middle_is_told(runs, terminal_of):
    code = """
import os, signal, numpy as np
from vaemon import Recorder
recorder = Recorder("r", latents=4)
for step in range(1, 400):
    recorder.log(step, mean_variance=np.full(4, 0.5), mse=0.1)
    if step == 300:
        recorder.flush()
os.kill(os.getpid(), signal.SIGKILL)
"""
    screen = terminal_of("watch", "r", "--hz", "10")
    screen.wait_for("waiting")
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    screen.wait_for("crashed")
    screen.wait_for("step 3")
    screen.type(b"q")
    assert screen.end() == 0
    assert LEAVE in screen.written
