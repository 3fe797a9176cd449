"""Terminals, locales and faults that nobody wishes for: a clear line, and a terminal left clean."""

import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from vaemon import Recorder

LEAVE, MOUSE_OFF = b"\x1b[?1049l", b"\x1b[?1003l"
FAULT = """
import sys
from vaemon.watch.widgets.header import Header
def fail(self, picture, width, height):
    raise ZeroDivisionError("a bug\\nof two lines")
Header.rows = fail
from vaemon.cli import main
sys.argv = ["vaemon", *sys.argv[1:]]
main()
"""


@pytest.fixture
def terminal(runs, staircase, log_rows, terminal_of):
    """open(*words) -> a Terminal that runs `vaemon WORDS`; there is a finished run "r"."""
    with Recorder("r", latents=4, total_steps=500) as recorder:
        log_rows(recorder, staircase(500, 4))
    return terminal_of


def text_of(screen):
    return screen.written.decode(errors="replace")


def test_a_terminal_of_one_cell(terminal):
    screen = terminal("watch", "r", size=(1, 1))
    deadline = time.monotonic() + 60
    while b"\x1b[?1049h" not in screen.written and time.monotonic() < deadline:
        screen.read()
    screen.resize((24, 80))
    os.killpg(screen.process.pid, signal.SIGWINCH)
    screen.wait_for("finished")
    screen.type(b"q")
    assert screen.end() == 0


@pytest.mark.parametrize(
    "environment",
    [{"LC_ALL": "C", "PYTHONUTF8": "0"}, {"PYTHONIOENCODING": "ascii"}],
    ids=lambda environment: next(iter(environment)),
)
def test_without_utf8_the_screen_is_ascii(terminal, environment):
    screen = terminal("watch", "r", environment=environment)
    screen.wait_for("finished")
    screen.wait_for("z3")
    screen.type(b"q")
    assert screen.end() == 0
    assert not [sign for sign in text_of(screen) if not sign.isascii()]
    assert b"\\u" not in screen.written


@pytest.mark.parametrize(
    "environment",
    [
        {"TERM": "of-another-planet"},
        {"COLUMNS": "many", "LINES": "-3"},
        {"COLUMNS": "0", "LINES": "99999999999999999999"},
        {"LC_ALL": "", "LANG": "", "LC_CTYPE": ""},
        {"LC_ALL": "xx_YY.nonsense"},
        {"COLORFGBG": "a;b;c", "TEXTUAL_FPS": "60"},
    ],
    ids=lambda environment: next(iter(environment)) + "=" + next(iter(environment.values())),
)
def test_nonsense_in_the_environment_is_survived(terminal, environment):
    screen = terminal("watch", "r", environment=environment)
    screen.wait_for("finished")
    screen.type(b"q")
    assert screen.end() == 0
    assert screen.written.rindex(LEAVE) > 0


@pytest.mark.parametrize("term", ["dumb", "unknown", ""])
def test_a_terminal_that_can_draw_nothing_gets_text(terminal, term):
    screen = terminal("watch", "r", environment={"TERM": term})
    assert screen.end() == 0
    assert b"\x1b" not in screen.written
    assert "finished" in text_of(screen)


def test_where_the_drawing_would_go_into_a_file_there_is_text(terminal, tmp_path):
    screen = terminal("watch", "r", shell="{} 2>" + str(tmp_path / "err"))
    assert screen.end() == 0
    assert b"\x1b" not in screen.written + (tmp_path / "err").read_bytes()
    assert "finished" in text_of(screen)


@pytest.mark.parametrize("closed", ["<&-", "< /dev/null"])
def test_without_an_input_there_is_text(terminal, closed):
    screen = terminal("watch", "r", shell="{} " + closed)
    assert screen.end() == 0
    assert "finished" in text_of(screen)
    assert "Traceback" not in text_of(screen)


