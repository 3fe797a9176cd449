"""The dashboard of a run on another machine, in a real terminal, over links that come and go."""

import shutil
import signal
import subprocess
import sys

import pytest

ASKING = """#!/bin/sh
case "$*" in *BatchMode=yes*) echo "Permission denied (password)." >&2; exit 255 ;; esac
stty -echo < /dev/tty
printf "Password of there: " > /dev/tty
read -r answer < /dev/tty
stty echo < /dev/tty
if [ "$answer" != open-sesame ]; then echo "Permission denied (password)." >&2; exit 255; fi
exec ssh -F "$SSH_CONFIG" "$@"
"""
PATIENT = """
import sys
from vaemon.source.far import link
link.SILENCE = link.ATTEMPT = 1e6
from vaemon.cli import main
main()
"""
"""A vaemon that never gives up a link by itself."""


def test_a_link_that_dies_and_comes_back(far, training, terminal_of):
    screen = terminal_of("watch", "there:live", "--hz", "10")
    screen.wait_for("step 50/5,000")
    at = len(screen.written)
    far.server.stop()
    try:
        screen.wait_for("link lost, data", since=at)
        screen.wait_for("Connection refused", since=at)
        at = len(screen.written)
        screen.type(b"?")
        screen.wait_for("next run", since=at)
        at = len(screen.written)
        screen.type(b"\x1b")
        screen.wait_for("stage 1: 4 latents", since=at)  # the last picture, painted anew
        screen.wait_for("link lost, data", since=at)
    finally:
        far.server.start()
    at = len(screen.written)
    training.go_on(27)
    screen.type(b"r")
    screen.wait_for("77/5,000", since=at)
    screen.type(b"q")
    assert screen.end() == 0


@pytest.fixture
def asking(far, tmp_path):
    """The variables for an ssh that wants a password, typed on its terminal."""
    script = tmp_path / "asking-ssh"
    script.write_text(ASKING)
    script.chmod(0o755)
    return {"VAEMON_SSH": str(script), "SSH_CONFIG": str(far.server.config)}


def test_a_password_is_asked_for_before_the_screen_and_by_r(far, training, terminal_of, asking):
    screen = terminal_of("watch", "there:live", "--hz", "10", environment=asking, command=with_terminal())
    screen.wait_for("Password of there: ")
    assert b"\x1b[?1049h" not in screen.written
    screen.type(b"open-sesame\n")
    screen.wait_for("step 50/5,000")
    at = len(screen.written)
    far.cut()
    screen.wait_for("needs your password: press r", since=at)
    training.go_on(27)
    at = len(screen.written)
    screen.type(b"r")
    screen.wait_for("Password of there: ", since=at)
    screen.type(b"open-sesame\n")
    screen.wait_for("77/5,000", since=at)
    screen.type(b"q")
    assert screen.end() == 0
    assert b"open-sesame" not in screen.written


def test_a_wrong_password_is_told(far, terminal_of, asking):
    screen = terminal_of("watch", "there:a", environment=asking, command=with_terminal())
    screen.wait_for("Password of there: ")
    screen.type(b"please\n")
    assert screen.end() == 1
    assert b"vaemon: ssh cannot reach there: Permission denied (password)." in screen.written
    assert b"\x1b[?1049h" not in screen.written


def test_a_prompt_that_is_left_with_ctrl_c(far, terminal_of, asking):
    screen = terminal_of("watch", "there:a", environment=asking, command=with_terminal())
    screen.wait_for("Password of there: ")
    screen.type(b"\x03")
    assert screen.end() == 130
    assert b"vaemon: stopped" in screen.written
    assert b"Traceback" not in screen.written


def with_terminal():
    """A vaemon whose terminal is its own, as /dev/tty, too."""
    if shutil.which("setsid") is None:
        pytest.skip("needs setsid")
    return ("setsid", "--ctty", "--wait", sys.executable, "-m", "vaemon")


@pytest.mark.parametrize("attempts", [False, True])
def test_it_is_quit_while_the_link_hangs(far, training, terminal_of, attempts):
    """While an answer is waited for, or while the link is made anew."""
    screen = terminal_of("watch", "there:live", "--hz", "10", command=(sys.executable, "-c", PATIENT))
    screen.wait_for("step 50/5,000")
    if attempts:
        far.server.hold()
        before = far.server.ssh()
        far.cut()
        far.until(lambda: set(far.server.ssh()) - set(before))
    else:
        far.cut(signal.SIGSTOP)
    try:
        screen.type(b"q")
        assert screen.end() == 0
    finally:
        far.server.go_on()


def test_without_a_terminal_it_is_text_that_says_why(far):
    far.record("a")
    command = f"{sys.executable} -m vaemon watch a"
    ssh = ["ssh", "-F", far.server.config, "-T", "there", command]
    done = subprocess.run(ssh, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0
    assert done.stdout.startswith("a · finished · ")
    assert "this ssh session has no terminal, so this is text" in done.stderr
