"""What recording and watching cost a training: images/s of presets, bare, recorded, and watched.

The rounds alternate within one process, so that what else the machine does strikes all three alike; read the ratios.
The images are noise unless --data names others: the arithmetic is the same.

    python benchmarks/training.py [--preset cifar10] [--data PATH] [--rounds 5] [--steps 20] [--set network.base_dim=16]

The share is what the training thread spends on recording, timed call by call: the statistics of the posteriors (which a
bare round computes too, and throws away) and `Recorder.log`. With --set graph=true on a GPU a step is one CUDA graph,
which the statistics are a part of.
"""

import argparse
import contextlib
import os
import pty
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any

import numpy as np
import torch
from figures import begin, say
from tables import number, print_note, print_table

from trainer import loop
from trainer.capture import Step, TrainBatch, how_to_step
from trainer.config import Config
from trainer.images import load_images
from trainer.loop import run_stage
from trainer.settings import load_preset, resolve
from trainer.stages import Stage, image_stage
from vaemon import Recorder

FIRST = 5
"""Steps that nothing is timed in: threads begin, memory is got, a CUDA graph is captured."""


@dataclass(frozen=True)
class Usual:
    """What a preset is trained on here, and for how many steps in a round."""

    shape: tuple[int, int, int]
    steps: int


USUAL = {"cifar10": Usual((32, 32, 3), 12), "mnist-dense": Usual((28, 28, 1), 300)}


class NoRecorder:
    """Takes what the loop logs and forgets it."""

    folder = Path()
    first_bad = None
    newest = MappingProxyType[str, float]({})

    def log(self, step: int, **values: object) -> None: ...
    def event(self, kind: str, text: str = "", step: int | None = None) -> None: ...
    def flush(self) -> None: ...


class Timed:
    """A recorder, and the statistics made for it, with the seconds that they take of the training thread."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self.seconds = {"log": 0.0, "statistics": 0.0}
        self.log = self._timed("log", recorder.log)
        self.statistics = self._timed("statistics", loop.step_to_channels)

    def __getattr__(self, name: str) -> object:
        return getattr(self._recorder, name)

    def _timed(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*values: Any, **named: Any) -> Any:
            began = time.perf_counter()
            found = call(*values, **named)
            self.seconds[name] += time.perf_counter() - began
            return found

        return timed


def share(stage: Stage, recorder: Recorder, steps: int, train: Callable[[Any, int], float]) -> str:
    """What recording takes of a step, in words."""
    timed, plain = Timed(recorder), loop.step_to_channels
    loop.step_to_channels = timed.statistics
    try:
        rate = train(timed, steps)
    finally:
        loop.step_to_channels = plain
    step = stage.settings.batch / rate
    parts = [f"{name} {each / steps * 1e6:.0f} µs" for name, each in timed.seconds.items()]
    return f"{' + '.join(parts)} of a step of {step * 1e3:.1f} ms, {sum(timed.seconds.values()) / steps / step:.2%}"


def images_per_second(
    stage: Stage, recorder: object, steps: int, capture: Callable[[TrainBatch, Stage], Step] = partial
) -> float:
    """Train so many further steps."""
    goal = stage.step + steps
    began = time.perf_counter()
    run_stage(
        stage,
        recorder,  # type: ignore[arg-type]
        save=lambda stage: None,
        save_every=1e9,
        evaluate=lambda stage: None,
        stop=lambda: stage.step >= goal,
        screen=SimpleNamespace(show=lambda stage, newest: None),
        capture=capture,
    )
    return steps * stage.settings.batch / (time.perf_counter() - began)


class Dashboard:
    """`vaemon watch` in a terminal of its own, 120 x 40, whose output is read and thrown away."""

    def __init__(self, folder: Path) -> None:
        main, side = pty.openpty()
        os.environ["COLUMNS"], os.environ["LINES"] = "120", "40"
        command = [sys.executable, "-m", "vaemon", "watch", str(folder)]
        environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        self.process = subprocess.Popen(command, stdin=side, stdout=side, stderr=side, env=environment)
        os.close(side)
        self.bytes = 0
        threading.Thread(target=self._drain, args=(main,), daemon=True).start()

    def _drain(self, main: int) -> None:
        try:
            while chunk := os.read(main, 65536):
                self.bytes += len(chunk)
        except OSError:
            return  # the terminal is gone with its process

    def close(self) -> None:
        self.process.terminate()
        self.process.wait()


def once(how: Callable[[TrainBatch, Stage], Step]) -> Callable[[TrainBatch, Stage], Step]:
    """The same step in every round: a CUDA graph is captured but once, as in a training that goes on."""
    made: list[Step] = []

    def step(train_batch: TrainBatch, stage: Stage) -> Step:
        made[:] = made or [how(train_batch, stage)]
        return made[0]

    return step


def measure(name: str, asked: argparse.Namespace) -> tuple[list[tuple[str, ...]], str]:
    """The rows of a preset, and where its time goes."""
    usual = USUAL.get(name, USUAL["cifar10"])
    steps = asked.steps or usual.steps
    config = resolve(load_preset(name), ("stage1.epochs=1000000", *asked.settings), asked.data or "noise")
    images = load_images(config).train if asked.data else noise(usual.shape)
    kind = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    stage = image_stage(config, images, kind)
    found: dict[str, list[float]] = {"bare": [], "recorded": [], "recorded and watched": []}
    with tempfile.TemporaryDirectory() as runs, Recorder("bench", latents=stage.network.latents, runs=runs) as recorder:
        train = partial(images_per_second, stage, capture=once(how_to_step(config, kind, say)))
        train(recorder, FIRST)
        for i in range(asked.rounds):
            say(f"{name}: round {i + 1} of {asked.rounds}")
            found["bare"].append(train(NoRecorder(), steps))
            found["recorded"].append(train(recorder, steps))
            with contextlib.closing(Dashboard(recorder.folder)):
                time.sleep(2.0)  # its start is not what is measured
                found["recorded and watched"].append(train(recorder, steps))
        told = share(stage, recorder, steps, train)
    best = max(found["bare"])
    rows = [
        (f"{name}, {kind}", number(statistics.median(rates), 4), number(max(rates), 4), f"{max(rates) / best:.3f}")
        for kind, rates in found.items()
    ]
    return rows, f"{name}, {described(config, stage)}: {told}."


def noise(shape: tuple[int, ...]) -> np.ndarray:
    """Images (2000, H, W, C), which are passed over again and again: the arithmetic is that of more."""
    return np.random.default_rng(0).integers(0, 256, (2000, *shape), dtype=np.uint8)


def described(config: Config, stage: Stage) -> str:
    """What is trained, in words."""
    sizes = f"base_dim {config.network.base_dim}" if config.network.name == "resnet" else config.network.name
    return f"{sizes}, {stage.network.latents} latents, batch {stage.settings.batch}"


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", nargs="+", default=list(USUAL), dest="presets")
    parser.add_argument("--data", help="images instead of noise, of one preset")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, help="of a round")
    parser.add_argument("--set", dest="settings", action="append", default=[])
    asked = parser.parse_args()
    begin()
    found = [measure(name, asked) for name in asked.presets]
    where = torch.cuda.get_device_name() if torch.cuda.is_available() else f"CPU, {torch.get_num_threads()} threads"
    rows = [row for each, _ in found for row in each]
    head = ("", "median, images/s", "best", "of bare, best against best")
    print_table(f"A training bare, recorded, and watched, by turns: {where}, torch {torch.__version__}", head, rows)
    for _, told in found:
        print_note(told)


if __name__ == "__main__":
    main()
