"""vaemon, measured: by itself, in steps of a millisecond, beside a peer, and for millions of steps."""

import time
from pathlib import Path
from typing import Any

import numpy as np
from calls import Control, Took, read_back, time_log, time_rows, untimed
from figures import best_round, bytes_below, call_figures, resident_mb
from peers import JsonLines, Peer
from workload import DIFFERENT_ROWS, FOUR_64, ONE_64, Workload

from vaemon import Recorder

SEGMENT = 2500
"""Steps between two flushes; fewer where they would be over SEGMENT_BYTES."""
SEGMENT_BYTES = 4 * 1024 * 1024
ROUNDS = 10
LEAST_OF_A_ROUND = 500
"""Steps of vaemon and of JSON lines in a round, at least: a slow peer does fewer."""
LONG_SEGMENT = 5_000
AROUND = ((10_000, 10_000), (100_000, 20_000), (1_000_000, 100_000), (10_000_000, 200_000))
"""Steps, and how many on each side of them are looked at."""


class Session:
    """A recorder at work: its run, its memory, the seconds it took in all."""

    def __init__(self, folder: Path, load: Workload) -> None:
        self.load = load
        _ = load.rows  # are made when first asked for: not what the recorder needs
        self._before = resident_mb()
        self.grown = 0.0
        """MB more than before the recorder was made, at most, looked at after each flush."""
        began = time.perf_counter()
        self.recorder = Recorder("bench", latents=load.size, runs=folder)
        self.recorder.log(1, **load.rows[1 % DIFFERENT_ROWS])
        self.first = (time.perf_counter() - began) * 1e6
        """Microseconds of the beginning: the files are made, and the first row is on the disk."""
        self.steps = 1
        self.seconds = 0.0
        """In all, the beginning left out."""

    def log(self, took: Took) -> None:
        """Log as many steps as `took` has places."""
        time_log(self.recorder.log, self.load, self.steps + 1, took)
        self.steps += len(took)
        self.seconds += took.sum() / 1e9

    def flush(self) -> None:
        began = time.perf_counter()
        self.recorder.flush()
        self.seconds += time.perf_counter() - began
        self.grown = max(self.grown, resident_mb() - self._before)

    def close(self, *, whole: bool = True) -> dict[str, Any]:
        """End the run, read it back; what is known of it."""
        began = time.perf_counter()
        self.recorder.close()
        self.seconds += time.perf_counter() - began
        self.grown = max(self.grown, resident_mb() - self._before)
        folder = self.recorder.folder
        known = {"total": self.seconds, "bytes": bytes_below(folder), "grown": self.grown, "first": self.first}
        return known | read_back(folder, self.load, self.steps, whole=whole)


def measure(folder: Path, load: Workload, steps: int) -> dict[str, Any]:
    """A tight loop, in segments: control, vaemon, flush."""
    took, bare, control = untimed(steps), untimed(steps), Control(load)
    session = Session(folder, load)
    segment = min(SEGMENT, SEGMENT_BYTES // load.raw_bytes)
    for first in range(0, steps, segment):
        control.time(first, bare[first : first + segment])
        session.log(took[first : first + segment])
        session.flush()
    return session.close() | {
        "log": call_figures(took) | best_round(took, segment),
        "control": call_figures(bare) | best_round(bare, segment),
    }


def measure_paced(folder: Path, load: Workload, steps: int) -> dict[str, Any]:
    """Steps of a millisecond, as a training has them, no flush: control and vaemon by turns."""
    took, bare, control, matrix = untimed(steps), untimed(steps), Control(load), np.ones((200, 200), np.float32)
    session = Session(folder, load)
    for i in range(steps):
        _work(matrix, 1e-3)
        control.time(i, bare[i : i + 1])
        _work(matrix, 1e-3)
        session.log(took[i : i + 1])
    return session.close() | {"log": call_figures(took), "control": call_figures(bare)}


def _work(matrix: Any, seconds: float) -> None:
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        matrix @ matrix


def measure_beside(folder: Path, kind: type[Peer], steps: int) -> dict[str, Any]:
    """Rounds of a peer, of JSON lines and of vaemon, workload (c)."""
    for name in ("peer", "jsonl", "vaemon"):
        (folder / name).mkdir()
    peer, session = kind(folder / "peer"), Session(folder / "vaemon", FOUR_64)
    # JSON lines are the peer themselves once.
    lines = None if kind is JsonLines else JsonLines(folder / "jsonl")
    empty, count = bytes_below(folder / "peer"), max(1, steps // ROUNDS)
    took, lines_took, ours_took = untimed(steps), [], []
    seconds = 0.0
    for first in range(0, steps, count):
        part = took[first : first + count]
        time_rows(peer.log, FOUR_64, 1 + first, part)
        began = time.perf_counter()
        peer.flush()
        seconds += time.perf_counter() - began
        time.sleep(peer.rest)
        if lines is not None:
            lines_took.append(untimed(max(count, LEAST_OF_A_ROUND)))
            time_rows(lines.log, FOUR_64, 1, lines_took[-1])
        ours_took.append(untimed(max(count, LEAST_OF_A_ROUND)))
        session.log(ours_took[-1])
        session.flush()
    began = time.perf_counter()
    peer.close()
    seconds += time.perf_counter() - began
    size = bytes_below(folder / "peer") - empty
    began = time.perf_counter()
    found = peer.read()
    return {
        "read": time.perf_counter() - began,
        "found": found,
        "bytes": size,
        "total": seconds + took.sum() / 1e9,
        "peer": call_figures(took),
        "jsonl": call_figures(np.concatenate(lines_took) if lines_took else took),
        "vaemon": session.close() | {"log": call_figures(np.concatenate(ours_took))},
    }


def measure_long(folder: Path, steps: int) -> dict[str, Any]:
    """Millions of steps of workload (a), a flush every few thousand."""
    segments = max(1, steps // LONG_SEGMENT)
    took, bare, control = untimed(LONG_SEGMENT), untimed(LONG_SEGMENT // 10), Control(ONE_64)
    median, total, control_median = np.ones((3, segments))
    session, began = Session(folder, ONE_64), time.perf_counter()
    for i in range(segments):
        control.time(0, bare)
        before = session.seconds
        session.log(took)
        session.flush()
        median[i], control_median[i] = np.median(took) / 1e3, np.median(bare) / 1e3
        total[i] = (session.seconds - before) / LONG_SEGMENT * 1e6
    seconds = time.perf_counter() - began
    at = []
    for step, side in AROUND:
        part = slice(max(0, step - side) // LONG_SEGMENT, (step + side) // LONG_SEGMENT)
        if step <= segments * LONG_SEGMENT:
            figures = {"log": median[part], "total": total[part], "control": control_median[part]}
            # What else the machine does only ever adds: the better quarter of the segments says more than their mean.
            at.append({"steps": step} | {name: float(np.percentile(each, 25)) for name, each in figures.items()})
    return session.close(whole=False) | {"at": at, "steps": session.steps, "seconds": seconds}
