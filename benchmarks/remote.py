"""What a run on another machine costs to watch: bytes on the wire, CPU at both ends, keys on a slow link.

    python benchmarks/remote.py [--quick]

An OpenSSH server on this machine's loopback, reached by `vaemon watch HOST:RUN` in a pty of its own at 120x40, home
view, through a proxy that counts what passes: ssh's own packets, both ways. A run of 64 latents with a history of 2,500
steps goes on at 20, then at 2,000 steps a second. Then the proxy holds each byte for 100 ms, each way, and the keys are
pressed as in benchmarks/dashboard.py, by turns on the far run and on one read from the disk.
"""

import argparse
import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from dashboard import HISTORY, QUICK, SMALL, Bench, Plan, press
from dashboards import VAEMON
from figures import begin, say, skip
from findings import Found
from tables import Bars, number, print_table
from terminal import Terminal, cpu_seconds

RATES = (20, 2_000)
BARS = {20: 3.0, 2_000: 8.0}
"""kB a second."""
LATENCY = 0.2
"""Seconds that a question and its answer are on the way in all."""
MOST_RATIO = 1.2
"""What the far run's keys may take, in the near run's: half of it is the machine's noise."""
SSHD = shutil.which("sshd") or "/usr/sbin/sshd"


class Server:
    """An OpenSSH server for this user, and an ssh that goes to it through the measured wire."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder, self.counts = folder, folder / "counts"
        self._port = _free_port()
        for name in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
        shutil.copy(folder / "user.pub", folder / "authorized_keys")
        (folder / "sshd_config").write_text(
            f"Port {self._port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nPidFile none\nStrictModes no\n"
            f"AuthorizedKeysFile {folder}/authorized_keys\nPasswordAuthentication no\nUsePAM no\n"
        )
        with contextlib.suppress(OSError):
            Path("/run/sshd").mkdir(exist_ok=True)
        self.process = subprocess.Popen(
            [SSHD, "-D", "-e", "-f", str(folder / "sshd_config")], stderr=subprocess.DEVNULL
        )
        _await_port(self._port)

    def ssh(self, delay: float) -> str:
        """The program that reaches it as `there`, each byte held for so long."""
        proxy = f"{sys.executable} {Path(__file__).with_name('wire.py')} %h %p {self.counts} {delay}"
        config = self._folder / f"config-{delay}"
        config.write_text(
            f"Host there\n HostName 127.0.0.1\n Port {self._port}\n User {getpass.getuser()}\n ProxyCommand {proxy}\n"
            f" IdentityFile {self._folder}/user\n IdentitiesOnly yes\n StrictHostKeyChecking no\n"
            f" UserKnownHostsFile {self._folder}/known\n LogLevel ERROR\n"
        )
        return f"ssh -F {config}"

    def passed(self) -> tuple[int, float]:
        """Bytes that have passed, both ways, and the CPU seconds that counting them took."""
        to, back, cpu = self.counts.read_text().split()
        return int(to) + int(back), float(cpu)

    def close(self) -> None:
        self.process.terminate()
        self.process.wait()


@dataclass
class Wire:
    """What watching took."""

    kilobytes: float
    """A second, on the wire."""
    near: float
    """% of a core: the dashboard and ssh."""
    far: float
    """% of a core: the agent and its sshd."""
    steps: float
    """A second, as written."""


class RemoteBench(Bench):
    """Opens the dashboard on a run through ssh, too."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        super().__init__(folder, folder, folder, plan)
        self.server = Server(folder / "ssh")

    @contextlib.contextmanager
    def opened_far(self, run: Path, delay: float) -> Iterator[Terminal]:
        """The dashboard on the same run, through the wire."""
        python = sys.executable
        command = [python, "-m", "vaemon", "watch", f"there:{run / 'bench'}", "--remote-python", python]
        environment = {**self.environment(VAEMON), "VAEMON_SSH": self.server.ssh(delay)}
        terminal = Terminal(command, size=SMALL, environment=environment)
        try:
            yield terminal
        finally:
            terminal.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few seconds and keys: to see that it works")
    asked = parser.parse_args()
    if not os.access(SSHD, os.X_OK):
        skip("no sshd here: install openssh-server")
    begin()
    plan = replace(QUICK, settle_seconds=10.0) if asked.quick else Plan(settle_seconds=10.0)
    with tempfile.TemporaryDirectory(prefix="vaemon-bench-") as place:
        bench = RemoteBench(Path(place), plan)
        try:
            report({rate: on_the_wire(bench, rate) for rate in RATES}, *keys(bench))
        finally:
            bench.server.close()
    return 0


