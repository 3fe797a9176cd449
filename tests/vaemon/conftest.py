"""A real terminal for the tests that need one."""

import fcntl
import os
import pty
import re
import select
import shlex
import struct
import subprocess
import sys
import termios
import time

import pytest

PATIENCE = 60.0
VAEMON = (sys.executable, "-m", "vaemon")


class Terminal:
    """A process in a terminal of its own, and everything it has written to it.

    It is forked by `server` where nothing but words and size is given; Python reads its environment as it starts.
    """

    def __init__(self, server, words, size=(40, 120), environment=None, command=None, shell=""):
        self.main, side = pty.openpty()
        self.resize(size)
        anew = environment or command or shell
        usual = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8"}
        environment = {**os.environ, **usual, **(environment or {})}
        environment.pop("NO_COLOR", None)
        if anew:
            command = [*(command or VAEMON), *words]
            if shell:
                command = ["sh", "-c", shell.format(shlex.join(command))]
            self.process = subprocess.Popen(
                command, stdin=side, stdout=side, stderr=side, env=environment, start_new_session=True
            )
        else:
            there = {"stdin": side, "stdout": side, "stderr": side}
            self.process = server.command(*words, **there, environment=environment, session=True)
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
def terminal_of(runs, fork_server):
    """open(*words) -> a Terminal of its own that runs `vaemon WORDS`; options as of `Terminal`."""
    opened = []

    def open_terminal(*words, **options):
        opened.append(Terminal(fork_server, words, **options))
        return opened[-1]

    yield open_terminal
    for each in opened:
        if each.process.poll() is None:
            os.killpg(each.process.pid, 9)
            each.process.wait()
        os.close(each.main)
