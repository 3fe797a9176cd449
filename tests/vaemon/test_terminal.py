"""The dashboard in a real terminal: a pty, a process of its own, its very bytes."""

import os
import re
import signal
import subprocess
import sys

import numpy as np
import pytest

from vaemon import Recorder

ENTER, LEAVE = b"\x1b[?1049h", b"\x1b[?1049l"
MOUSE_OFF = b"\x1b[?1003l"


@pytest.fixture
def terminal(runs, staircase, log_rows, terminal_of):
    """open(*words) -> a Terminal that runs `vaemon WORDS`; there is a finished run "r"."""
    with Recorder("r", latents=4, total_steps=500) as recorder:
        log_rows(recorder, staircase(500, 4))
    return terminal_of


def test_the_dashboard_opens_is_resized_and_quits_leaving_the_terminal_clean(terminal):
    screen = terminal("watch", "r", command=(sys.executable, "-m", "vaemon"))
    at = screen.wait_for("finished")
    screen.wait_for("z3")
    for size in ((10, 40), (60, 200)):
        screen.resize(size)
        os.killpg(screen.process.pid, signal.SIGWINCH)
        screen.wait_for("finished", since=at)
        at = len(screen.written)
    screen.type(b"q")
    assert screen.end() == 0
    assert screen.written.count(ENTER) == 1
    assert screen.written.rindex(LEAVE) > screen.written.rindex(ENTER)
    assert MOUSE_OFF in screen.written


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_the_terminal_clean(terminal, number):
    screen = terminal("watch", "r")
    screen.wait_for("finished")
    screen.process.send_signal(number)
    screen.end()
    assert screen.written.rindex(LEAVE) > screen.written.rindex(ENTER)
    assert MOUSE_OFF in screen.written


def test_a_run_seen_beginning_in_the_terminal(terminal, runs, staircase, log_rows):
    screen = terminal("watch", "tomorrow", "--hz", "10")
    screen.wait_for("waiting")
    with Recorder("tomorrow", latents=4) as recorder:
        log_rows(recorder, staircase(300, 4))
        recorder.flush()
        screen.wait_for("running")
        screen.wait_for("z1 woke")
    screen.wait_for("finished")
    screen.type(b"q")
    assert screen.end() == 0


def test_until_finished_leaves_by_itself(terminal):
    screen = terminal("watch", "r", "--until", "finished")
    assert screen.end() == 0
    assert LEAVE in screen.written


def test_a_terminal_that_cannot_draw_gets_text(terminal, monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    done = subprocess.run(
        [sys.executable, "-m", "vaemon", "watch", "r"], capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 0
    assert "\x1b" not in done.stdout
    assert "4 active" in done.stdout


def test_a_condition_closes_the_screen_with_its_code(terminal, monkeypatch):
    monkeypatch.delenv("TMUX", raising=False)
    screen = terminal("watch", "r", "--until", "active>=4", "--alert", "finished", "--bell", "--notify")
    assert screen.end() == 0
    assert b"\x1b]9;vaemon r: finished\x07" in screen.written
    assert LEAVE in screen.written
    assert terminal("watch", "r", "--until", "active>=5").end() == 4
    assert terminal("watch", "r", "--alert", "finished", "--exit-on-alert").end() == 4


def test_who_quits_before_the_condition_is_met_gets_its_code(terminal, runs):
    with Recorder("endless", latents=1) as recorder:
        recorder.log(1, mean_variance=[1.0])
        recorder.flush()
        screen = terminal("watch", "endless", "--until", "step>=2")
        screen.wait_for("running")
        screen.type(b"q")
        assert screen.end() == 4


def test_a_name_that_there_is_not_leaves_the_terminal_clean(terminal):
    screen = terminal("watch", "r", "--until", "mze<1")
    assert screen.end() == 2
    assert screen.written.rindex(b"did you mean 'mse'") > screen.written.rindex(LEAVE)


def test_two_runs_compared_listed_and_opened_in_the_terminal(terminal, staircase, log_rows):
    with Recorder("s", latents=2, total_steps=300) as recorder:
        log_rows(recorder, staircase(300, 2))
    screen = terminal("watch", "r", "s")
    screen.wait_for("2 runs")
    screen.wait_for("500/500")
    screen.wait_for("300/300")
    at = len(screen.written)
    screen.type(b"9")
    screen.wait_for("newest row", since=at)
    screen.type(b"j\r")
    screen.wait_for("by wake", since=at)
    screen.type(b"q")
    assert screen.end() == 0
    assert screen.written.rindex(LEAVE) > screen.written.rindex(ENTER)


def test_a_terminal_that_goes_away_without_a_word_is_noticed(terminal):
    screen = terminal("watch", "r")
    screen.wait_for("finished")
    os.close(screen.main)
    screen.main = os.open(os.devnull, os.O_RDONLY)
    assert screen.process.wait(timeout=60) == 129


def test_a_terminal_that_does_not_tell_its_size_is_drawn_on(terminal):
    screen = terminal("watch", "r", size=(0, 0))
    screen.wait_for("finished")
    screen.type(b"q")
    assert screen.end() == 0


def test_pictures_are_sent_where_that_is_wished_and_taken_back_before_the_terminal_is_left(terminal_of, runs):
    with Recorder("p", latents=1) as recorder:
        recorder.log(1, mean_variance=[1.0])
        recorder.images("inputs", np.full((4, 8, 8), 255, np.uint8))
    screen = terminal_of("watch", "p", "--pictures", "kitty")
    screen.wait_for("finished")
    assert b"\x1b_G" not in screen.written
    screen.type(b"6")
    screen.wait_for("\U0010eeee")
    screen.type(b"q")
    assert screen.end() == 0
    (number,) = re.findall(rb"\x1b_Ga=T,U=1,f=100,t=d,i=(\d+),", screen.written)
    assert screen.written.rindex(b"\x1b_Ga=d,d=I,i=" + number) < screen.written.rindex(LEAVE)


def test_a_terminal_of_which_nothing_is_known_is_neither_asked_for_pictures_nor_sent_any(
    terminal_of, runs, monkeypatch
):
    for name in ("TMUX", "TERM_PROGRAM", "KITTY_WINDOW_ID"):
        monkeypatch.delenv(name, raising=False)
    with Recorder("p", latents=1) as recorder:
        recorder.log(1, mean_variance=[1.0])
        recorder.images("inputs", np.full((4, 8, 8), 255, np.uint8))
    screen = terminal_of("watch", "p")
    screen.wait_for("finished")
    screen.type(b"6")
    screen.wait_for("inputs")
    screen.type(b"q")
    assert screen.end() == 0
    assert b"\x1b_" not in screen.written
    assert b"\x1bP" not in screen.written
