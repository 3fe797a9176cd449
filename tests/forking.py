"""A process that has imported vaemon, h5py and numpy, and forks what tests/forks.py asks for.

It has opened no HDF5 file and started no thread, so that a child may do both, hang, crash and be killed.
"""

import gc
import importlib.util
import json
import os
import resource
import runpy
import select
import signal
import socket
import sys
import traceback
import warnings
from pathlib import Path


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


def question_of(line):
    """What is asked next, and the descriptors that came with it; nothing where nobody asks any more."""
    sentence, descriptors, _, _ = socket.recv_fds(line, 1 << 20, 3)
    while sentence and not sentence.endswith(b"\n"):
        more = line.recv(1 << 20)
        sentence = more and sentence + more
    return sentence and json.loads(sentence), descriptors


def serve(line, door):
    running = set()
    while True:
        if door in select.select([line, door], [], [])[0]:
            visitor, _ = door.accept()
            question, descriptors = question_of(visitor)
            if question:  # else it was killed before it had asked
                prepare(question)
                if os.fork() == 0:
                    line.close()
                    door.close()
                    return keep(visitor, question, descriptors)
            visitor.close()
            close(descriptors)
            continue
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
            door.close()
            return child(descriptors)
        close(descriptors)
        running.add(pid)
        line.sendall(json.dumps(pid).encode() + b"\n")
    line.close()
    door.close()
    for pid in running:
        os.kill(pid, signal.SIGKILL)
    return 0


def keep(visitor, question, descriptors):
    """Fork what another program has asked for, and tell it how that ended."""
    pid = os.fork()
    if pid == 0:
        visitor.close()
        return command(descriptors, **question)
    close(descriptors)
    visitor.sendall(json.dumps(pid).encode() + b"\n")
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    visitor.sendall(json.dumps(code).encode() + b"\n")
    os._exit(0)


def close(descriptors):
    for descriptor in descriptors:
        os.close(descriptor)


def job_of(question):
    job = getattr(module_of(question["file"]), question["job"])
    arguments, at_once = question["arguments"], question["at_once"]
    return lambda descriptors: work(Talk(socket.socket(fileno=descriptors[0])), job, arguments, at_once)


def command_of(question):
    prepare(question)
    return lambda descriptors: command(descriptors, **question)


def prepare(question):
    """Import, once, what such a command will import."""
    what = question["words"][0] if question["module"] == "vaemon" else question["module"]
    if what not in loaded:
        for name in LOADED.get(what, ()):
            importlib.import_module(name)
        loaded.add(what)
        gc.freeze()


def command(descriptors, module, words, environment, folder, session):
    """Be `python -m MODULE WORDS`, as it was asked for."""
    if session:
        os.setsid()
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
    close(descriptors)
    sys.stdin = sys.__stdin__ = os.fdopen(0, closefd=False)
    sys.stdout = sys.__stdout__ = os.fdopen(1, "w", buffering=1 if os.isatty(1) else -1, closefd=False)
    sys.stderr = sys.__stderr__ = os.fdopen(2, "w", buffering=1, errors="backslashreplace", closefd=False)
    sys.argv, sys.path[0] = [module, *words], folder
    warnings.resetwarnings()
    warnings.simplefilter("ignore", DeprecationWarning)
    if module == "vaemon":
        from vaemon.cli import main

        main()
    else:
        runpy.run_module(module, run_name="__main__", alter_sys=True)


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
TRAINING = ("vaemon.cli", "trainer.command", "trainer.training", "trainer.progress", "rich.console", "torch._dynamo")
LOADED = {
    "watch": (*SCREEN, "textual.drivers.linux_driver"),
    "replay": (*SCREEN, "vaemon.commands.replay", "textual.drivers.linux_driver"),
    "train": TRAINING,
    "submitit.core._submit": ("submitit", "trainer.sweep.member", *TRAINING),
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

    sys.exit(serve(*(socket.socket(fileno=int(number)) for number in sys.argv[1:])))
