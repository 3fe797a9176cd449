"""What the dashboard costs: first paint, all data shown, memory, bytes and CPU while a run goes on, keys, idleness.

    python benchmarks/dashboard.py [--rivals [VENV]] [--only NAME] [--quick] [--data DIR]

In a pty of its own, on the same run in each one's own format: 64 latents that wake in turn and four scalars, 50,000
steps, made below DIR once (by default in a temporary folder). Beside vaemon an empty Textual app, sooner than which
nothing made with Textual can paint; with --rivals also W&B LEET and terminalboard, from an environment VENV, which
`make bench PEERS=1` makes.

First paint is from exec to header and titles of panels. All data are shown once the last step is on the screen and a
second and a half of silence has followed; the last byte before it counts. Starts alternate, after one of each Textual
app that is not counted. Bytes and CPU (user and kernel, of the process and its children) are those of thirty seconds in
which another process logs 20 rows a second. A key is pressed when the terminal has been still for a moment; what is
timed is the first byte afterwards.
"""

import argparse
import contextlib
import random
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dashboards import ALL, FLOOR, LAST_STEP, Dashboard, python_of
from figures import begin, bytes_below, child_environment, say
from findings import Found, Live, report
from tables import print_absent
from terminal import Terminal, cpu_seconds, peak_mb

SMALL, LARGE = (120, 40), (200, 50)
SILENCE = 1.5
RATE, HISTORY = 20, 2_500
PATIENCE = 240.0


class NotWritten(Exception):
    """The library whose run was to be shown did not write one."""


@dataclass
class Plan:
    """How much of everything."""

    rounds: int = 9
    rival_rounds: int = 1
    live_seconds: float = 30.0
    idle_seconds: float = 20.0
    settle_seconds: float = 4.0
    keys: int = 60


QUICK = Plan(rounds=3, rival_rounds=0, live_seconds=8.0, idle_seconds=5.0, settle_seconds=3.0, keys=20)


class Bench:
    """Starts dashboards in terminals, on data that it has made."""

    def __init__(self, folder: Path, data: Path, rivals: Path, plan: Plan) -> None:
        self.folder, self.data, self.rivals, self.plan = folder, data, rivals, plan
        self._count = 0
        own = dict.fromkeys(("XDG_STATE_HOME", "XDG_CONFIG_HOME", "PYTHONPYCACHEPREFIX"), str(folder / "home"))
        self._environment = child_environment(folder) | own

    def environment(self, dashboard: Dashboard) -> Mapping[str, str]:
        """As a user has it: with compiled modules, a rival's without this repository's path."""
        left_out = {"PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", *(["PYTHONPATH"] if dashboard.is_rival else [])}
        return {key: value for key, value in self._environment.items() if key not in left_out}

    @contextlib.contextmanager
    def opened(self, dashboard: Dashboard, data: Path, size: tuple[int, int]) -> Iterator[Terminal]:
        """The dashboard in a terminal."""
        command = dashboard.command(python_of(dashboard, self.rivals), data)
        terminal = Terminal(command, size=size, environment=self.environment(dashboard))
        try:
            yield terminal
        finally:
            terminal.close()

    def write(self, dashboard: Dashboard, folder: Path, steps: int, rate: float = 0) -> "subprocess.Popen[str]":
        """Begin to record; a writer with no rate ends by itself."""
        script = [str(Path(__file__).with_name("write.py")), dashboard.kind, str(folder), "--steps", str(steps)]
        command = [python_of(dashboard, self.rivals), *script, *(["--rate", str(rate)] if rate else [])]
        environment = dict(self.environment(dashboard))
        return subprocess.Popen(command, cwd=self.folder, env=environment, stdout=subprocess.PIPE, text=True)

    def finished_run(self, dashboard: Dashboard) -> Path:
        """The folder with the run of 50,000 steps; made where it is not there."""
        folder = self.data / dashboard.kind
        whole = self.data / f"{dashboard.kind}.whole"
        if dashboard.kind and not whole.exists():
            say(f"{dashboard.name}: its run of {LAST_STEP:,} steps is written")
            shutil.rmtree(folder, ignore_errors=True)
            with self.write(dashboard, folder, LAST_STEP) as writer:
                writer.communicate()
            if writer.returncode:
                sys.exit(f"{dashboard.name}: its run could not be written")
            whole.touch()
        return folder

    @contextlib.contextmanager
    def going_on(self, dashboard: Dashboard, history: int, rate: float = RATE) -> Iterator[Path]:
        """The folder of a run of so many steps to which more come, so many each second."""
        self._count += 1
        folder = self.folder / f"live-{self._count}"
        with self.write(dashboard, folder, history, rate) as writer:
            try:
                assert writer.stdout is not None
                ready, _, _ = select.select([writer.stdout], [], [], PATIENCE)
                if not ready or not writer.stdout.readline():
                    raise NotWritten(f"no run was written within {PATIENCE:.0f} s")
                yield folder
            finally:
                writer.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    writer.wait(20)
                writer.kill()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--rivals", nargs="?", const=".venvs/peers", metavar="VENV", help="measure W&B LEET and terminalboard too"
    )
    parser.add_argument("--only", metavar="NAME", help="of vaemon and the rivals, this one")
    parser.add_argument("--quick", action="store_true", help="few rounds: to see that it works")
    parser.add_argument("--data", type=Path, help="where the runs lie, or are to lie")
    asked = parser.parse_args()
    begin()
    with tempfile.TemporaryDirectory(prefix="vaemon-bench-") as place:
        data = (asked.data or Path(place) / "data").absolute()
        data.mkdir(parents=True, exist_ok=True)
        plan = QUICK if asked.quick else Plan()
        bench = Bench(Path(place), data, Path(asked.rivals or ".").absolute(), plan)
        found = {each.name: Found() for each in chosen(asked.only, bench, with_rivals=bool(asked.rivals))}
        try:
            measure(bench, found)
        finally:
            report(found)
    return 0


