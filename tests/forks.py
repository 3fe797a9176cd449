"""A process that has imported vaemon, h5py and numpy, and forks: its children start within milliseconds.

It has opened no HDF5 file and started no thread, so that a child may do both, hang, crash and be killed. A job is a
plain function of a test module, `job(talk, **arguments)`; it says values with `talk.say`, gets them with
`talk.hear`, and returns one. A command is `vaemon WORDS`, by the door that all go through, `vaemon.cli.main`, with
descriptors, environment, folder and session of its own. Both end as any Python process ends, exit handlers and all.

Run as a program, this file is that process; imported, it is what talks to it.
"""

import gc
import importlib.util
import json
import os
import resource
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path

PATIENCE = 60.0
"""Seconds after which a child is said to hang: on a loaded machine a healthy one may take some."""


class Talk:
    """A job's end of the line to its test."""

    def __init__(self, line):
        self.line = line
        self.file = line.makefile("r")

    def say(self, value):
        self._send("said", value)

    def hear(self):
        return json.loads(self.file.readline())

    def _send(self, kind, value):
        self.line.sendall(json.dumps([kind, value], default=lambda array: array.tolist()).encode() + b"\n")


class Process:
    """A forked process, of which it is told what `subprocess.Popen` tells of another."""

    def __init__(self, server, pid):
        self.server, self.pid = server, pid
        self.returncode = None

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
        self.line, theirs = socket.socketpair()
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-W", "error", __file__, str(theirs.fileno())]
        with open(said, "wb") as stderr:
            self.process = subprocess.Popen(command, pass_fds=[theirs.fileno()], stderr=stderr, env=environment)
        theirs.close()
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
        what = {"command": words, "environment": {**(environment or os.environ)}, "session": session}
        return Process(self, self.ask({**what, "folder": folder or os.getcwd()}, [stdin, stdout, stderr]))

    def run(self, *words, timeout=PATIENCE, **where):
        """`vaemon WORDS` without an input, once it has ended: its `returncode`, `stdout` and `stderr`."""
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, open(os.devnull) as nothing:
            files = {"stdin": nothing.fileno(), "stdout": out.fileno(), "stderr": err.fileno()}
            process = self.command(*words, **files, **where)
            try:
                code = process.wait(timeout)
            finally:
                process.send_signal(signal.SIGKILL)
            return subprocess.CompletedProcess(words, code, *(_text_of(each) for each in (out, err)))

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


def _text_of(file):
    file.seek(0)
    return file.read().decode()


def question_of(line):
    """What is asked next, and the descriptors that came with it; nothing where nobody asks any more."""
    sentence, descriptors, _, _ = socket.recv_fds(line, 1 << 20, 3)
    while sentence and not sentence.endswith(b"\n"):
        sentence += line.recv(1 << 20)
    return sentence and json.loads(sentence), descriptors


def serve(line):
    running = set()
    while True:
        question, descriptors = question_of(line)
        if not question:
            break
        if "wait" in question:
            pid, status = os.waitpid(question["wait"], os.WNOHANG)
            running.discard(pid)
            line.sendall(json.dumps(os.waitstatus_to_exitcode(status) if pid else None).encode() + b"\n")
            continue
        try:
            child = job_of(question) if "job" in question else command_of(question)
        except Exception:
            line.sendall(json.dumps(traceback.format_exc()).encode() + b"\n")
            continue
        pid = os.fork()
        if pid == 0:
            line.close()
            return child(descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        running.add(pid)
        line.sendall(json.dumps(pid).encode() + b"\n")
    line.close()
    for pid in running:
        os.kill(pid, signal.SIGKILL)
    return 0


def job_of(question):
    job = getattr(module_of(question["file"]), question["job"])
    arguments, at_once = question["arguments"], question["at_once"]
    return lambda descriptors: work(Talk(socket.socket(fileno=descriptors[0])), job, arguments, at_once)


def command_of(question):
    if question["command"][0] not in loaded:
        for name in LOADED.get(question["command"][0], ()):
            importlib.import_module(name)
        loaded.add(question["command"][0])
        gc.freeze()
    return lambda descriptors: command(descriptors, **question)


def command(descriptors, command, environment, folder, session):
    """Be the process that was asked for."""
    if session:
        os.setsid()
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    sys.stdin = sys.__stdin__ = open(0, closefd=False)
    sys.stdout = sys.__stdout__ = open(1, "w", buffering=1 if os.isatty(1) else -1, closefd=False)
    sys.stderr = sys.__stderr__ = open(2, "w", buffering=1, errors="backslashreplace", closefd=False)
    sys.argv, sys.path[0] = ["vaemon", *command], folder
    warnings.resetwarnings()
    warnings.simplefilter("ignore", DeprecationWarning)

    from vaemon.cli import main

    main()


def work(talk, job, arguments, at_once):
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    try:
        talk._send("returned", job(talk, **arguments))
    except Exception:
        talk._send("raised", traceback.format_exc())
        return 1
    finally:
        if at_once:
            os._exit(0)
        talk.file.close()
        talk.line.close()
    return 0


SCREEN = ("vaemon.cli", "vaemon.commands.watch", "vaemon.watch.app", "vaemon.watch.screens.run", "vaemon.source.open")
TRAINING = ("vaemon.cli", "trainer.command", "trainer.training", "trainer.progress", "rich.console")
LOADED = {
    "watch": (*SCREEN, "textual.drivers.linux_driver"),
    "replay": (*SCREEN, "vaemon.commands.replay", "textual.drivers.linux_driver"),
    "train": TRAINING,
    "fid": ("vaemon.cli", "analysis.fid.command", "analysis.fid.sides"),
}
"""What a command imports sooner or later; the process that forks imports it at the first of them."""

loaded = set()
modules = {}


def module_of(path):
    if path not in modules:
        spec = importlib.util.spec_from_file_location(f"jobs_{Path(path).stem}", path)
        modules[path] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(modules[path])
        gc.freeze()  # or a child would copy every page that its garbage collector looks at
    return modules[path]


if __name__ == "__main__":
    import h5py  # noqa: F401
    import numpy  # noqa: F401

    import vaemon.recorder.recorder
    import vaemon.runfile.read  # noqa: F401

    sys.exit(serve(socket.socket(fileno=int(sys.argv[1]))))
