"""A training as a child process with the dashboard in front: the two commands that do it, really run."""

import os
import signal
import subprocess
import sys

import pytest
from PIL import Image

from vaemon import open_run
from vaemon.batch import RunState

TINY = ["--set", "data.limit=400", "--set", "stage1.epochs=3", "--set", "stage2.epochs=1"]


@pytest.fixture
def environment(runs):
    return {**os.environ, "OMP_NUM_THREADS": "1"}


def test_without_a_terminal_watch_prints_plain_progress(runs, environment, tmp_path):
    words = [sys.executable, "-m", "vaemon", "train", "shapes", "--run", "r", "--watch", *TINY]
    done = subprocess.run(
        words, capture_output=True, text=True, stdin=subprocess.DEVNULL, env=environment, cwd=tmp_path, timeout=100
    )
    assert done.returncode == 0, done.stderr
    assert "stage 2" in done.stdout
    assert "\x1b" not in done.stdout
    with open_run("r") as run:
        assert run.info().state is RunState.FINISHED
        assert [stage.number for stage in run.stages] == [1, 2]


def test_how_far_the_pictures_are_decoded_is_seen_before_the_dashboard(runs, terminal_of, tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "pictures").mkdir()
    for i in range(2000):
        Image.new("RGB", (16, 16), (i % 256, 0, 0)).save(tmp_path / "pictures" / f"{i:04}.png")
    settings = (
        "--set",
        "data.name=folder",
        "--set",
        "data.size=16",
        "--set",
        "data.limit=400",
        "--set",
        "stage1.epochs=100000",
    )
    screen = terminal_of("train", "shapes", "--data", str(tmp_path / "pictures"), "--run", "r", "--watch", *settings)
    screen.wait_for("/2000")
    screen.wait_for("running")
    screen.type(b"\x03")
    screen.wait_for("Training goes on")
    os.killpg(screen.process.pid, signal.SIGINT)
    assert screen.end() == 130


@pytest.mark.parametrize("keys", [b"q", b""], ids=["the dashboard closed first", "the dashboard open"])
def test_ctrl_c_stops_the_training_cleanly_and_it_goes_on_later(
    runs, environment, terminal_of, torch_fork_server, keys
):
    endless = ["--set", "data.limit=400", "--set", "stage1.epochs=100000"]
    command = (sys.executable, "-m", "vaemon")
    screen = terminal_of("train", "shapes", "--run", "r", "--watch", *endless, command=command)
    screen.wait_for("running")
    if keys:
        screen.type(keys)
        screen.wait_for("Training goes on")
        os.killpg(screen.process.pid, signal.SIGINT)
    else:
        screen.type(b"\x03")
        screen.wait_for("Training goes on")
        os.killpg(screen.process.pid, signal.SIGINT)
    screen.wait_for("Stopped; everything up to here is recorded")
    assert screen.end() == 130
    with open_run("r") as run:
        assert run.info().state is RunState.STOPPED
        reached = len(run.series("step").mean)
    more = ["--set", f"stage1.max_steps={reached + 20}", "--set", "stage2.enabled=false"]
    done = torch_fork_server.run("train", "shapes", "--run", "r", "--resume", "--quiet", *more, environment=environment)
    assert done.returncode == 0, done.stderr
    with open_run("r") as run:
        assert run.info().state is RunState.FINISHED
        assert run.series("step").mean.tolist() == list(range(1, reached + 21))