def chosen(only: str | None, bench: Bench, *, with_rivals: bool) -> list[Dashboard]:
    """Those that are to be measured; a rival that is not installed, or not asked for, is passed over with a word."""
    there, absent = [], []
    for each in ALL:
        if only and only.lower() not in each.name.lower() and each is not FLOOR:
            continue
        program = Path(each.command(python_of(each, bench.rivals), bench.data)[0])
        if each.is_rival and not (with_rivals and program.exists()):
            absent.append(each.name)
            continue
        there.append(each)
    print_absent(absent)
    return there


def measure(bench: Bench, found: dict[str, Found]) -> None:
    """Everything, of everyone."""
    subjects = [each for each in ALL if each.name in found]
    shown = [each for each in subjects if each.kind]
    for each in shown:
        found[each.name].disk = bytes_below(bench.finished_run(each)) / 1e6
    starts(bench, subjects, found)
    for each in shown:
        idle(bench, each, found[each.name])
        for name, size, history in (("120x40", SMALL, HISTORY), ("200x50", LARGE, HISTORY), ("new", SMALL, 1)):
            try:
                live(bench, each, found[each.name], name, size, history)
            except NotWritten as error:
                found[each.name].why.append(f"live, {name}: {error}")


def starts(bench: Bench, subjects: list[Dashboard], found: dict[str, Found]) -> None:
    """Starts by turns; of a rival few, for each takes a minute. `idle` adds one."""
    for each in subjects:
        if not each.is_rival:  # once unmeasured: modules are compiled, files are read
            start(bench, each, Found())
    for i in range(bench.plan.rounds):
        for each in subjects:
            if not each.is_rival or i < bench.plan.rival_rounds:
                say(f"start {i + 1} of {each.name}")
                start(bench, each, found[each.name])


def start(bench: Bench, dashboard: Dashboard, found: Found) -> None:
    """One start on the finished run."""
    with bench.opened(dashboard, bench.data / dashboard.kind, SMALL) as terminal:
        come_to_rest(terminal, dashboard, found)