@pytest.mark.parametrize("debug", ["", "1"])
def test_a_fault_of_the_dashboard_is_one_line_and_the_terminal_is_clean(terminal, tmp_path, debug):
    (tmp_path / "fault.py").write_text(FAULT)
    screen = terminal(
        "watch", "r", command=[sys.executable, str(tmp_path / "fault.py")], environment={"VAEMON_DEBUG": debug}
    )
    assert screen.end() == 1
    assert MOUSE_OFF in screen.written
    after = screen.written[screen.written.rindex(LEAVE) :].decode()
    assert "ZeroDivisionError: a bug of two lines" in after
    assert ("Traceback" in after) == bool(debug)
    if not debug:
        assert after.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("replay", "nobody"), "unknown run 'nobody'"),
        (("replay", "r", "--speed", "0"), "--speed"),
        (("replay", "r", "--from", "-1"), "--from"),
        (("replay", "r"), "a replay needs a terminal"),
    ],
)
def test_a_replay_that_cannot_be(terminal, words, told):
    done = subprocess.run(
        [sys.executable, "-m", "vaemon", *words], capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_replay_in_the_terminal(runs, staircase, log_rows, terminal_of, monkeypatch):
    hour = iter(range(10**9, 10**9 + 36_000, 60))
    with monkeypatch.context() as patched, Recorder("long", latents=4, total_steps=500) as recorder:
        patched.setattr("vaemon.recorder.block.time", lambda: next(hour))
        log_rows(recorder, staircase(500, 4))
    screen = terminal_of("replay", "long", "--from", "250", "--hz", "10", "--speed", "60")
    screen.wait_for("replay")
    screen.wait_for("step 2")
    screen.type(b" ")
    screen.wait_for("held")
    screen.type(b" >>>>>>>>>>")
    screen.wait_for("finished")
    screen.type(b"q")
    assert screen.end() == 0
    assert screen.written.rindex(LEAVE) > 0


def test_a_signal_in_the_middle_of_a_frame(terminal):
    screen = terminal("replay", "r", "--hz", "10")
    screen.wait_for("replay")
    screen.process.send_signal(signal.SIGTERM)
    screen.end()
    assert MOUSE_OFF in screen.written
    assert screen.written.rindex(LEAVE) > screen.written.rindex(b"\x1b[?1049h")


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
def test_in_a_real_terminal_the_shell_is_as_before(terminal, runs, tmp_path):
    def tmux(*words):
        return subprocess.run(
            ["tmux", "-S", str(tmp_path / "socket"), *words], capture_output=True, text=True, check=True
        ).stdout

    def wait_for(text, there=True):
        deadline = time.monotonic() + 60
        while (text in (seen := tmux("capture-pane", "-p"))) != there:
            assert time.monotonic() < deadline, seen
            time.sleep(0.1)
        return seen

    environment = {**os.environ, "VAEMON_RUNS": str(runs), "LC_ALL": "C.UTF-8"}
    environment.pop("TMUX", None)
    words = ["new-session", "-d", "-x", "120", "-y", "40", "sh"]
    subprocess.run(["tmux", "-f", "/dev/null", "-S", str(tmp_path / "socket"), *words], env=environment, check=True)
    try:
        tmux("send-keys", "PS1='rea''dy> '", "Enter")
        wait_for("ready>")
        tmux("send-keys", f"{sys.executable} -m vaemon watch r", "Enter")
        wait_for("finished")
        wait_for("by wake")
        tmux("send-keys", "o")
        wait_for("by variance")
        tmux("resize-window", "-x", "40", "-y", "10")
        wait_for("by variance", there=False)
        assert "finished" in wait_for("inactive")
        tmux("resize-window", "-x", "120", "-y", "40")
        wait_for("by variance")
        tmux("send-keys", "q")
        wait_for("watch r\nready>")
        tmux("send-keys", "echo still $((20+22))", "Enter")
        lines = [line.strip() for line in wait_for("\nstill 42").strip().splitlines()]
        assert lines[-3:-1] == ["ready> echo still $((20+22))", "still 42"]
        assert not any("latents" in line for line in lines)
    finally:
        tmux("kill-server")
