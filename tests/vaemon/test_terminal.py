"""The dashboard in a real terminal: a pty, a process of its own, its very bytes."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time

import pytest

from vaemon import Recorder

ENTER, LEAVE = b"\x1b[?1049h", b"\x1b[?1049l"
MOUSE_OFF = b"\x1b[?1003l"
PATIENCE = 60.0


class Terminal:
    """A process in a terminal of its own, and everything it has written to it."""

    def __init__(self, words, size=(40, 120)):
        self.main, side = pty.openpty()
        self.resize(size)
        environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        environment.pop("NO_COLOR", None)
        command = [sys.executable, "-m", "vaemon", *words]
        self.process = subprocess.Popen(
            command, stdin=side, stdout=side, stderr=side, env=environment, start_new_session=True
        )
        os.close(side)
        self.written = b""

    def resize(self, size):
        fcntl.ioctl(self.main, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))

    def type(self, keys):
        os.write(self.main, keys)

    def read(self, seconds=0.1):
        ready, _, _ = select.select([self.main], [], [], seconds)
        if not ready:
            return False
        try:
            chunk = os.read(self.main, 65536)
        except OSError:
            return False
        self.written += chunk
        return bool(chunk)

    def wait_for(self, text, since=0):
        deadline = time.monotonic() + PATIENCE
        while text not in plain(self.written[since:]):
            assert time.monotonic() < deadline, f"{text!r} never came:\n{plain(self.written[since:])[-2000:]}"
            self.read()
        return len(self.written)

    def end(self):
        deadline = time.monotonic() + PATIENCE
        while self.process.poll() is None:
            assert time.monotonic() < deadline, "it does not end"
            self.read()
        while self.read():
            pass
        return self.process.returncode


def plain(written):
    text = written.decode(errors="replace")
    return re.sub(r"\x1b\[[0-9;?<>=]*[a-zA-Z~]|\x1b[()][A-Z0-9]|\x1b.", "", text)


@pytest.fixture
def terminal(runs, staircase, log_rows):
    """open(*words) -> a Terminal that runs `vaemon WORDS`; there is a finished run "r"."""
    with Recorder("r", latents=4, total_steps=500) as recorder:
        log_rows(recorder, staircase(500, 4))
    opened = []

    def open_terminal(*words, **options):
        opened.append(Terminal(words, **options))
        return opened[-1]

    yield open_terminal
    for each in opened:
        if each.process.poll() is None:
            each.process.kill()
            each.process.wait()
        os.close(each.main)


def test_the_dashboard_opens_is_resized_and_quits_leaving_the_terminal_clean(terminal):
    screen = terminal("watch", "r")
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