def come_to_rest(terminal: Terminal, dashboard: Dashboard, found: Found) -> bool:
    """Time a start; whether it came to rest."""
    shown = settle(terminal, (*dashboard.painted, *dashboard.whole))
    painted = terminal.when(*dashboard.painted)
    if painted is not None:
        found.painted.append(painted)
    if painted is None or shown is None:
        found.why.append(f"a start did not come to rest within {PATIENCE:.0f} s")
        return False
    found.shown.append(max(shown - painted, 0.0))
    found.cpu.append(cpu_seconds(terminal.process.pid))
    found.peak.append(peak_mb(terminal.process.pid))
    return True


def settle(terminal: Terminal, marks: tuple[str, ...]) -> float | None:
    """Seconds from the start until the last byte before the silence in which all the marks are there; None: never."""
    looked = -1
    while time.perf_counter() - terminal.began < PATIENCE and terminal.process.poll() is None:
        time.sleep(0.1)
        chunks = len(terminal.chunks)
        if chunks == looked or not chunks:
            continue
        last = terminal.chunks[chunks - 1][0]
        if time.perf_counter() - last > SILENCE and chunks == len(terminal.chunks):
            if terminal.when(*marks) is not None:
                return last - terminal.began
            looked = chunks
    return None


def idle(bench: Bench, dashboard: Dashboard, found: Found) -> None:
    """A finished run, nobody at the keys."""
    say(f"{dashboard.name} idle")
    with bench.opened(dashboard, bench.data / dashboard.kind, SMALL) as terminal:
        if not come_to_rest(terminal, dashboard, found):
            return
        time.sleep(bench.plan.settle_seconds)
        found.idle = watch(terminal, bench.plan.idle_seconds)
        press(terminal, dashboard, found, "finished", bench.plan.keys)


def live(bench: Bench, dashboard: Dashboard, found: Found, name: str, size: tuple[int, int], history: int) -> None:
    """A run that goes on; then, with history and on the smaller screen, the keys."""
    say(f"{dashboard.name} live, {name}")
    with bench.going_on(dashboard, history) as folder, bench.opened(dashboard, folder, size) as terminal:
        until = time.perf_counter() + PATIENCE
        while terminal.when(*dashboard.painted) is None:
            time.sleep(0.2)
            if time.perf_counter() > until or terminal.process.poll() is not None:
                found.why.append(f"live, {name}: it did not open")
                return
        # From the very start each second counts; else, what opening takes is not what going on takes.
        time.sleep(bench.plan.settle_seconds if history > 1 else 0.0)
        found.live[name] = watch(terminal, bench.plan.live_seconds)
        if name == "120x40":
            press(terminal, dashboard, found, "live", bench.plan.keys)


def watch(terminal: Terminal, seconds: float) -> Live:
    """Look on for so long."""
    began, cpu = time.perf_counter(), cpu_seconds(terminal.process.pid)
    time.sleep(seconds)
    took = time.perf_counter() - began
    cpu = cpu_seconds(terminal.process.pid) - cpu
    return Live(terminal.bytes_since(began) / took, 100 * cpu / took, peak_mb(terminal.process.pid))


def press(terminal: Terminal, dashboard: Dashboard, found: Found, run: str, count: int) -> None:
    """Press keys one after the other, at odd moments in which nothing was written."""
    chance, took = random.Random(0), found.keys.setdefault(run, [])
    for i in range(count):
        if terminal.process.poll() is not None:
            found.why.append(f"it ended while keys were pressed on the {run} run")
            return
        time.sleep(chance.uniform(0.1, 0.5))
        until = time.perf_counter() + 1.0
        while terminal.first_since(time.perf_counter() - 0.06, patience=0.001, more_than=dashboard.spinner):
            if time.perf_counter() > until:
                break
            time.sleep(0.005)
        pressed = terminal.type(dashboard.keys[i % len(dashboard.keys)])
        answered = terminal.first_since(pressed, patience=5.0, more_than=dashboard.spinner)
        if answered is None:
            found.unanswered += 1
        else:
            took.append((answered - pressed) * 1e3)


if __name__ == "__main__":
    sys.exit(main())
