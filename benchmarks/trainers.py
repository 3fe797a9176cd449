"""What `vaemon train` makes of the machine: images/s of one network, batch and data, against other ways to train it.

(a) a bare hand-written float32 loop, (b) pythae's VAE and RAE_L2 trainers, (c) Lightning with 0 and with 2 workers. The
peers are left out where they are not installed: `make bench PEERS=1` makes an environment with both. Each has
a process of its own, for how memory is kept is a process's affair, and they take turns, round after round; read the
ratios. The images are noise. The floor is what the network's convolutions take alone, one after the other.

    python benchmarks/trainers.py [--rounds 6] [--steps 4] [--base-dim 16] [--threads 2]

Then, of a network that is next to nothing, what the framework costs a step over a bare loop, metrics and stream
included, and what the metrics alone do. (Named trainer.py, it would hide the package from every script of this folder.)
"""

import argparse
import contextlib
import io
import logging
import multiprocessing
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import torch
from figures import begin, say
from tables import Bars, number, print_absent, print_note, print_table
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset
from training import NoRecorder, Timed, images_per_second

from trainer import loop
from trainer.config import Config
from trainer.memory import keep_freed_memory
from trainer.networks.build import build
from trainer.networks.vae import VAE, images_to_input
from trainer.precision import emulates_bfloat16
from trainer.settings import resolve
from trainer.stages import generator, image_stage
from vaemon import Recorder

CPU = torch.device("cpu")
Loop = Callable[[int], float]
"""Trains so many steps; seconds a step."""


def fresh(config: Config, shape: tuple[int, ...]) -> VAE:
    """The network that all of them train."""
    return build(config, 1, shape, generator(0, 1, 0))


def loss_of(network: VAE, x: Tensor, gamma_squared: Tensor) -> tuple[Tensor, Tensor]:
    """The same objective as a person would write it; with the mse."""
    mean, log_variance = network.encode(x)
    x_hat = network.decode(mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean))
    mse = (x - x_hat).square().mean()
    kl = 0.5 * (mean.square() + log_variance.exp() - log_variance - 1).sum(1).mean()
    return x[0].numel() * mse / (2 * gamma_squared) + kl, mse.detach()


def bare(config: Config, images: np.ndarray) -> Loop:
    """A loop as short as it can be: float32, no channels_last, nothing measured or recorded."""
    network, batch = fresh(config, images.shape[1:]), config.stage1.batch
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-4, fused=True)
    pixels = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()
    gamma_squared = torch.ones(())

    def train(steps: int) -> float:
        nonlocal gamma_squared
        began = time.perf_counter()
        for _ in range(steps):
            x = pixels[torch.randint(len(pixels), (batch,))].float() / 255
            loss, mse = loss_of(network, x, gamma_squared)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            gamma_squared = torch.minimum(gamma_squared, 0.99 * gamma_squared + 0.01 * mse)
        return (time.perf_counter() - began) / steps

    return train


def ours(config: Config, images: np.ndarray, recorder: object) -> Loop:
    """`vaemon train`'s own loop."""
    stage = image_stage(config, images, CPU)
    return lambda steps: config.stage1.batch / images_per_second(stage, recorder, steps)


