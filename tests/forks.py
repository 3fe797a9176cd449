"""Processes that start within milliseconds, forked by one that has imported what they need: tests/forking.py.

A job is a plain function of a test module, `job(talk, **arguments)`; it says values with `talk.say`, gets them with
`talk.hear`, and returns one. A command is `vaemon WORDS`, by the door that all go through, `vaemon.cli.main`, with
descriptors, environment, folder and session of its own. Both end as any Python process ends, exit handlers and all.
`ForkServer.python` stands in for Python where another program starts a command, or a member of a sweep.
"""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

FORKING, CLIENT = (Path(__file__).with_name(name) for name in ("forking.py", "forked.py"))
PYTHON = """#!/bin/sh
case " $* " in
    *" -m vaemon "* | *" -m submitit.core._submit "*) exec "{0}" -IS "{1}" "{2}" "$@" ;;
    *) exec "{0}" "$@" ;;
esac
"""
PATIENCE = 60.0
"""Seconds after which a child is said to hang: on a loaded machine a healthy one may take some."""


class Process:
    """A forked process, of which it is told what `subprocess.Popen` tells of another."""

    def __init__(self, server, pid):
        self.server, self.pid = server, pid
        self.returncode = None
        self.written = ()

    def poll(self):
        """The exit code; negative where a signal ended it, None where it still runs."""
        if self.returncode is None:
            self.returncode = self.server.ask({"wait": self.pid})
        return self.returncode

    def wait(self, timeout=PATIENCE):
        """The exit code, once there is one."""
        deadline = time.monotonic() + timeout
        while self.poll() is None:
            if time.monotonic() > deadline:
                raise TimeoutError(f"process {self.pid} does not end within {timeout:.1f} s")
            time.sleep(0.002)
        return self.returncode

    def ended(self, timeout=PATIENCE):
        """Its `returncode`, `stdout` and `stderr`, where these are captured; ended by force after so many seconds."""
        try:
            self.wait(timeout)
        finally:
            self.send_signal(signal.SIGKILL)
        return subprocess.CompletedProcess((), self.returncode, *(path.read_text() for path in self.written))

    def send_signal(self, number):
        if self.poll() is None:
            os.kill(self.pid, number)


class Child(Process):
    """A forked job, seen from its test."""

    def __init__(self, server, line, pid):
        super().__init__(server, pid)
        self.line = line
        self._begun = b""

    def fileno(self):
        return self.line.fileno()

    def say(self, value):
        self.line.sendall(json.dumps(value).encode() + b"\n")

    def hear(self, seconds=PATIENCE):
        """The next value that the job says, or returns."""
        deadline = time.monotonic() + seconds
        while (at := self._begun.find(b"\n")) < 0:
            ready, _, _ = select.select([self.line], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise TimeoutError(f"no word of process {self.pid} within {seconds:.1f} s")
            self._take()
        sentence, self._begun = self._begun[:at], self._begun[at + 1 :]
        kind, value = json.loads(sentence)
        assert kind != "raised", f"process {self.pid} raised\n{value}"
        return value

    def has_word(self):
        """Whether `hear` would answer, or raise, at once."""
        return b"\n" in self._begun or bool(select.select([self.line], [], [], 0)[0])

    def _take(self):
        chunk = self.line.recv(1 << 16)
        if not chunk:
            said = self.server.said.read_text(errors="replace")[-2000:]
            raise EOFError(f"process {self.pid} ended without a word, exit code {self.wait()}; stderr ends in\n{said}")
        self._begun += chunk

    def kill(self, number=signal.SIGKILL):
        os.kill(self.pid, number)

    def end(self):
        """Kill it if it still runs."""
        if self.returncode is None:
            self.kill()
            self.wait()
        self.line.close()


class ForkServer:
    """Starts jobs. `said` is the file to which it and its children write their stderr."""

    def __init__(self, said):
        self.said = said
        self.children = []
        self.counted = 0
        self.line, theirs = socket.socketpair()
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        door = socket.socket(socket.AF_UNIX)
        door.bind(str(said.with_name("door")))
        door.listen()
        self.python = said.with_name("python")
        self.python.write_text(PYTHON.format(sys.executable, CLIENT, door.getsockname()))
        self.python.chmod(0o755)
        command = [sys.executable, "-W", "error", str(FORKING), *(str(each.fileno()) for each in (theirs, door))]
        with open(said, "wb") as stderr, theirs, door:
            passed = [theirs.fileno(), door.fileno()]
            self.process = subprocess.Popen(command, pass_fds=passed, stderr=stderr, env=environment)
        self.answers = self.line.makefile("r")

    def ask(self, question, descriptors=()):
        socket.send_fds(self.line, [json.dumps(question, default=str).encode() + b"\n"], descriptors)
        answer = json.loads(self.answers.readline())
        assert not isinstance(answer, str), answer
        return answer

    def start(self, job, *, at_once=False, **arguments):
        """Fork a child that runs the job and then ends as processes do, or, which is quicker, at once."""
        mine, theirs = socket.socketpair()
        with theirs:
            what = {"file": job.__code__.co_filename, "job": job.__name__, "arguments": arguments, "at_once": at_once}
            self.children.append(Child(self, mine, self.ask(what, [theirs.fileno()])))
        return self.children[-1]

    def command(self, *words, stdin, stdout, stderr, environment=None, folder=None, session=False):
        """Start `vaemon WORDS` with these descriptors; in a session of its own where asked to. See `Process`."""
        what = {"module": "vaemon", "words": words, "environment": {**(environment or os.environ)}, "session": session}
        return Process(self, self.ask({**what, "folder": folder or os.getcwd()}, [stdin, stdout, stderr]))

    def captured(self, *words, **where):
        """The same without an input; what it writes is told by `Process.ended`."""
        self.counted += 1
        written = [self.said.with_name(f"{name}-{self.counted}") for name in ("stdout", "stderr")]
        with open(os.devnull) as nothing, open(written[0], "wb") as out, open(written[1], "wb") as err:
            files = {"stdin": nothing.fileno(), "stdout": out.fileno(), "stderr": err.fileno()}
            process = self.command(*words, **files, **where)
        process.written = written
        return process

    def run(self, *words, **where):
        """`vaemon WORDS` without an input, once it has ended: its `returncode`, `stdout` and `stderr`."""
        return self.captured(*words, **where).ended()

    def call(self, job, **arguments):
        """What the job returns."""
        child = self.start(job, at_once=True, **arguments)
        try:
            return child.hear()
        finally:
            child.end()

    def end_children(self):
        for child in self.children:
            child.end()
        self.children.clear()

    def close(self):
        self.end_children()
        self.answers.close()
        self.line.close()
        self.process.wait()
