"""A stage as it stands between two steps: network, optimizer, balance, batches, randomness, and how far it is.

Two kinds, told apart only by what a batch is: images, or fresh samples of the images' posteriors.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from trainer.balance.registry import build_balance
from trainer.balance.strategy import Plan
from trainer.config import Config, Stage1, Stage2
from trainer.feed import Batches, Feed, resident, streamed
from trainer.networks.build import build
from trainer.networks.vae import VAE, draw_share, images_to_input
from vaemon.errors import UsageError

WEIGHTS, SHUFFLE, NOISE, EVALUATION, DENSITY = range(5)
"""What random numbers are drawn for; each purpose of each stage has a generator of its own."""


class Stage:
    """One stage of a training. It knows its state and how to save it, not how to train."""

    def __init__(
        self,
        number: int,
        settings: Stage1 | Stage2,
        config: Config,
        network: VAE,
        count: int,
        take: Callable[[Tensor, torch.Generator], Tensor],
        feed: Feed,
        device: torch.device,
    ) -> None:
        """Put a stage together.

        Args:
            number: 1 or 2.
            settings: the stage's section of `config`.
            config: of the run.
            network: with fresh weights, on the CPU.
            count: training samples.
            take: makes a batch of what `feed` gives, drawing from the generator where it needs noise.
            feed: brings what batches are made of to the device.
            device: where to train.

        Raises:
            UsageError: there are fewer samples than a batch takes, or steps than the balance needs.
        """
        if settings.batch > count:
            raise UsageError(
                f"stage{number}.batch={settings.batch}, but there are only {count} training images; "
                f"--set stage{number}.batch={count} or less"
            )
        self.number = number
        self.settings = settings
        self.device = device
        self.network = network.to(device, memory_format=torch.channels_last)
        self.steps_per_epoch = count // settings.batch  # the last, partial batch is dropped
        self.total_steps = planned_steps(settings, self.steps_per_epoch)
        self.balance = build_balance(config.balance, Plan(self.total_steps, self.steps_per_epoch)).to(device)
        self.weights = [*self.network.parameters(), *self.balance.parameters()]
        self.optimizer = torch.optim.Adam(
            self.weights,
            lr=settings.lr,
            betas=(0.9, 0.999),
            eps=1e-8,
            fused=device.type in ("cpu", "cuda"),
        )
        self.step = 0
        """Steps trained."""
        self.best = math.inf
        """The least test mse of an evaluation so far, and the step of it: 0 where there was none."""
        self.best_step = 0
        self.evaluated = 0
        """The last step after which an evaluation was due, and made, or none was due."""
        self.count = count
        self.noise = generator(config.seed, number, NOISE, device)
        self._seed = config.seed
        self._take, self._feed = take, feed
        # On the CPU, so that the order of the images is the same on every device.
        self._shuffle = generator(config.seed, number, SHUFFLE)
        self._epoch_began = self._shuffle.get_state()

    @property
    def epoch(self) -> int:
        """Passes over the training data begun before the present one."""
        return self.step // self.steps_per_epoch

    @property
    def learning_rate(self) -> float:
        """Of the next step: lr · ½^⌊epoch / halve_every⌋."""
        every = self.settings.halve_every
        return self.settings.lr * 0.5 ** (self.epoch // every if every else 0)

    @property
    def done(self) -> bool:
        """Whether every planned step is trained."""
        return self.step >= self.total_steps

    def shuffle(self) -> Tensor:
        """Begin an epoch, or go on with an interrupted one: row numbers of its batches, (steps_per_epoch, B)."""
        if self.step % self.steps_per_epoch == 0:
            self._epoch_began = self._shuffle.get_state()
        else:
            self._shuffle.set_state(self._epoch_began)
        order = torch.randperm(self.count, generator=self._shuffle)
        batch = self.settings.batch
        return order[: self.steps_per_epoch * batch].view(-1, batch)

    def batches(self) -> Batches:
        """What `take` makes the batches of, from the next step to the last of its epoch, or of the stage; to be closed.

        Of several processes each has its part of every batch. They are to be trained at the rate that the optimizer
        has from here on.
        """
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate
        first = self.step % self.steps_per_epoch
        return self._feed(self.shuffle()[first : first + self.total_steps - self.step])

    def take(self, given: Tensor) -> Tensor:
        """One of those, as the network's input."""
        return self._take(given, self.noise)

    def state_dict(self) -> dict[str, Any]:
        """Everything that training goes on from, exactly."""
        within = self.step % self.steps_per_epoch != 0
        return {
            "step": self.step,
            "epoch": self.epoch,
            "steps_per_epoch": self.steps_per_epoch,
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "balance": self.balance.state_dict(),
            "shuffle": self._epoch_began if within else self._shuffle.get_state(),
            "noise": self.noise.get_state(),
            "torch": _own_state(self.device),
            "best": self.best,
            "best_step": self.best_step,
            "evaluated": self.evaluated,
            "device": self.device.type,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take a state back.

        Raises:
            UsageError: it was made with another number of images.
        """
        if state["steps_per_epoch"] != self.steps_per_epoch:
            raise UsageError(
                f"the run has {state['steps_per_epoch']} batches an epoch in stage {self.number}, the data at hand "
                f"give {self.steps_per_epoch}; a run goes on with the images it began with"
            )
        self.step = state["step"]
        self.best, self.best_step, self.evaluated = state["best"], state["best_step"], state["evaluated"]
        torch.set_rng_state(state["torch"]["cpu"])
        if self.device.type == "cuda" and "cuda" in state["torch"]:
            torch.cuda.set_rng_state(state["torch"]["cuda"], self.device)
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.balance.load_state_dict(state["balance"])
        self._epoch_began = state["shuffle"]
        self._shuffle.set_state(state["shuffle"])
        if state["device"] == self.device.type:
            self.noise.set_state(state["noise"])
        else:
            # The kinds of device draw different numbers, so this is a new stream: equal in law, not in value.
            self.noise = generator(self._seed, self.number, NOISE, self.device, self.step)


def _own_state(device: torch.device) -> dict[str, Tensor]:
    """The state of torch's own generators, by kind of device."""
    state = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        state["cuda"] = torch.cuda.get_rng_state(device)
    return state


def planned_steps(settings: Stage1 | Stage2, steps_per_epoch: int) -> int:
    """Steps that a stage is to train."""
    steps = settings.epochs * steps_per_epoch
    return min(steps, settings.max_steps) if settings.max_steps else steps


def check_balance(config: Config, count: int) -> None:
    """Refuse a balance that a stage is too short for, before the first of them is trained.

    Args:
        config: of the run.
        count: training images.

    Raises:
        UsageError: a warm-up is longer than a stage.
    """
    both: tuple[Stage1 | Stage2, ...] = (config.stage1, config.stage2) if config.stage2.enabled else (config.stage1,)
    epoch = [(settings, count // settings.batch) for settings in both]
    plans = [Plan(planned_steps(settings, steps), steps) for settings, steps in epoch if steps]
    for plan in sorted(plans, key=lambda plan: plan.total_steps / plan.steps_per_epoch):  # what fits one, fits all
        build_balance(config.balance, plan)


def image_stage(
    config: Config, images: np.ndarray[Any, Any], device: torch.device, *, from_host: bool = False
) -> Stage:
    """Stage 1: the VAE of the images, whose bytes are made float on the device.

    Args:
        config: of the run.
        images: bytes (n, H, W, C).
        device: where to train; they stay there for the whole stage.
        from_host: leave them where they are, and bring the device one batch after another.

    Raises:
        UsageError: the images do not fit the network or the batch.
    """
    pixels = torch.from_numpy(images)
    if not from_host:
        pixels = pixels.to(device)

    def take(given: Tensor, noise: torch.Generator) -> Tensor:
        return images_to_input(given if from_host else pixels[given])

    network = build(config, 1, images.shape[1:], generator(config.seed, 1, WEIGHTS))
    feed = streamed(pixels, device) if from_host else resident(device)
    return Stage(1, config.stage1, config, network, len(images), take, feed, device)


def latent_stage(config: Config, mean: Tensor, log_variance: Tensor, shape: tuple[int, ...]) -> Stage:
    """Stage 2: the VAE of the latents, each batch z = μ + σ ε with fresh ε.

    Args:
        config: of the run.
        mean: μ of every training image, (n, k), on the device to train on.
        log_variance: log σ², (n, k).
        shape: of an image, (H, W, C).
    """

    def take(rows: Tensor, noise: torch.Generator) -> Tensor:
        return draw_share(mean[rows], log_variance[rows], noise)

    network = build(config, 2, shape, generator(config.seed, 2, WEIGHTS))
    return Stage(2, config.stage2, config, network, len(mean), take, resident(mean.device), mean.device)


def generator(
    seed: int, stage: int, purpose: int, device: torch.device | str = "cpu", begun_at: int = 0
) -> torch.Generator:
    """Random numbers for one purpose of one stage under a seed; `begun_at` tells apart streams begun later."""
    return torch.Generator(device).manual_seed(seed_of(seed, stage, purpose, begun_at))


def seed_of(seed: int, stage: int, purpose: int, begun_at: int = 0) -> int:
    """The seed of those, below 2⁶³."""
    mixed = np.random.SeedSequence([seed, stage, purpose, begun_at]).generate_state(1, np.uint64)
    return int(mixed[0]) >> 1
