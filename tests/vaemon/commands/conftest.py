"""The command line called in this process, and runs that are quickly made."""

import os
import subprocess
import sys
import time
from typing import NamedTuple

import pytest

from vaemon import Recorder
from vaemon.cli import main
from vaemon.runfile import manifest

WRITER = """
import sys
from vaemon import Recorder
recorder = Recorder(sys.argv[1], latents=2)
recorder.log(1, mean_variance=[1.0, 1.0])
print("ready", flush=True)
sys.stdin.read()
"""


class Done(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def call(runs, monkeypatch, capsys):
    """call(*words) -> exit code, stdout and stderr of `vaemon WORDS`; there is no terminal."""

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["vaemon", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            main()
        return Done(left.value.code or 0, *capsys.readouterr())

    return run


@pytest.fixture
def record(runs):
    """record(name, rows) -> the folder of a finished run with rows, the newest there is."""

    def make(name, rows=3, **config):
        with Recorder(name, latents=2, config=config) as recorder:
            for step in range(1, rows + 1):
                recorder.log(step, mean_variance=[0.1, 0.9], mse=1.0 / step)
        return runs / name

    return make


@pytest.fixture
def note(runs):
    """note(name, config, age, **facts) -> the folder of a run of a run.json alone, that many seconds old."""

    def make(name, config=None, age=0.0, outcome="finished", **facts):
        folder = runs / name
        folder.mkdir(parents=True)
        born = time.time() - age
        manifest.write(folder, manifest.Manifest(name, born, config=config or {}, outcome=outcome, **facts))
        os.utime(folder, (born, born))
        return folder

    return make


@pytest.fixture
def writer(runs):
    """A live process that records the run "held"."""
    child = subprocess.Popen([sys.executable, "-c", WRITER, "held"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout.readline() == b"ready\n"
    yield child
    child.kill()
    child.wait()
    child.stdin.close()
    child.stdout.close()