def pythae(config: Config, images: np.ndarray, regularised: bool) -> Loop:
    """A VAE of pythae with its BaseTrainer, or RAE_L2 with its CoupledOptimizerTrainer."""
    from pythae.data.datasets import BaseDataset
    from pythae.models import RAE_L2, RAE_L2_Config, VAEConfig
    from pythae.models import VAE as PythaeVAE
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder, BaseEncoder
    from pythae.trainers import BaseTrainer, BaseTrainerConfig, CoupledOptimizerTrainer, CoupledOptimizerTrainerConfig

    network, batch = fresh(config, images.shape[1:]), config.stage1.batch

    class Encoder(BaseEncoder):
        def __init__(self) -> None:
            super().__init__()
            self.part = network.encoder
            self.latent_dim = network.latents

        def forward(self, x: Tensor) -> ModelOutput:
            mean, log_variance = self.part.to_posterior(self.part.scales(x))
            return ModelOutput(embedding=mean, log_covariance=log_variance)

    class Decoder(BaseDecoder):
        def __init__(self) -> None:
            super().__init__()
            self.part = network.decoder

        def forward(self, z: Tensor) -> ModelOutput:
            return ModelOutput(reconstruction=self.part.scales(self.part.to_grid(z)).sigmoid())

    settings = {"input_dim": (3, *images.shape[1:3]), "latent_dim": network.latents}
    model = (
        RAE_L2(RAE_L2_Config(**settings), Encoder(), Decoder())
        if regularised
        else PythaeVAE(VAEConfig(**settings, reconstruction_loss="mse"), Encoder(), Decoder())
    )
    kind, given = (
        (CoupledOptimizerTrainer, CoupledOptimizerTrainerConfig) if regularised else (BaseTrainer, BaseTrainerConfig)
    )
    folder = tempfile.mkdtemp()

    def train(steps: int) -> float:
        pixels = torch.from_numpy(images[: steps * batch]).permute(0, 3, 1, 2).float() / 255
        data = BaseDataset(pixels, torch.zeros(len(pixels)))
        chosen = given(output_dir=folder, num_epochs=1, per_device_train_batch_size=batch, no_cuda=True)
        trainer = kind(model, train_dataset=data, training_config=chosen)
        trainer.prepare_training()
        began = time.perf_counter()
        trainer.train_step(epoch=1)
        return (time.perf_counter() - began) / steps

    return train


