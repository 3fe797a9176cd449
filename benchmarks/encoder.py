"""What `watch_encoder` costs a step, over the same loop with nothing recorded, and beside one that calls `log` itself.

    python benchmarks/encoder.py [--rounds 100] [--steps 100]

A VAE of tiny dense layers, batch 100, 64 latents, is trained on the CPU by four loops in turns of some steps, each
with a network, an optimizer and a run of its own: bare; `recorder.log` written into the loop; the encoder hooked and
recorded at each step of the optimizer; the encoder hooked, its `take()` given to the loop's own `log`. All but the
first record the same: four vectors of the latents and the learning rate. The seconds are the processor's, of the
training's thread: others take none of them, and the recorder's own thread is not in them. Differences and ratios are
between neighbouring rounds.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import torch
from device import LATENTS, LEARNING_RATE, SmallVae
from figures import begin
from tables import Bars, number, print_table

from vaemon import Recorder, open_run, watch_encoder

BARE, BY_HAND, HOOKED, TAKEN = (
    "bare",
    "`recorder.log` in the loop",
    "`watch_encoder`",
    "its `take()`, logged in the loop",
)
SIZE = 32
"""Pixels and hidden units: so few that a step is little but torch's own calls."""
MOST_OVER_HAND = 1.05
"""A step with the hook, in those of a loop that logs by itself."""
Step = Callable[[int], object]


def loops(folder: Path, opened: ExitStack) -> dict[str, Step]:
    """A step of each, given its number."""
    models = {name: SmallVae("cpu", SIZE, SIZE) for name in (BARE, BY_HAND, HOOKED, TAKEN)}
    by_hand, hooked, taken = (
        opened.enter_context(Recorder(name, latents=LATENTS, runs=folder)) for name in ("by-hand", "hooked", "taken")
    )
    watch_encoder(models[HOOKED].encoder, hooked, optimizer=models[HOOKED].optimizer)
    watch = watch_encoder(models[TAKEN].encoder)

    def logged(step: int) -> None:
        found = models[BY_HAND].step()
        by_hand.log(step, mean=found["mean"], log_variance=found["log_variance"], lr=LEARNING_RATE)

    def given(step: int) -> None:
        models[TAKEN].step()
        taken.log(step, **watch.take(), lr=LEARNING_RATE)

    return {
        BARE: lambda step: models[BARE].step(),
        BY_HAND: logged,
        HOOKED: lambda step: models[HOOKED].step(),
        TAKEN: given,
    }


def measure(rounds: int, steps: int) -> dict[str, list[float]]:
    """Milliseconds of the training's thread a step, in every round.

    What was recorded is read back, and must be the same of all.
    """
    with tempfile.TemporaryDirectory(prefix="vaemon-bench-") as place, ExitStack() as opened:
        ways = loops(Path(place), opened)
        took: dict[str, list[float]] = {name: [] for name in ways}
        for i in range(rounds + 1):
            for name, step in ways.items():
                began = time.thread_time()
                for j in range(steps):
                    step(1 + i * steps + j)
                if i:  # what is made in the first round is not what is measured
                    took[name].append((time.thread_time() - began) / steps * 1e3)
        opened.close()
        recorded = [rows(Path(place) / name) for name in ("by-hand", "hooked", "taken")]
        assert all(each.shape == ((rounds + 1) * steps, LATENTS) for each in recorded), "rows are missing"
        assert all(np.allclose(each, recorded[0]) for each in recorded), "they have not recorded the same"
    return took


def rows(run: Path) -> np.ndarray:
    """E[σ²] of every step, (steps, latents)."""
    with open_run(str(run)) as reader:
        return reader.series("mean_variance").mean


def report(took: dict[str, list[float]], title: str) -> None:
    """The table and the bars."""
    bare, by_hand = took[BARE], took[BY_HAND]
    over = {name: statistics.median(np.subtract(each, bare)) for name, each in took.items()}
    beside = {name: statistics.median(np.divide(each, by_hand)) for name, each in took.items()}
    share = {name: each / statistics.median(bare) for name, each in over.items()}
    table = []
    for name, each in took.items():
        added = ("", "") if name == BARE else (number(over[name] * 1e3), f"{share[name]:.1%}")
        table.append((name, f"{min(each):.3f}", f"{statistics.median(each):.3f}", *added, f"{beside[name]:.3f}"))
    head = (
        "",
        "best, ms of the processor a step",
        "median",
        "over bare, µs",
        "of a bare step",
        "in those that log in the loop",
    )
    print_table(title, head, table)
    bars = Bars()
    bars.at_most("a step with the hook, in one that logs in the loop", beside[HOOKED], MOST_OVER_HAND, "×")
    bars.print()


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--steps", type=int, default=100, help="of a round")
    asked = parser.parse_args()
    begin()
    torch.set_num_threads(1)
    title = f"A VAE of tiny layers, 64 latents, batch 100: {asked.rounds} rounds of {asked.steps} steps by turns"
    report(measure(asked.rounds, asked.steps), title)


if __name__ == "__main__":
    main()
