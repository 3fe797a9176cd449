"""Latents to decode: of the prior, of the second stage, of the density of a regularised autoencoder; under a seed."""

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import torch

from analysis.generate.trained import BLOCK, Trained

Array = npt.NDArray[np.float32]

PRIOR, SECOND, NOISE, CODES, POSTERIOR, PAIRS, COMPONENT = range(10, 17)
"""What random numbers are drawn for; each purpose has a generator of its own, so that none depends on another."""
SAMPLES, FIT, CHECK = range(3)
"""Whose they are: samples for people, those that a renormalisation is fitted to, and those that it is tried on."""


def noise(seed: int, purpose: int, whose: int = SAMPLES) -> np.random.Generator:
    """Random numbers for one purpose, the same on every device and in any cut into blocks."""
    return np.random.default_rng([seed, purpose, whose])


def latents(trained: Trained, stage: int, count: int, seed: int, whose: int = SAMPLES) -> Iterator[Array]:
    """Blocks of `count` latents z, each block (n, k), as they are before any renormalisation.

    Stage 1: z ~ N(0, I); of a regularised autoencoder, from the density of its codes (Ghosh et al. 2020); of a
    VampPrior, from the posterior of a pseudo-input drawn by chance (Tomczak & Welling 2018). Stage 2: u ~ N(0, I),
    z = ẑ(u); with a learned γ, z ~ N(ẑ(u), γ_z²) (Dai & Wipf 2019), where the code published for the computed γ adds
    no noise.

    Raises:
        UsageError: the run has no such stage.
        RunFileError: a file of the run is damaged.
    """
    draw = _second(trained, seed, whose) if stage == 2 else _first(trained, seed, whose)
    for start in range(0, count, BLOCK):
        # Always whole blocks, the last one cut afterwards: a matrix product of other size may round otherwise.
        yield draw(BLOCK)[: count - start]


def _first(trained: Trained, seed: int, whose: int) -> Callable[[int], Array]:
    if not trained.has_prior:
        density, codes = trained.density, torch.Generator()
        codes.manual_seed(int(noise(seed, CODES, whose).integers(2**63)))
        return lambda count: density.sample(count, codes).numpy()
    prior = noise(seed, PRIOR, whose)
    if not trained.has_normal_prior:
        return _of_mixture(*trained.mixture, prior, noise(seed, COMPONENT, whose))
    return lambda count: prior.standard_normal((count, trained.latents), np.float32)


def _of_mixture(
    mean: Array, log_variance: Array, about: np.random.Generator, component: np.random.Generator
) -> Callable[[int], Array]:
    deviation = np.exp(np.float32(0.5) * log_variance)

    def draw(count: int) -> Array:
        which = component.integers(len(mean), size=count)
        z: Array = mean[which] + deviation[which] * about.standard_normal((count, mean.shape[1]), np.float32)
        return z

    return draw


def _second(trained: Trained, seed: int, whose: int) -> Callable[[int], Array]:
    prior, about = noise(seed, SECOND, whose), noise(seed, NOISE, whose)
    size, deviation = trained.second.model.latents, trained.sampling_noise

    def draw(count: int) -> Array:
        z = trained.decode_second(prior.standard_normal((count, size), np.float32))
        if deviation is None:
            return z
        return z + np.float32(deviation) * about.standard_normal(z.shape, np.float32)

    return draw
