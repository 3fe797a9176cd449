"""What reading a run costs: the first look at a long one, the age of what a follower sees, and its share of a core.

    python benchmarks/reader.py [--data DIR] [--long]

Runs of 10,000 and 1,000,000 steps (with --long also 10,000,000) of one 64-vector and five scalars are recorded below
DIR once, by default in a temporary folder; empty DIR where the recorder has changed. In a process of its own for each,
after the imports, the run is opened and drawn in 200 points, seven times, from warm files.

The age of a row is measured between two processes: one logs 500 steps a second for ten seconds, the other polls each
50 ms and looks at the wall time of every row that it had not seen before. The share of a core is that of a follower
which asks twice a second for what the dashboard draws, while another process logs.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from figures import ask_child, begin, say
from tables import Bars, number, print_table
from workload import DIFFERENT_ROWS, ONE_64

from vaemon import Recorder, open_run

LENGTHS = (10_000, 1_000_000)
LONG = 10_000_000
BETWEEN_FLUSHES = 5_000
LOOKS = 7
AGE_RATE, AGE_SECONDS, AGE_POLL = 500, 10.0, 0.05
FOLLOWED_RATES, FOLLOW_SECONDS, FOLLOW_POLL = (20, 5_000), 12.0, 0.5


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="where the runs lie, or are to lie")
    parser.add_argument("--long", action="store_true", help="also 10,000,000 steps: minutes, and some GB of disk")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        return answer(json.loads(asked.child))
    begin()
    bars, wrong = Bars(), list[str]()
    with tempfile.TemporaryDirectory(prefix="vaemon-bench-") as place:
        folder = Path(place)
        first_looks(folder, (asked.data or folder / "data").absolute(), asked.long, bars, wrong)
        ages(folder, bars, wrong)
        followers(folder, bars, wrong)
    bars.print()
    for line in wrong:
        say(f"WRONG: {line}")
    return 1 if wrong else 0


def answer(question: dict[str, Any]) -> int:
    """What a child process does."""
    if question["what"] == "record":
        found: Any = record(Path(question["runs"]), question["steps"])
    elif question["what"] == "look":
        found = look(Path(question["run"]))
    elif question["what"] == "log":
        found = log_for(Path(question["runs"]), question["rate"], question["seconds"])
    elif question["what"] == "age":
        found = age_of_rows(Path(question["run"]), question["seconds"])
    else:
        found = follow(Path(question["run"]), question["seconds"])
    Path(question["answer"]).write_text(json.dumps(found))
    return 0


def first_looks(folder: Path, data: Path, long: bool, bars: Bars, wrong: list[str]) -> None:
    """Open a run and draw it, at each length."""
    rows, medians = [], {}
    for steps in (*LENGTHS, *((LONG,) if long else ())):
        run = data / name_of(steps)
        if not (data / f"{run.name}.whole").exists():
            ask_child(__file__, "record", folder / f"record-{steps}", runs=str(data), steps=steps)
        found = ask_child(__file__, "look", folder / f"look-{steps}", run=str(run))
        if found["rows"] != steps:
            wrong.append(f"{run} has {found['rows']} rows of {steps}")
        medians[steps] = float(np.median(found["whole"])) * 1e3
        cells = [number(float(np.median(found[name])) * 1e3) for name in ("open", "whole")]
        rows.append((f"{steps:,}", *cells, number(max(found["whole"]) * 1e3), str(found["points"])))
    head = ("steps", "open, ms", "open and draw, ms", "worst", "points")
    print_table(f'`open_run` and `series("mean_variance", points=200)`, warm, median of {LOOKS}', head, rows)
    ratio = max(medians.values()) / min(medians.values())
    told = ", ".join(f"{number(each)} ms" for each in medians.values())
    met = max(medians.values()) <= 20 or ratio <= 5
    bars.either("open and draw", f"{told}; {ratio:.1f} ×", "≤ 20 ms each, or ≤ 5 × from length to length", met=met)


def ages(folder: Path, bars: Bars, wrong: list[str]) -> None:
    """How old a row is when another process first sees it."""
    found, logged = beside_a_logger(folder, "age", AGE_RATE, AGE_SECONDS)
    ms = np.array(found["ages"]) * 1e3
    if len(ms) != logged["steps"]:
        wrong.append(f"{len(ms)} rows were seen of {logged['steps']} logged")
    newest = np.array(found["newest"]) * 1e3
    rows = [
        (name, f"{len(each):,}", *(number(value) for value in np.percentile(each, (50, 99, 100))))
        for name, each in (("every row", ms), ("the newest row of a poll", newest))
    ]
    title = f"Age when first seen: {AGE_RATE} steps/s in one process, polls each {AGE_POLL * 1e3:.0f} ms in another"
    print_table(title, ("", "seen", "median, ms", "p99", "worst"), rows)
    bars.at_most("age of a row when first seen, p99", float(np.percentile(ms, 99)), 350.0, "ms")


def followers(folder: Path, bars: Bars, wrong: list[str]) -> None:
    """What following a run costs."""
    rows = []
    for rate in FOLLOWED_RATES:
        found, logged = beside_a_logger(folder, "follow", rate, FOLLOW_SECONDS)
        if found["rows"] > logged["steps"]:
            wrong.append(f"{found['rows']} rows were seen of {logged['steps']} logged")
        share = found["cpu"] / found["wall"] * 100
        truth, polls = f"{logged['steps'] / logged['seconds']:,.0f}", str(found["polls"])
        cells = (number(found["poll"] * 1e3), number(found["worst"] * 1e3), f"{found['rows']:,}", f"{share:.2f}")
        rows.append((f"{rate:,} steps/s", truth, polls, *cells))
        bars.at_most(f"follower at 2 Hz, {rate:,} steps/s", share, 3.0, "% of a core")
    head = ("logged at", "in truth", "polls", "a poll, ms", "worst", "rows in the end", "% of a core")
    print_table(f"A follower at {1 / FOLLOW_POLL:.0f} Hz with the dashboard's channels", head, rows)


def beside_a_logger(folder: Path, what: str, rate: int, seconds: float) -> tuple[dict[str, Any], dict[str, Any]]:
    """Ask a child while another logs: both answers."""
    place, runs = folder / f"{what}-{rate}", folder / f"{what}-{rate}-runs"
    told = place.with_name(f"{place.name}-logged.json")
    question = {"what": "log", "runs": str(runs), "rate": rate, "seconds": seconds, "answer": str(told)}
    logger = subprocess.Popen([sys.executable, os.path.abspath(__file__), "--child", json.dumps(question)])
    try:
        found = ask_child(__file__, what, place, run=str(runs / "bench"), seconds=seconds)
        logger.wait(timeout=60)
    finally:
        logger.terminate()
        logger.wait()
    return found, json.loads(told.read_text())


def name_of(steps: int) -> str:
    return f"steps-{steps}"


def record(runs: Path, steps: int) -> int:
    """A run of so many steps; a file beside it says that it is whole."""
    with Recorder(name_of(steps), latents=ONE_64.size, runs=runs) as recorder:
        for step in range(1, steps + 1):
            recorder.log(step, **ONE_64.rows[step % DIFFERENT_ROWS])
            if step % BETWEEN_FLUSHES == 0:
                recorder.flush()
    (runs / f"{name_of(steps)}.whole").touch()
    return steps


def look(run: Path) -> dict[str, Any]:
    """Seven first looks after one that warms the files."""
    opened, whole = [], []
    for _ in range(1 + LOOKS):
        began = time.perf_counter()
        with open_run(str(run)) as reader:
            opened.append(time.perf_counter() - began)
            points = len(reader.series("mean_variance", points=200).mean)
            whole.append(time.perf_counter() - began)
    with open_run(str(run)) as reader:
        rows = len(reader.series("mse").step)
    return {"open": opened[1:], "whole": whole[1:], "points": points, "rows": rows}


def log_for(runs: Path, rate: int, seconds: float) -> dict[str, float]:
    """Log so many steps a second; where that is more than the clock can wake for, a few at a time."""
    count, together = int(rate * seconds), max(1, rate // 500)
    began = time.perf_counter()
    with Recorder("bench", latents=ONE_64.size, runs=runs) as recorder:
        for step in range(1, count + 1):
            if step % together == 0:
                time.sleep(max(0.0, began + step / rate - time.perf_counter()))
            recorder.log(step, **ONE_64.rows[step % DIFFERENT_ROWS])
        took = time.perf_counter() - began
    return {"steps": count, "seconds": took}


def age_of_rows(run: Path, seconds: float) -> dict[str, Any]:
    """Poll until the run is over; the age of each row, and of the newest one of each poll, when first seen."""
    from vaemon.batch import Cursor, Want
    from vaemon.source.local import LocalSource

    source, cursor, seen = LocalSource(run), Cursor(), 0
    ages, newest = [], []
    want = Want(channels=(), columns=10 * int(AGE_RATE * AGE_SECONDS))  # more than rows: each is a column of its own
    until = time.monotonic() + 3 * seconds
    while time.monotonic() < until:
        batch = source.poll(cursor, want)
        now = time.time()
        cursor = batch.cursor
        fresh = batch.columns.step > seen
        if batch.latest is not None and batch.latest.step > seen:
            ages += (now - batch.columns.time[fresh]).tolist()
            newest.append(now - batch.latest.time)
            seen = batch.latest.step
        if batch.info.state.over:
            break
        time.sleep(AGE_POLL)
    source.close()
    return {"ages": ages, "newest": newest}


def follow(run: Path, seconds: float) -> dict[str, Any]:
    """Poll twice a second from the first row on, as the dashboard does."""
    from vaemon.batch import Cursor, Want
    from vaemon.source.local import LocalSource
    from vaemon.view.state import CHART_CHANNELS, WALL_CHANNELS

    source, want = LocalSource(run), Want(channels=(*WALL_CHANNELS, *CHART_CHANNELS))
    batch = source.poll(Cursor(), want)
    until = time.monotonic() + seconds
    while batch.latest is None and time.monotonic() < until:
        time.sleep(0.05)
        batch = source.poll(batch.cursor, want)
    began, cpu, polls = time.perf_counter(), time.process_time(), []
    while time.perf_counter() - began < seconds - 2:  # the logger goes on to the end
        time.sleep(FOLLOW_POLL)
        before = time.perf_counter()
        batch = source.poll(batch.cursor, want)
        polls.append(time.perf_counter() - before)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - began
    source.close()
    figures = {"poll": float(np.median(polls)), "worst": max(polls), "polls": len(polls)}
    return figures | {"cpu": cpu, "wall": wall, "rows": batch.rows}


if __name__ == "__main__":
    sys.exit(main())
