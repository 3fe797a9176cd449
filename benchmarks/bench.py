"""Run the benchmarks one after the other, and write what each has printed into its part of docs/benchmarks.md.

    python benchmarks/bench.py [NAME …] [--quick] [--page FILE] [--peers VENV]

`make bench` does; `make bench ONLY="fid recorder"` some of them, QUICK=1 all in their short form, PEERS=1 beside the
peers of benchmarks/peers.txt, which it installs in .venvs/peers.

The page is written after each benchmark, so Ctrl-C loses only the one that runs. A part whose benchmark failed, or
cannot be measured here, stays as it was, with the date and the machine of its own figures.

Exit code 0: all that were asked for were measured, or cannot be here; 1: one failed; 2: nothing was begun, for a name
or the page is wrong; 130: told to end. A bar that is missed is told, and no failure.
"""

import argparse
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from clock import Clock
from figures import SKIPPED, machine, say
from page import PageError, check, replace
from scripts import SCRIPTS, Script
from tables import MISSED

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
BUSY_LOAD, BUSY_SHARE = 0.7, 0.05
"""From this load average before all, or this share of the cores meanwhile, others are said to have been at work."""
PATIENCE = 20.0
"""Seconds that a benchmark has to end when told to."""


@dataclass(frozen=True)
class Bench:
    """How all are run, and where what they print goes."""

    folder: Path
    page: Path
    is_quick: bool
    peers: Path | None
    load: float
    """Load average before the first of them."""

    def command(self, script: Script) -> list[str]:
        """What is run."""
        python = sys.executable
        options = [*(script.short if self.is_quick else script.full)]
        if self.peers and script.peers == "around":
            python = str(self.peers / "bin" / "python")
        elif self.peers and script.peers == "beside":
            options += ["--rivals", str(self.peers)]
        return [python, str(self.folder / f"{script.name}.py"), *options]

    def line(self, command: Sequence[str], clock: Clock) -> str:
        """What was run, where, when, for how long, and how quiet it was."""
        words = ["python" if each == sys.executable else each for each in command]
        shown = shlex.join(os.path.relpath(each, ROOT) if "/" in each else each for each in words)
        share = clock.share_of_others()
        others = "" if share is None else f", others took {share:.0%} of the cores meanwhile"
        is_busy = self.load >= BUSY_LOAD or (share or 0) >= BUSY_SHARE
        told = f"`{shown}`; {machine()}; load {self.load:.1f} before{others}; {time.strftime('%F')}, {clock.took()}."
        return f"**On a busy machine:** {told}" if is_busy else told


def main(given: Sequence[str] | None = None, scripts: Sequence[Script] = SCRIPTS, folder: Path = HERE) -> int:
    """Run those that are asked for; the exit code."""
    names = [each.name for each in scripts]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(names)}; all by default")
    parser.add_argument("--quick", action="store_true", help="each in its short form")
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "benchmarks.md", help="docs/benchmarks.md")
    parser.add_argument("--peers", type=Path, default=ROOT / ".venvs" / "peers", help=".venvs/peers, where it is there")
    asked = parser.parse_args(given)
    for name in asked.names:
        if name not in names:
            parser.error(f"{name} is no benchmark; they are: {', '.join(names)}")
    try:
        check(asked.page, names)
    except PageError as error:
        parser.error(str(error))
    peers = asked.peers.absolute() if (asked.peers / "bin" / "python").exists() else None
    bench = Bench(folder, asked.page, asked.quick, peers, os.getloadavg()[0])
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.default_int_handler)  # also where a shell has started it with Ctrl-C ignored
    return run_all(bench, [each for each in scripts if not asked.names or each.name in asked.names])


def run_all(bench: Bench, scripts: Sequence[Script]) -> int:
    """One after the other, then a word on each; the exit code."""
    ends = dict.fromkeys((each.name for each in scripts), "not reached")
    minutes = sum(each.minutes[bench.is_quick] for each in scripts)
    more = " without the peers" if bench.peers else ""
    say(f"about {max(minutes, 1):.0f} min in all{more}; load {bench.load:.1f}, {machine()}")
    code = 0
    try:
        for i, script in enumerate(scripts):
            say(f"[{i + 1}/{len(scripts)}] {script.name}: usually about {script.minutes[bench.is_quick]:g} min")
            ends[script.name] = "stopped; its part of the page is as it was"
            ends[script.name], is_well = run(bench, script)
            code = code if is_well else 1
            say(f"{script.name}: {ends[script.name]}")
    except KeyboardInterrupt:
        code = 130
    print(f"\n{bench.page}")
    for name, end in ends.items():
        print(f"  {name:<12}{end}")
    return code


def run(bench: Bench, script: Script) -> tuple[str, bool]:
    """Run one and write its part; what came of it, and whether that is well."""
    command, clock = bench.command(script), Clock()
    code, printed = output_of(command)
    if code == SKIPPED:
        return "cannot be measured here; its part of the page is as it was", True
    if code or not printed.strip():
        why = f"exit code {code}" if code else "it printed nothing"
        return f"FAILED: {why}; its part of the page is as it was", False
    try:
        replace(bench.page, script.name, f"{bench.line(command, clock)}\n\n{printed.strip()}")
    except PageError as error:
        return f"FAILED: {error}", False
    missed = printed.count(MISSED)
    return f"measured in {clock.took()}" + (f", {missed} of its bars missed" if missed else ""), True


def output_of(command: Sequence[str]) -> tuple[int, str]:
    """Exit code and standard output of a process of its own; it does not outlive this one."""
    search = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONPATH": search, "PYTHONIOENCODING": "utf-8"}
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, encoding="utf-8"
    )
    try:
        printed, _ = process.communicate()
    except BaseException:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
        raise
    finally:
        process.wait()
    return process.returncode, printed


if __name__ == "__main__":
    sys.exit(main())
