"""A far machine that is this one, reached through an OpenSSH server of one's own."""

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from vaemon import Recorder
from vaemon.cli import main
from vaemon.source.far.address import FarAddress
from vaemon.source.far.link import Link
from vaemon.source.far.remote import RemoteSource
from vaemon.source.far.ssh import FarEnd

_spec = importlib.util.spec_from_file_location("ssh_server", Path(__file__).with_name("server.py"))
_server = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_server)
until = _server.until

WRITER = """
import sys
import numpy as np
from vaemon import Recorder
recorder = Recorder("live", latents=4, runs=sys.argv[1], total_steps=5000, steps_per_epoch=100)
step = 0
for line in sys.stdin:
    for step in range(step + 1, step + 1 + int(line)):
        variance = 1 - 0.95 / (1 + np.exp(-(step - 100.0 * (np.arange(4) + 1)) / 10))
        recorder.log(step, mean_variance=variance, latent_kl=-0.5 * np.log(variance), mse=1.0 / step, gamma=step**-0.5)
    recorder.flush()
    print(step, flush=True)
recorder.close()
"""
"""Records as many rows of a staircase as each line of its input says."""


class Far:
    """The machine `there`: its home, its runs, and what runs on the way to it."""

    until = staticmethod(until)
    repository = _server.REPOSITORY

    def __init__(self, server, folder: Path) -> None:
        self.server = server
        self.home = folder / "home"
        self.runs = self.home / "far-runs"
        self.runs.mkdir(parents=True)

    def login(self, *, key: str = "me", command: str = "", has_vaemon: bool = True, **environment: str) -> None:
        """From now on, who comes in finds this; by default a PATH with a vaemon, and its runs in $VAEMON_RUNS."""
        tools = str(self.server.tools)
        usual = {
            "FAR": str(self.server.folder),
            "HOME": str(self.home),
            "PATH": f"{self.server.vaemon_there}:{tools}" if has_vaemon else tools,
            "VAEMON_RUNS": str(self.runs),
            **({"PYTHONPATH": str(_server.REPOSITORY)} if has_vaemon else {}),
        }
        self.server.allow(key=key, command=command, **(usual | environment))

    def record(self, name: str, rows: int = 3, runs: Path | None = None) -> Path:
        """The folder of a finished run there."""
        with Recorder(name, latents=2, runs=runs or self.runs) as recorder:
            for step in range(1, rows + 1):
                recorder.log(step, mean_variance=[0.1, 0.9], mse=1.0 / step)
        return (runs or self.runs) / name

    def written_by(self, run: Path, python: str) -> None:
        """Have a run say that it was recorded with another interpreter."""
        told = json.loads((run / "run.json").read_text())
        (run / "run.json").write_text(json.dumps({**told, "python": python}, indent=1) + "\n")

    def cut(self, number: int = signal.SIGKILL) -> None:
        """Send the signal to every ssh of ours."""
        for pid in self.server.ssh():
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    @staticmethod
    def arguments(pid: int) -> list[bytes]:
        return _server.read(pid, "cmdline").split(b"\0")

    def is_empty(self) -> bool:
        """Whether nobody is on the way, or there."""
        return not (self.server.ssh() or self.server.agents() or self.server.sessions())


@pytest.fixture(scope="session")
def ssh_server(tmp_path_factory):
    if why := _server.trouble():
        pytest.skip(why)
    server = _server.Server(tmp_path_factory.mktemp("sshd"))
    server.start()
    try:
        if why := server.refusal():
            pytest.skip(why)
        yield server
    finally:
        server.stop()


@pytest.fixture
def far(ssh_server, tmp_path, monkeypatch):
    """A far machine of one's own; in the end, nothing may be left on the way to it."""
    monkeypatch.setenv("VAEMON_SSH", f"ssh -F {ssh_server.config}")
    # Whoever runs the tests in a terminal is not to be asked for anything on it.
    monkeypatch.setenv("SSH_ASKPASS_REQUIRE", "force")
    monkeypatch.setenv("SSH_ASKPASS", shutil.which("false"))
    machine = Far(ssh_server, tmp_path)
    machine.login()
    yield machine
    left = lambda: f"ssh {ssh_server.ssh()}, there {ssh_server.agents()}, sshd {ssh_server.sessions()}"  # noqa: E731
    until(machine.is_empty, left)


@pytest.fixture
def call(far, runs, monkeypatch, capfd):
    """call(*words) -> exit code, stdout and stderr of `vaemon WORDS`; there is no terminal."""

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["vaemon", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            main()
        out, err = capfd.readouterr()
        return left.value.code or 0, out, err

    return run


@pytest.fixture
def source_of(far):
    """open(address) -> the source of a run there, whose link is made, and made anew without a pause."""
    opened = []

    def open_source(address: str) -> RemoteSource:
        place, path = FarAddress.parse(address)
        link = Link(FarEnd(place, run=path), pause=lambda: 0.0)
        opened.append(link)
        link.connect()
        return RemoteSource(link, path)

    yield open_source
    for each in opened:
        each.close()


class Training:
    """A process that records the run "live" there, as far as it is told to."""

    def __init__(self, runs: Path) -> None:
        self.rows = 0
        self.process = subprocess.Popen(
            [sys.executable, "-c", WRITER, runs], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.go_on(50)

    def go_on(self, rows: int) -> None:
        """Record as many rows more."""
        self.process.stdin.write(f"{rows}\n")
        self.process.stdin.flush()
        self.rows += rows
        assert self.process.stdout.readline() == f"{self.rows}\n"

    def finish(self) -> None:
        self.process.stdin.close()
        self.process.wait()

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


@pytest.fixture
def training(far):
    """A live run of four latents that wake around steps 100, 200, 300 and 400; 50 rows to begin with."""
    live = Training(far.runs)
    yield live
    live.end()
