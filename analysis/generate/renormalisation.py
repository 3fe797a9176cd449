"""A run's renormalisation: fitted to 10,000 samples of its second stage, and applied to latents.

Two kinds: `PerLatent` gives each latent the variance expected of it; `AsPublished` is what the published code does.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import reduce
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

from analysis.encode import drawn
from analysis.generate.latents import FIT, POSTERIOR, latents, noise
from analysis.generate.trained import Told, Trained, untold
from analysis.measures.moments import Moments, merge, posterior_moments
from analysis.measures.renormalisation import (
    PUBLISHED_BATCH,
    PUBLISHED_RULE,
    published_factor,
    published_target,
    published_variance_loss,
    renormalise,
    renormalising_factors,
)
from analysis.measures.variance_law import variance_law
from vaemon.errors import UsageError, VaemonError

Array = npt.NDArray[np.float64]
Latents = npt.NDArray[np.float32]
Target = Literal["1", "law"]
Kind = Target | Literal["published"]

FITTED_TO = 10_000
"""Samples of the second stage."""
PUBLISHED_IMAGES = 10_000
"""Test images that the published code takes, at most."""


@dataclass(frozen=True, eq=False, slots=True)
class Fitted:
    """What a renormalisation was fitted to: samples of a second stage, each array (k,), float64."""

    steps: tuple[int, int]
    """Trained in the two stages; once either is trained further, it is stale."""
    seed: int
    mean: Array
    """E[z_i]."""
    variance: Array
    """Var[z_i]."""

    def is_stale(self, trained: Trained) -> bool:
        """Whether the run's checkpoints are others by now."""
        return self.steps != trained.steps


@dataclass(frozen=True, eq=False, slots=True)
class PerLatent(Fitted):
    """Each latent about its own mean, to its own target."""

    kind: ClassVar[str] = "per latent"
    target: Array
    """Variance expected of each latent."""
    expected: Target
    """What that is: 1, or the latent's own E[μ²] + E[σ²] in the first stage."""

    @property
    def factor(self) -> Array:
        """√(target_i / Var[z_i]), (k,)."""
        return renormalising_factors(self.variance, self.target)

    @property
    def name(self) -> str:
        """What it is, in words."""
        return "to a variance of 1" if self.expected == "1" else "to the variance law of each latent, E[μ²] + E[σ²]"

    def applied(self, blocks: Iterable[Latents], stage: int) -> Iterator[Latents]:
        """Renormalise latents of the second stage.

        Raises:
            UsageError: they are of the first, whose variance is that of the prior.
        """
        if stage != 2:
            raise UsageError("the latents of stage 1 are the prior's own, there is nothing to renormalise: --stage 2")
        return (renormalise(z, self.mean, self.factor) for z in blocks)


@dataclass(frozen=True, eq=False, slots=True)
class AsPublished(Fitted):
    """One factor for all latents of a generated batch of 100, where the rule says so (asperti/BalancingVAE)."""

    kind: ClassVar[str] = "as published"
    target: float
    """Standard deviation that is aimed at."""
    loss: float
    """What the rule is on: the loss of variance in the second stage's reconstructions, over their mse."""

    @property
    def fires(self) -> bool:
        """Whether the rule has latents renormalised at all."""
        return self.loss > PUBLISHED_RULE

    @property
    def name(self) -> str:
        """What it is, in words."""
        return f"as published, to a deviation of {self.target:.4f}" + ("" if self.fires else "; the rule does not fire")

    def factor_of(self, batch: Latents) -> float:
        """By which one generated batch is multiplied."""
        return published_factor(batch, self.target) if self.fires else 1.0

    def applied(self, blocks: Iterable[Latents], stage: int) -> Iterator[Latents]:
        """Renormalise latents of the second stage; those of the first are multiplied by the target, as published.

        Args:
            blocks: each of whole batches; the last batch of all may lack some.
            stage: 1 or 2.
        """
        for z in blocks:
            if stage == 1:
                yield z * np.float32(self.target if self.fires else 1.0)
            else:
                yield np.concatenate([each * np.float32(self.factor_of(each)) for each in batches(z)])


Renormalisation = PerLatent | AsPublished


def batches(z: Latents) -> list[Latents]:
    """Latents (n, k) in the batches in which the published code generates them."""
    return [z[start : start + PUBLISHED_BATCH] for start in range(0, len(z), PUBLISHED_BATCH)]


def fit(trained: Trained, expected: Target = "1", told: Told = untold) -> PerLatent:
    """Fit per latent.

    Args:
        trained: with a second stage.
        expected: "1", or "law": then the whole test set is encoded.
        told: how many test images are encoded.

    Raises:
        UsageError: there is no second stage.
        VaemonError: its samples, or the posteriors, are not finite.
        DataNotFound: the images are not there.
    """
    mean, variance = _samples(trained)
    target = np.ones_like(variance)
    if expected == "law":
        moments = _first_stage(trained.posteriors(told=told))
        target = variance_law(moments.mu_squared, moments.mean_variance)
    return PerLatent(trained.steps, trained.config.seed, mean, variance, target, expected)


def fit_as_published(trained: Trained, told: Told = untold) -> AsPublished:
    """Fit as the published code does, on up to 10,000 test images. Raises as of `fit`.

    ẑ is what the second stage decodes of one sample, under the run's seed, of its posterior of μ.
    """
    mean, variance = _samples(trained)
    epsilon = noise(trained.config.seed, POSTERIOR, FIT)
    posteriors = list(trained.posteriors(PUBLISHED_IMAGES, told))
    first = _first_stage(posteriors)
    mu = [block for block, _ in posteriors]
    z_hat = [trained.decode_second(drawn(*trained.encode_second(block), epsilon)) for block in mu]
    return AsPublished(
        trained.steps,
        trained.config.seed,
        mean,
        variance,
        published_target(first.mu_variance, first.mean_deviation),
        published_variance_loss(np.concatenate(mu), np.concatenate(z_hat)),
    )


def fit_kind(trained: Trained, kind: Kind, told: Told = untold) -> Renormalisation:
    """Fit as published, or per latent to a target. Raises as of `fit`."""
    return fit_as_published(trained, told) if kind == "published" else fit(trained, kind, told)


def _samples(trained: Trained) -> tuple[Array, Array]:
    """Mean and variance of each latent over the samples that are fitted to, (k,)."""
    seed = trained.config.seed
    z = np.concatenate(list(latents(trained, 2, FITTED_TO, seed, FIT))).astype(np.float64)
    if bad := int((~np.isfinite(z).all(axis=0)).sum()):
        raise VaemonError(
            f"{bad} of the {z.shape[1]} latents that the second stage of run {trained.folder.name!r} generates are not "
            "finite; its training went bad: train it anew, with a lower stage2.lr"
        )
    return z.mean(axis=0), z.var(axis=0)


def _first_stage(posteriors: Iterable[tuple[Latents, Latents]]) -> Moments:
    moments = reduce(merge, (posterior_moments(*each) for each in posteriors))
    if not (np.isfinite(moments.mu_squared).all() and np.isfinite(moments.mean_variance).all()):
        raise VaemonError(
            "the first stage's posteriors of the test images are not finite; its training went bad: train it anew, "
            "with a lower stage1.lr"
        )
    return moments
