"""Record the latents that wake for one dashboard, in its own format: vaemon's, W&B's offline, TensorBoard's events.

    python benchmarks/write.py KIND FOLDER --steps 50000 [--rate 20]

With --rate it says "ready" after those steps, and goes on at so many a second until it is told to end. Runs under an
environment that has no more than the one library and NumPy.
"""

import argparse
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workload import WAKING, WAKING_SCALARS

FLUSH_EVERY = 5_000


class Vaemon:
    """A row a step: a vector with the latents' variances, and the scalars."""

    def __init__(self, folder: Path) -> None:
        from vaemon import Recorder

        self._recorder = Recorder("bench", latents=WAKING.latents, runs=folder)

    def log(self, step: int, row: dict[str, Any]) -> None:
        self._recorder.log(step, **row)

    def flush(self) -> None:
        self._recorder.flush()

    def close(self) -> None:
        self._recorder.close()


class Wandb:
    """`wandb.init(mode="offline")` and a metric a latent."""

    def __init__(self, folder: Path) -> None:
        import wandb

        self._run = wandb.init(mode="offline", dir=folder, project="bench", name="bench")

    def log(self, step: int, row: dict[str, Any]) -> None:
        self._run.log(flat(row), step=step)

    def flush(self) -> None:
        pass  # there is no such call

    def close(self) -> None:
        self._run.finish()


class TensorBoard:
    """Event files by TensorBoard's own writer, all the scalars of a step in one event: the smallest that it can be."""

    def __init__(self, folder: Path) -> None:
        from tensorboard.compat.proto import event_pb2, summary_pb2
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        self._writer = EventFileWriter(str(folder / "bench"))
        self._event, self._summary = event_pb2.Event, summary_pb2.Summary

    def log(self, step: int, row: dict[str, Any]) -> None:
        values = [self._summary.Value(tag=tag, simple_value=value) for tag, value in flat(row).items()]
        self._writer.add_event(self._event(step=step, wall_time=time.time(), summary=self._summary(value=values)))

    def flush(self) -> None:
        self._writer.flush()

    def close(self) -> None:
        self._writer.close()


KINDS = {"vaemon": Vaemon, "wandb": Wandb, "tensorboard": TensorBoard}


def flat(row: dict[str, Any]) -> dict[str, float]:
    """A number a name."""
    named = {name: row[name] for name in WAKING_SCALARS}
    return named | {f"mean_variance/z{i:02}": value for i, value in enumerate(row["mean_variance"].tolist())}


def steps_at(rate: float, first: int) -> Iterator[int]:
    """Steps from `first` on, each when it is due."""
    began = time.monotonic()
    for i in range(1, sys.maxsize):
        time.sleep(max(0.0, began + i / rate - time.monotonic()))
        yield first + i - 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--rate", type=float)
    asked = parser.parse_args()
    told = threading.Event()  # an exception might be swallowed by whatever it strikes
    signal.signal(signal.SIGTERM, lambda *_: told.set())
    asked.folder.mkdir(parents=True, exist_ok=True)
    writer = KINDS[asked.kind](asked.folder)
    try:
        for step in range(1, asked.steps + 1):
            writer.log(step, WAKING.row(step))
            if step % FLUSH_EVERY == 0:
                writer.flush()
        writer.flush()
        print("ready", flush=True)
        for step in steps_at(asked.rate, asked.steps + 1) if asked.rate else ():
            if told.is_set():
                break
            writer.log(step, WAKING.row(step))
            if asked.kind == "tensorboard":
                writer.flush()  # else it waits two minutes, and nothing would be live
    finally:
        writer.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
