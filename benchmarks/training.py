"""What recording and watching cost a training: images/s of the CIFAR-10 preset, bare, recorded, and watched.

The rounds alternate within one process, so that what else the machine does strikes all three alike; read the ratios.
The images are noise unless --data names CIFAR-10: the arithmetic is the same.

    python benchmarks/training.py [--preset cifar10] [--data PATH] [--rounds 5] [--steps 20] [--set network.base_dim=16]

The share is what the training thread spends on recording, timed call by call: the statistics of the posteriors (which a
bare round computes too, and throws away) and `Recorder.log`.
"""

import argparse
import os
import pty
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any

import numpy as np
import torch

from trainer import loop
from trainer.images import load_images
from trainer.loop import run_stage
from trainer.settings import load_preset, resolve
from trainer.stages import Stage, image_stage
from vaemon import Recorder


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


def share(stage: Stage, recorder: Recorder, steps: int) -> str:
    """What recording takes of a step."""
    timed, plain = Timed(recorder), loop.step_to_channels
    loop.step_to_channels = timed.statistics
    try:
        rate = images_per_second(stage, timed, steps)
    finally:
        loop.step_to_channels = plain
    step = stage.settings.batch / rate
    parts = [f"{name} {each / steps * 1e6:.0f} us" for name, each in timed.seconds.items()]
    return f"{', '.join(parts)} of a step of {step * 1e3:.1f} ms: {sum(timed.seconds.values()) / steps / step:.2%}"


def images_per_second(stage: Stage, recorder: object, steps: int) -> float:
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


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", default="cifar10")
    parser.add_argument("--data")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--set", dest="settings", action="append", default=[])
    asked = parser.parse_args()

    config = resolve(load_preset(asked.preset), tuple(asked.settings), asked.data or "noise")
    if asked.data:
        images = load_images(config).train
    else:
        images = np.random.default_rng(0).integers(0, 256, (2000, 32, 32, 3), dtype=np.uint8)
    stage = image_stage(config, images, torch.device("cuda" if torch.cuda.is_available() else "cpu"))
    found: dict[str, list[float]] = {"bare": [], "recorded": [], "recorded and watched": []}
    with tempfile.TemporaryDirectory() as runs, Recorder("bench", latents=stage.network.latents, runs=runs) as recorder:
        images_per_second(stage, recorder, 3)
        for _ in range(asked.rounds):
            found["bare"].append(images_per_second(stage, NoRecorder(), asked.steps))
            found["recorded"].append(images_per_second(stage, recorder, asked.steps))
            dashboard = Dashboard(recorder.folder)
            time.sleep(2.0)  # its start is not what is measured
            found["recorded and watched"].append(images_per_second(stage, recorder, asked.steps))
            dashboard.close()
        told = share(stage, recorder, asked.steps)
    where = torch.cuda.get_device_name() if torch.cuda.is_available() else f"CPU, {torch.get_num_threads()} threads"
    print(f"{asked.preset}, base_dim {config.network.base_dim}, batch {config.stage1.batch}, {where}")
    best = max(found["bare"])
    for name, rates in found.items():
        spread = f"median {statistics.median(rates):7.1f}, best {max(rates):7.1f} images/s"
        print(f"{name:<22} {spread}   {max(rates) / best:.3f} of bare (best against best)")
    print(f"recording: {told}")


if __name__ == "__main__":
    main()
