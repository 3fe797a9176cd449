"""Latents to decode: of the prior, of the second stage, of the density of a regularised autoencoder; under a seed."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.generate.trained import BLOCK, Trained
from trainer.density import Mixture

Array = npt.NDArray[np.float32]

PRIOR, SECOND, NOISE, COMPONENT, POSTERIOR, PAIRS = range(10, 16)
"""What random numbers are drawn for; each purpose has a generator of its own, so that none depends on another."""
SAMPLES, FIT, CHECK = range(3)
"""Whose they are: samples for people, those that a renormalisation is fitted to, and those that it is tried on."""


def noise(seed: int, purpose: int, whose: int = SAMPLES) -> np.random.Generator:
    """Random numbers for one purpose, the same on every device and in any cut into blocks."""
    return np.random.default_rng([seed, purpose, whose])


def latents(trained: Trained, stage: int, count: int, seed: int, whose: int = SAMPLES) -> Iterator[Array]:
    """Blocks of `count` latents z, each block (n, k), as they are before any renormalisation.

    Stage 1: z ~ N(0, I); of a regularised autoencoder, from the density of its codes (Ghosh et al. 2020). Stage 2:
    u ~ N(0, I), z = ẑ(u); with a learned γ, z ~ N(ẑ(u), γ_z²) (Dai & Wipf 2019), where the code published for the
    computed γ adds no noise.

    Raises:
        UsageError: the run has no such stage.
        RunFileError: a file of the run is damaged.
    """
    draw = _second(trained, seed, whose) if stage == 2 else _first(trained, seed, whose)
    for start in range(0, count, BLOCK):
        # Always whole blocks, the last one cut afterwards: a matrix product of other size may round otherwise.
        yield draw(BLOCK)[: count - start]


def _first(trained: Trained, seed: int, whose: int) -> Callable[[int], Array]:
    prior = noise(seed, PRIOR, whose)
    if trained.is_deterministic:
        return _mixture(trained.density, prior, noise(seed, COMPONENT, whose))
    return lambda count: prior.standard_normal((count, trained.latents), np.float32)


def _second(trained: Trained, seed: int, whose: int) -> Callable[[int], Array]:
    prior, about = noise(seed, SECOND, whose), noise(seed, NOISE, whose)
    size, deviation = trained.second.model.latents, trained.sampling_noise

    def draw(count: int) -> Array:
        z = trained.decode_second(prior.standard_normal((count, size), np.float32))
        if deviation is None:
            return z
        return z + np.float32(deviation) * about.standard_normal(z.shape, np.float32)

    return draw


def _mixture(density: Mixture, prior: np.random.Generator, component: np.random.Generator) -> Callable[[int], Array]:
    """Draws from a mixture of Gaussians: a component by its weight, then its mean + root · ε."""
    roots = np.linalg.cholesky(density.covariances)
    edges = np.cumsum(density.weights)

    def draw(count: int) -> Array:
        which = np.minimum(np.searchsorted(edges, component.random(count), side="right"), len(edges) - 1)
        epsilon = prior.standard_normal((count, density.means.shape[1]))
        moved = np.einsum("nij,nj->ni", roots[which], epsilon)
        return np.asarray(density.means[which] + moved, np.float32)

    return draw


def drawn(mean: npt.NDArray[Any], log_variance: npt.NDArray[Any], generator: np.random.Generator) -> Array:
    """One sample of each posterior, z = μ + σ ε, (n, k)."""
    epsilon = generator.standard_normal(mean.shape, np.float32)
    return np.asarray(mean + np.exp(0.5 * log_variance) * epsilon, np.float32)