def on_the_wire(bench: RemoteBench, rate: int) -> Wire:
    """Watch a run that goes on at that rate."""
    say(f"{rate:,} steps a second")
    with bench.going_on(VAEMON, HISTORY, rate) as run, bench.opened_far(run, 0.0) as terminal:
        _await_picture(terminal)
        time.sleep(bench.plan.settle_seconds)
        before, rows = _moment(bench, terminal), _rows(run)
        time.sleep(bench.plan.live_seconds)
        after = _moment(bench, terminal)
        took = after[0] - before[0]
        kilobytes, near, far = ((b - a) / took for a, b in zip(before[1:], after[1:], strict=True))
        return Wire(kilobytes / 1e3, 100 * near, 100 * far, (_rows(run) - rows) / took)


def keys(bench: RemoteBench) -> tuple[Found, Found]:
    """The keys on the run read from the disk, and on the same run behind a slow wire."""
    say(f"keys, {LATENCY * 1e3:.0f} ms away")
    near, far = Found(), Found()
    with (
        bench.going_on(VAEMON, HISTORY) as run,
        bench.opened(VAEMON, run, SMALL) as local,
        bench.opened_far(run, LATENCY / 2) as remote,
    ):
        for terminal in (local, remote):
            _await_picture(terminal)
        time.sleep(bench.plan.settle_seconds)
        for _ in range(4):
            press(local, VAEMON, near, "keys", bench.plan.keys // 4)
            press(remote, VAEMON, far, "keys", bench.plan.keys // 4)
    return near, far


def report(wires: dict[int, Wire], near: Found, far: Found) -> None:
    """The table and the bars."""
    head = ("steps/s asked", "written", "wire, kB/s", "dashboard and ssh, % of a core", "agent and sshd, % of a core")
    rows = [
        (f"{rate:,}", *(number(each) for each in (wire.steps, wire.kilobytes, wire.near, wire.far)))
        for rate, wire in wires.items()
    ]
    print_table("Watching a run of 64 latents through ssh, 120x40", head, rows)
    here, there = near.keys["keys"], far.keys["keys"]
    told = (("read from the disk", here), ("through ssh", there))
    rows = [(name, number(median(each)), number(max(each))) for name, each in told]
    print_table(f"Key to first byte, with {LATENCY * 1e3:.0f} ms of latency", ("", "median, ms", "max, ms"), rows)
    bars = Bars()
    for rate, wire in wires.items():
        bars.at_most(f"bytes on the wire at {rate:,} steps/s", wire.kilobytes, BARS[rate], "kB/s")
    bars.at_most("key to first byte, through ssh, in those from the disk", median(there) / median(here), MOST_RATIO, "")
    bars.print()


def _moment(bench: RemoteBench, terminal: Terminal) -> tuple[float, float, float, float]:
    """The time, bytes passed, CPU seconds of the near and of the far end."""
    passed, counting = bench.server.passed()
    near = cpu_seconds(terminal.process.pid) - counting
    return time.perf_counter(), passed, near, cpu_seconds(bench.server.process.pid)


def _rows(run: Path) -> int:
    from vaemon.batch import Cursor, Want
    from vaemon.source.open import open_source

    source = open_source(str(run / "bench"))
    try:
        return source.poll(Cursor(), Want((), columns=0)).rows
    finally:
        source.close()


def _await_picture(terminal: Terminal) -> None:
    until = time.perf_counter() + 60
    while terminal.when("latents", "gamma", "MSE", "KL") is None:
        time.sleep(0.2)
        if time.perf_counter() > until or terminal.process.poll() is not None:
            sys.exit(f"the dashboard did not open: {terminal.chunks[-1:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await_port(port: int) -> None:
    for _ in range(100):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    sys.exit("sshd did not start")


if __name__ == "__main__":
    sys.exit(main())
