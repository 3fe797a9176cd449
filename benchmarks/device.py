"""Torch tensors given to `log`: what a call costs in the training of a small VAE, and whether it waits for the GPU."""

import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from calls import untimed
from figures import call_figures

from vaemon import Recorder, open_run

BATCH, PIXELS, HIDDEN, LATENTS = 100, 784, 400, 64
LEARNING_RATE = 1e-3
ROUNDS, STEPS = 8, 60
"""Rounds without and with a recorder by turns, and steps of each."""
BURSTS, BURST = 20, 5

Values = dict[str, Any]


class SmallVae:
    """An MLP of one hidden layer each way, trained on noise."""

    def __init__(self, device: str, pixels: int = PIXELS, hidden: int = HIDDEN) -> None:
        import torch
        from torch import nn

        class Halves(nn.Module):
            def forward(self, x: Any) -> Any:
                return x.chunk(2, dim=1)

        torch.manual_seed(0)
        self._torch, self._noise = torch, torch.Generator(device).manual_seed(0)
        there = (nn.Linear(pixels, hidden), nn.ReLU(), nn.Linear(hidden, 2 * LATENTS), Halves())
        back = (nn.Linear(LATENTS, hidden), nn.ReLU(), nn.Linear(hidden, pixels))
        self.encoder, self.decoder = nn.Sequential(*there).to(device), nn.Sequential(*back).to(device)
        self.optimizer = torch.optim.Adam([*self.encoder.parameters(), *self.decoder.parameters()], lr=LEARNING_RATE)
        self._images = torch.rand(BATCH, pixels, device=device)

    def step(self) -> Values:
        """One step; the batch's posterior and the scalars, tensors all but the two that are known on the host."""
        mean, log_variance = self.encoder(self._images)
        noise = self._torch.randn(mean.shape, generator=self._noise, device=mean.device)
        z = mean + (0.5 * log_variance).exp() * noise
        mse = (self.decoder(z) - self._images).square().mean()
        kl = 0.5 * (mean.square() + log_variance.exp() - log_variance - 1).sum(1).mean()
        loss = self._images.shape[1] * mse + kl
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        scalars = {"mse": mse.detach(), "kl": kl.detach(), "loss": loss.detach(), "gamma": 1.0}
        scalars["lr"] = LEARNING_RATE
        return {"mean": mean.detach(), "log_variance": log_variance.detach()} | scalars


def reduced(values: Values) -> Values:
    """The posterior reduced by the loop itself: four vectors of 64."""
    mean, log_variance = values["mean"], values["log_variance"]
    variance, squared = log_variance.exp().mean(0), mean.square().mean(0)
    each_kl = 0.5 * (squared + variance - log_variance.mean(0) - 1)
    vectors = {"mean_variance": variance, "mean_mu": mean.mean(0), "mu_squared": squared, "latent_kl": each_kl}
    return vectors | {name: values[name] for name in ("mse", "kl", "loss", "gamma", "lr")}


def measure(folder: Path, kind: str) -> dict[str, Any]:
    """Both ways to log a posterior; on a GPU under a watch that makes every synchronisation an error."""
    import torch

    torch.set_num_threads(1)
    if kind == "auto":
        kind = "cuda" if torch.cuda.is_available() else "cpu"
    model = SmallVae(kind)
    wait = torch.cuda.synchronize if kind == "cuda" else lambda: None
    ways = {"the posterior of a batch, (100, 64)": lambda values: values, "four vectors of 64": reduced}
    rows = [_measure(folder, title, way, model, wait) for title, way in ways.items()]
    syncs = "On the CPU there is no device to wait for; on a GPU this tells whether a call does"
    if kind == "cuda":
        watched = [_watch(folder, title, way, model) for title, way in ways.items()]
        rows += watched
        calm = not any(row["told"] or row["missing"] for row in watched)
        syncs = 'Under `torch.cuda.set_sync_debug_mode("error")`: ' + (
            "no call waited" if calm else "**a call waited**"
        )
    where = torch.cuda.get_device_name() if kind == "cuda" else f"the CPU, {platform.machine()}, one thread"
    shape = f"an MLP {PIXELS}-{HIDDEN}-{LATENTS}, batch {BATCH}, Adam"
    return {"rows": rows, "where": where, "model": shape, "syncs": syncs}


def _measure(
    folder: Path, title: str, way: Callable[[Values], Values], model: SmallVae, wait: Callable[[], None]
) -> dict[str, Any]:
    recorder = Recorder(_name(title), latents=LATENTS, runs=folder)
    recorder.log(1, **way(model.step()))
    took, step, now = untimed(ROUNDS * STEPS), 1, time.perf_counter_ns
    seconds: dict[bool, list[float]] = {False: [], True: []}
    for _ in range(ROUNDS):
        for recorded in (False, True):
            wait()
            began = time.perf_counter()
            for _ in range(STEPS):
                values = way(model.step())
                if recorded:
                    before = now()
                    recorder.log(step + 1, **values)
                    took[step - 1] = now() - before
                    step += 1
            wait()
            seconds[recorded].append((time.perf_counter() - began) / STEPS)
    recorder.close()
    calls, bare = call_figures(took), float(np.median(seconds[False]))
    ratios = np.array(seconds[True]) / np.array(seconds[False])
    figures = {"log": calls, "step": bare * 1e6, "share": float(took.mean()) / 1e7 / bare}
    return figures | {"title": title, "steps": step - 1, "slower": float(np.median(ratios))} | _check(recorder, step)


def _watch(folder: Path, title: str, way: Callable[[Values], Values], model: SmallVae) -> dict[str, Any]:
    # The mode is the process's, so the writer's own fetch would fail under it as well: short bursts, each begun with
    # nothing left to be fetched. An error in log() does not reach the loop; it becomes an event, and a missing row.
    recorder = Recorder(_name(f"watched {title}"), latents=LATENTS, runs=folder)
    recorder.log(1, **way(model.step()))
    took, step, now = untimed(BURSTS * BURST), 1, time.perf_counter_ns
    for _ in range(BURSTS):
        burst = [way(model.step()) for _ in range(BURST)]
        recorder.flush()
        with _no_syncs():
            for values in burst:
                before = now()
                recorder.log(step + 1, **values)
                took[step - 1] = now() - before
                step += 1
    recorder.close()
    figures = {"log": call_figures(took), "step": float("nan"), "share": float("nan"), "slower": float("nan")}
    return figures | {"title": f"{title}, watched", "steps": step - 1} | _check(recorder, step)


@contextmanager
def _no_syncs() -> Iterator[None]:
    import torch

    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


def _check(recorder: Recorder, steps: int) -> dict[str, Any]:
    with open_run(str(recorder.folder)) as run:
        found = run.series("mse").step
        told = [f"{event.kind}: {event.text}" for event in run.events() if event.kind in ("drop", "error")]
    return {"missing": steps - len(found), "told": told}


def _name(title: str) -> str:
    return "-".join("".join(letter if letter.isalnum() else " " for letter in title).split())
