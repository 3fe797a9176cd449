"""Links to programs that stand in for ssh, and nothing left of them after a test."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from vaemon.source.far.address import Place
from vaemon.source.far.link import Link
from vaemon.source.far.ssh import FarEnd

STATION = """
import os, signal, socket, sys, vaemon.agent, vaemon.source.local
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
station = socket.socket(socket.AF_UNIX)
station.bind(sys.argv[1])
station.listen()
os.write(1, b"ready")
while True:
    line = station.accept()[0]
    if not os.fork():
        os.dup2(line.fileno(), 0), os.dup2(line.fileno(), 1)
        line.close(), station.close()
        vaemon.agent.main()
        os._exit(0)
    line.close()
"""
"""Agents are forked from it: to load one twenty times would take long."""
RELAY = """
import os, select, socket
line = socket.socket(socket.AF_UNIX)
line.connect({path!r})
ends = {{0: line.fileno(), line.fileno(): 1}}
while True:
    for each in select.select(list(ends), [], [])[0]:
        data = os.read(each, 65536)
        if not data:
            os._exit(0)
        while data:
            data = data[os.write(ends[each], data):]
"""
"""Stands in for ssh: hands on what comes from either end."""


class Program(FarEnd):
    """Python code in place of ssh; the interpreter asked for is the code."""

    def command(self, *, asks, environ=os.environ):
        return [sys.executable, "-B", "-c", self.python]


@pytest.fixture(scope="module")
def relay(tmp_path_factory):
    """The code of a program that leads to an agent."""
    path = str(tmp_path_factory.mktemp("station") / "s")
    command = [sys.executable, "-B", "-c", STATION, path]
    station = subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True)
    assert station.stdout.read(5) == b"ready"
    yield RELAY.format(path=path)
    os.killpg(station.pid, signal.SIGKILL)  # the agents, too
    station.communicate()


@pytest.fixture
def link_to(relay):
    """link_to(code="") -> a link to a program that runs it, or leads to an agent; without pauses, by default."""
    made = []

    def link(code="", pause=lambda: 0.0, far=None):
        made.append(Link(far or Program(Place("gpu1"), code or relay), pause=pause))
        return made[-1]

    before = held()
    yield link
    for each in made:
        each.close()
    for each in threading.enumerate():
        if each is not threading.current_thread() and each not in before[0]:
            each.join(30)
    assert held() == before


def held():
    """The threads, the descriptors and the children of this process."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    pipes = [os.readlink(f"/proc/self/fd/{each}") for each in os.listdir("/proc/self/fd") if is_open(each)]
    return set(threading.enumerate()), sorted(each for each in pipes if each.startswith(("pipe:", "socket:"))), children


def is_open(descriptor):
    return os.path.lexists(f"/proc/self/fd/{descriptor}")
