"""What the benchmarks share: how they begin, figures of many timed calls, memory, bytes on disk, child processes."""

import json
import os
import platform
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

SKIPPED = 77
"""The exit code of a benchmark that cannot be measured here; the same as in other test drivers."""


def call_figures(nanoseconds: Any) -> dict[str, float]:
    """Median, 99th percentile and worst of timed calls, in microseconds."""
    median, p99, worst = np.percentile(nanoseconds, (50, 99, 100)) / 1e3
    return {"median": float(median), "p99": float(p99), "worst": float(worst)}


def best_round(nanoseconds: Any, size: int) -> dict[str, float]:
    """Median and 99th percentile of the round of `size` calls with the least median, in microseconds.

    What else a shared machine does can only add to a round, and half of the time it doubles it.
    """
    rounds = np.asarray(nanoseconds)[: len(nanoseconds) // size * size].reshape(-1, size) / 1e3
    best = rounds[np.argmin(np.median(rounds, axis=1))]
    return {"best": float(np.median(best)), "best_p99": float(np.percentile(best, 99))}


def resident_mb() -> float:
    """Memory of this process that is resident now, MB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024 / 1e6
    return float("nan")


def bytes_below(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def machine() -> str:
    """The processor, the cores, and the Python."""
    cpu = platform.processor() or platform.machine()
    told = Path("/proc/cpuinfo")
    if told.exists():
        named = [line for line in told.read_text().splitlines() if line.startswith("model name")]
        cpu = named[0].partition(": ")[2] if named else cpu
    return f"{cpu}, {os.cpu_count()} cores, Python {platform.python_version()}"


def begin() -> None:
    """Say where this runs; have SIGTERM end it as an error would, so that children end and folders are emptied."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    say(f"{machine()}, load average {os.getloadavg()[0]:.1f}")


def say(words: str) -> None:
    """What is going on, for whoever waits."""
    print(f"{time.strftime('%T')} {words}", file=sys.stderr)


def skip(why: str) -> NoReturn:
    """End with the exit code of what cannot be measured here, which is no failure."""
    say(why)
    sys.exit(SKIPPED)


class ChildFailed(Exception):
    """A child process ended without an answer; the last line it wrote says why."""


def ask_child(script: str, what: str, folder: Path, **told: Any) -> Any:
    """Run `script --child` in a process of its own, in an empty folder; its answer.

    What it imports, and the threads that stay behind, then disturb nobody else's figures.

    Raises:
        ChildFailed: it ended by an error.
    """
    say(f"{Path(script).stem}: {folder.name}")
    folder.mkdir(parents=True)
    answer = folder / "answer.json"
    work = folder / "work"
    work.mkdir()
    question = json.dumps({"what": what, "folder": str(work), "answer": str(answer), **told})
    with (folder / "output.txt").open("wb") as output:
        done = subprocess.run(
            [sys.executable, os.path.abspath(script), "--child", question],
            cwd=work,
            env=child_environment(work),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    if done.returncode or not answer.exists():
        said = (folder / "output.txt").read_text(errors="replace").strip().splitlines() or ["nothing was said"]
        raise ChildFailed(f"exit code {done.returncode}: {said[-1]}")
    return json.loads(answer.read_text())


def child_environment(folder: Path) -> dict[str, str]:
    """This process's, with every library told to stay on this machine, in `folder`, and on one thread."""
    search = os.environ.get("PYTHONPATH", "")
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(os.path.abspath(path) for path in search.split(os.pathsep) if path),
        "OPENBLAS_NUM_THREADS": "1",
        "MPLCONFIGDIR": str(folder),
        "DO_NOT_TRACK": "true",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "WANDB_MODE": "offline",
        "WANDB_SILENT": "true",
        "WANDB_CONSOLE": "off",
        "WANDB_ERROR_REPORTING": "false",
        "WANDB_DISABLE_CODE": "true",
        "WANDB_DISABLE_GIT": "true",
        **{f"WANDB_{name}_DIR": str(folder) for name in ("CACHE", "CONFIG", "DATA")},
        "HF_HOME": str(folder / "hf"),
        "HF_HUB_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "GRADIO_ANALYTICS_ENABLED": "False",
    }