def lightning(config: Config, images: np.ndarray, workers: int) -> Loop:
    """A LightningModule and a DataLoader; from the end of its first step to that of its last."""
    import lightning

    network, batch = fresh(config, images.shape[1:]), config.stage1.batch

    class Module(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.network = network
            self.gamma_squared = torch.ones(())
            self.ends: list[float] = []

        def training_step(self, given: tuple[Tensor], index: int) -> Tensor:
            loss, mse = loss_of(self.network, given[0], self.gamma_squared)
            self.gamma_squared = torch.minimum(self.gamma_squared, 0.99 * self.gamma_squared + 0.01 * mse)
            self.log_dict({"loss": loss, "mse": mse, "gamma": self.gamma_squared})
            return loss

        def on_train_batch_end(self, *given: object) -> None:
            self.ends.append(time.perf_counter())

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.Adam(self.network.parameters(), lr=1e-4, fused=True)

    def train(steps: int) -> float:
        count = (steps + 1) * batch
        pixels = torch.from_numpy(images[:count]).permute(0, 3, 1, 2).float() / 255
        loader = DataLoader(TensorDataset(pixels), batch_size=batch, shuffle=True, num_workers=workers)
        module = Module()
        quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
        quiet |= {"enable_model_summary": False, "accelerator": "cpu", "max_epochs": 1}
        lightning.Trainer(**quiet).fit(module, loader)
        return (module.ends[-1] - module.ends[0]) / steps

    return train


def floor(config: Config, images: np.ndarray) -> Loop:
    """Its convolutions alone, forward and backward, as they lie in memory when `vaemon train` runs them."""
    keep_freed_memory()
    network = fresh(config, images.shape[1:]).to(memory_format=torch.channels_last)
    x = images_to_input(torch.from_numpy(images[: config.stage1.batch]))
    calls: list[tuple[nn.Module, Tensor]] = []
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            layer.register_forward_hook(lambda layer, given, result: calls.append((layer, given[0].detach())))
    with torch.no_grad():
        network.decode(network.encode(x)[0])
    inputs = [(layer, given.requires_grad_(i > 0)) for i, (layer, given) in enumerate(calls)]
    for layer, _ in inputs:
        layer._forward_hooks.clear()

    def train(steps: int) -> float:
        seconds = 0.0
        for layer, given in inputs:
            wanted = [*layer.parameters(), *([given] if given.requires_grad else [])]
            along = torch.ones_like(layer(given))
            began = time.perf_counter()
            for _ in range(steps):
                torch.autograd.grad(layer(given), wanted, along)
            seconds += time.perf_counter() - began
        return seconds / steps

    return train


@contextlib.contextmanager
def recorded(config: Config, images: np.ndarray) -> Iterator[Loop]:
    """`vaemon train`'s loop with everything recorded."""
    with tempfile.TemporaryDirectory() as runs, Recorder("bench", latents=64, runs=Path(runs)) as recorder:
        keep_freed_memory()
        yield ours(config, images, recorder)


@contextlib.contextmanager
def contender(name: str, config: Config, images: np.ndarray) -> Iterator[Loop]:
    """One of those that are compared.

    Raises:
        ImportError: it is not installed.
    """
    if name.startswith("vaemon"):
        with recorded(config, images) as train:
            yield train
        return
    makers: dict[str, Callable[[], Loop]] = {
        "bare float32": lambda: bare(config, images),
        "convolutions alone": lambda: floor(config, images),
        "pythae VAE": lambda: pythae(config, images, False),
        "pythae RAE_L2": lambda: pythae(config, images, True),
        "Lightning, 0 workers": lambda: lightning(config, images, 0),
        "Lightning, 2 workers": lambda: lightning(config, images, 2),
    }
    yield makers[name]()


OURS = "vaemon float32"
NAMES = ("bare float32", OURS, "vaemon bfloat16", "vaemon RAE-l2", "convolutions alone")
PEERS = ("pythae VAE", "pythae RAE_L2", "Lightning, 0 workers", "Lightning, 2 workers")
FASTER_THAN = {"pythae VAE": 1.10, "pythae RAE_L2": 1.9, "Lightning, 2 workers": 1.4, "convolutions alone": 0.78}
"""How many times as fast as each vaemon is to be."""
MOST_OVER_BARE, MOST_METRICS = 0.15, 40.0
"""Of a step that is next to nothing: ms of all that vaemon does, µs of statistics and log."""
EXTRA = {"vaemon bfloat16": ["precision=bfloat16"], "vaemon RAE-l2": ["balance.name=rae-l2", "stage2.enabled=false"]}


def serve(name: str, base_dim: int, steps: int, threads: int, asked: Connection) -> None:
    """In a process of its own: train as many steps as are asked for, and answer with the seconds a step took."""
    torch.set_num_threads(threads)
    warnings.filterwarnings("ignore")
    logging.disable(logging.INFO)
    images = np.random.default_rng(0).integers(0, 256, ((steps + 1) * 100, 32, 32, 3), dtype=np.uint8)
    settings = ["network=resnet", f"network.base_dim={base_dim}", "stage1.epochs=100000", *EXTRA.get(name, ())]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            with contender(name, resolve(Config(), settings), images) as train:
                asked.send("ready")
                while wanted := asked.recv():
                    asked.send(train(wanted))
        except ImportError as error:
            asked.send(f"left out: {error}")


def compare(base_dim: int, steps: int, rounds: int, threads: int) -> dict[str, list[float]]:
    """Seconds a step in every round, of each; they take turns."""
    names, absent = [*NAMES, *PEERS], list[str]()
    if emulates_bfloat16(torch.device("cpu")):
        print_note("vaemon bfloat16 is left out: this processor emulates it.")
        names.remove("vaemon bfloat16")
    context, lines = multiprocessing.get_context("spawn"), {}
    for name in names:
        near, far = context.Pipe()
        context.Process(target=serve, args=(name, base_dim, steps, threads, far)).start()
        far.close()  # so that a process that dies is noticed
        if (answer := near.recv()) == "ready":
            lines[name] = near
        else:
            say(f"{name} {answer}")
            absent.append(name)
    print_absent(absent)
    found: dict[str, list[float]] = {name: [] for name in lines}
    for turn in range(rounds + 1):
        say(f"round {turn} of {rounds}")
        for name, line in lines.items():
            line.send(steps if turn else 1)
            seconds = line.recv()
            if turn:  # what is made in the first step is not what is measured
                found[name].append(seconds)
    for line in lines.values():
        line.send(0)
    return found


def told(found: dict[str, list[float]], bars: Bars) -> None:
    """Print each one's figures, and how many times as fast as it vaemon is: in the best rounds, and side by side."""
    mine, rows = found[OURS], []
    for name, seconds in found.items():
        best = min(seconds) / min(mine)
        beside = statistics.median(one / other for one, other in zip(seconds, mine, strict=True))
        figures = (number(min(seconds) * 1e3), number(statistics.median(seconds) * 1e3))
        rows.append((name, *figures, f"{best:.2f}", f"{beside:.2f}"))
        if name in FASTER_THAN:
            bars.at_least(f"{OURS}, in {name}", beside, FASTER_THAN[name], "times as fast")
    head = ("", "best, ms a step", "median", f"{OURS} is … as fast: best rounds", "median of the rounds' ratios")
    print_table("One network trained by each, by turns", head, rows)


def framework(rounds: int, runs: Path, bars: Bars) -> None:
    """What the framework costs a step of a network that is next to nothing."""
    config = resolve(Config(), ["network=dense", "network.hidden=[1]", "network.latents=64", "stage1.epochs=100000"])
    images = np.random.default_rng(0).integers(0, 256, (50_000, 4, 4, 1), dtype=np.uint8)
    with Recorder("next-to-nothing", latents=64, runs=runs) as recorder:
        loops = {"bare": bare(config, images), "vaemon, nothing recorded": ours(config, images, NoRecorder())}
        loops["vaemon"] = ours(config, images, recorder)
        with contextlib.suppress(ImportError):
            loops["Lightning, 3 values logged"] = lightning(config, images, 0)
        found: dict[str, list[float]] = {name: [] for name in loops}
        for _ in range(rounds):
            for name, train in loops.items():
                with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                    found[name].append(train(250) * 1e3)
    over = {
        name: statistics.median(one - other for one, other in zip(each, found["bare"], strict=True))
        for name, each in found.items()
    }
    rows = [
        (name, f"{min(each):.3f}", f"{statistics.median(each):.3f}", *_over_bare(name, found, over))
        for name, each in found.items()
    ]
    head = ("", "best, ms a step", "median", "over bare: best", "median of the rounds")
    print_table(f"A network that is next to nothing, {rounds} rounds of 250 steps", head, rows)
    bars.at_most("next to nothing: vaemon over bare", over["vaemon"], MOST_OVER_BARE, "ms a step")
    with Recorder("metrics", latents=64, runs=runs) as recorder:
        metrics(config, images, recorder, bars)


def _over_bare(name: str, found: dict[str, list[float]], over: dict[str, float]) -> tuple[str, str]:
    return ("", "") if name == "bare" else (f"{min(found[name]) - min(found['bare']):+.3f}", f"{over[name]:+.3f}")


def metrics(config: Config, images: np.ndarray, recorder: Recorder, bars: Bars) -> None:
    """What statistics and log take of a step, call by call."""
    timed, plain = Timed(recorder), loop.step_to_channels
    loop.step_to_channels = timed.statistics
    try:
        ours(config, images, timed)(1000)
    finally:
        loop.step_to_channels = plain
    each = {name: seconds / 1000 * 1e6 for name, seconds in timed.seconds.items()}
    print_note(
        " + ".join(f"{name} {took:.0f} µs" for name, took in each.items()) + " of a step, call by call in place."
    )
    bars.at_most("next to nothing: statistics and log", sum(each.values()), MOST_METRICS, "µs a step")


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--base-dim", type=int, default=16)
    parser.add_argument("--threads", type=int, default=2)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    warnings.filterwarnings("ignore")
    logging.disable(logging.INFO)
    begin()
    print_note(f"torch {torch.__version__}, {asked.threads} threads; Resnet of base_dim {asked.base_dim}, batch 100.")
    bars = Bars()
    told(compare(asked.base_dim, asked.steps, asked.rounds, asked.threads), bars)
    with tempfile.TemporaryDirectory() as runs:
        keep_freed_memory()
        framework(4 * asked.rounds, Path(runs), bars)
    bars.print()


if __name__ == "__main__":
    main()
