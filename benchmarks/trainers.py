"""What `vaemon train` makes of the machine: images/s of one network, batch and data, against other ways to train it.

(a) a bare hand-written float32 loop, (b) pythae's VAE and RAE_L2 trainers, (c) Lightning with 0 and with 2 workers. The
peers are left out where they are not installed: `pip install lightning pythae pydantic scikit-learn imageio`. All take
turns within one process, round after round; read the ratios, which are of each one's best round. The images are noise.

    python benchmarks/trainers.py [--rounds 3] [--steps 4] [--base-dim 16] [--threads 2]

Then, of a network that is next to nothing, what the framework costs a step over a bare loop, metrics and stream
included, and what the metrics alone do. (Named trainer.py, it would hide the package from every script of this folder.)
"""

import argparse
import contextlib
import io
import logging
import math
import os
import tempfile
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader, TensorDataset
from training import NoRecorder, Timed, images_per_second

from trainer import loop
from trainer.config import Config
from trainer.networks.build import build
from trainer.networks.vae import VAE
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


def loss_of(network: VAE, x: torch.Tensor, gamma_squared: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
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

        def forward(self, x: torch.Tensor) -> ModelOutput:
            mean, log_variance = self.part.to_posterior(self.part.scales(x))
            return ModelOutput(embedding=mean, log_covariance=log_variance)

    class Decoder(BaseDecoder):
        def __init__(self) -> None:
            super().__init__()
            self.part = network.decoder

        def forward(self, z: torch.Tensor) -> ModelOutput:
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

        def training_step(self, given: tuple[torch.Tensor], index: int) -> torch.Tensor:
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


def best_of(loops: dict[str, Loop], rounds: int, steps: int) -> dict[str, float]:
    """Seconds a step of each one's best round; the rounds take turns."""
    best = dict.fromkeys(loops, math.inf)
    for _ in range(rounds):
        for name, train in loops.items():
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                best[name] = min(best[name], train(steps))
    return best


def with_peers(loops: dict[str, Loop], config: Config, images: np.ndarray) -> None:
    """Add those that are installed."""
    peers: dict[str, Callable[[], Loop]] = {
        "pythae VAE": partial(pythae, config, images, False),
        "pythae RAE_L2": partial(pythae, config, images, True),
        "Lightning, 0 workers": partial(lightning, config, images, 0),
        "Lightning, 2 workers": partial(lightning, config, images, 2),
    }
    for name, make in peers.items():
        try:
            loops[name] = make()
        except ImportError as error:
            print(f"{name} left out: {error}")


def framework(rounds: int, runs: Path) -> None:
    """What the framework costs a step of a network that is next to nothing."""
    config = resolve(Config(), ["network=dense", "network.hidden=[1]", "network.latents=64", "stage1.epochs=100000"])
    images = np.random.default_rng(0).integers(0, 256, (1000, 4, 4, 1), dtype=np.uint8)
    with Recorder("next-to-nothing", latents=64, runs=runs) as recorder:
        loops = {"bare": bare(config, images), "silent": ours(config, images, NoRecorder())}
        loops["ours"] = ours(config, images, recorder)
        best = best_of(loops, rounds, 500)
        for name, seconds in best.items():
            print(f"next to nothing, {name:8} {seconds * 1e3:7.3f} ms a step")
        print(f"framework over bare, metrics and stream included: {(best['ours'] - best['bare']) * 1e3:+.3f} ms a step")
    with Recorder("metrics", latents=64, runs=runs) as recorder:
        timed, plain = Timed(recorder), loop.step_to_channels
        loop.step_to_channels = timed.statistics
        try:
            ours(config, images, timed)(500)
        finally:
            loop.step_to_channels = plain
        print(", ".join(f"{name}: {seconds / 500 * 1e6:.0f} us a step" for name, seconds in timed.seconds.items()))


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--base-dim", type=int, default=16)
    parser.add_argument("--threads", type=int, default=2)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    warnings.filterwarnings("ignore")
    logging.disable(logging.INFO)
    print(f"torch {torch.__version__}, {asked.threads} threads, base_dim {asked.base_dim}, batch 100")
    print(f"load {os.getloadavg()}")

    images = np.random.default_rng(0).integers(0, 256, ((asked.steps + 1) * 100, 32, 32, 3), dtype=np.uint8)
    settings = ["network=resnet", f"network.base_dim={asked.base_dim}", "stage1.epochs=100000"]
    config = resolve(Config(), settings)
    with tempfile.TemporaryDirectory() as folder:
        runs = Path(folder)
        with Recorder("float32", latents=64, runs=runs) as first, Recorder("bfloat16", latents=64, runs=runs) as second:
            loops = {"bare float32": bare(config, images), "vaemon float32": ours(config, images, first)}
            if emulates_bfloat16(CPU):
                print("vaemon bfloat16 left out: this processor emulates it")
            else:
                low = resolve(Config(), [*settings, "precision=bfloat16"])
                loops["vaemon bfloat16"] = ours(low, images, second)
            with_peers(loops, config, images)
            best_of(loops, 1, 1)  # what is made in the first step is not what is measured
            best = best_of(loops, asked.rounds, asked.steps)
        for name, seconds in best.items():
            ratio = seconds / best["vaemon float32"]
            print(f"{name:22} {seconds * 1e3:8.1f} ms a step {100 / seconds:7.0f} img/s; vaemon float32: {ratio:.2f} x")
        framework(asked.rounds, runs)
    print(f"load at the end {os.getloadavg()}")


if __name__ == "__main__":
    main()
