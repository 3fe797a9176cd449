"""What the benchmarks record: five scalars a step, and vectors with one number a latent."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

SCALARS = ("mse", "kl", "gamma", "loss", "lr")
VECTORS = ("mean_variance", "mean_mu", "mu_squared", "latent_kl")

DIFFERENT_ROWS = 512


@dataclass(frozen=True)
class Workload:
    """So many float32 vectors of one size beside the five scalars."""

    name: str
    vectors: int
    size: int

    @property
    def names(self) -> tuple[str, ...]:
        """The channels, in the order of `rows`."""
        return SCALARS + VECTORS[: self.vectors]

    @property
    def raw_bytes(self) -> int:
        """Bytes a step: the step, each scalar in eight, each value of a vector in four."""
        return 8 + 8 * len(SCALARS) + 4 * self.vectors * self.size

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """Rows to be logged in turn: scalars are Python floats, vectors arrays (size,)."""
        vectors = [self.table(name) for name in self.names[len(SCALARS) :]]
        scalars = np.random.default_rng(0).uniform(1e-3, 1e3, (DIFFERENT_ROWS, len(SCALARS))).tolist()
        return [
            dict(zip(self.names, (*scalars[j], *(vector[j] for vector in vectors)), strict=True))
            for j in range(DIFFERENT_ROWS)
        ]

    def table(self, name: str) -> Any:
        """What `rows` has for one vector: (rows, size). Half of the latents are awake, none wakes or falls asleep."""
        noise = np.random.default_rng(VECTORS.index(name)).uniform(-0.02, 0.02, (DIFFERENT_ROWS, self.size))
        return (np.where(np.arange(self.size) < self.size // 2, 0.05, 0.95) + noise).astype(np.float32)


ONE_64 = Workload("one 64-vector", 1, 64)
ONE_1024 = Workload("one 1,024-vector", 1, 1024)
FOUR_64 = Workload("four 64-vectors", 4, 64)
WORKLOADS = {"a": ONE_64, "b": ONE_1024, "c": FOUR_64}

WAKING_SCALARS = ("mse", "kl", "gamma", "loss")


@dataclass(frozen=True)
class Waking:
    """A training in which one latent after another wakes: what a dashboard is shown."""

    latents: int = 64
    steps: int = 50_000
    """Steps within which the last one has woken."""

    def row(self, step: int) -> dict[str, Any]:
        """A step's values, the same whoever asks: scalars are Python floats, mean_variance an array (latents,)."""
        random = np.random.default_rng(step)
        begins = (np.arange(self.latents) + 0.5) / self.latents * 0.8 * self.steps
        awake = 1 / (1 + np.exp(-np.clip((step - begins) / (0.01 * self.steps), -50, 50)))
        variance = 0.97 - 0.9 * awake + random.normal(0, 0.027, self.latents)
        gamma = 0.1 + 0.9 * float(np.exp(-4 * step / self.steps))
        mse, kl = gamma**2 * random.uniform(0.9, 1.1), 2 * float(awake.sum()) * random.uniform(0.95, 1.05)
        scalars = dict(zip(WAKING_SCALARS, (mse, kl, gamma, mse / gamma**2 + kl), strict=True))
        return scalars | {"mean_variance": np.clip(variance, 1e-3, None).astype(np.float32)}


WAKING = Waking()
