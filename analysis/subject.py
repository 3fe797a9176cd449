"""What the measures are taken on, and by which definitions."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from analysis.inputs import PosteriorStatistics
from analysis.measures.aggregate import aggregate_covariance
from analysis.measures.collapse import collapsed
from analysis.measures.inactive import inactive_as_published
from analysis.measures.polarised import variable_kinds
from analysis.rules import DEFAULT as RULES
from analysis.rules import Rules
from vaemon import latents
from vaemon.thresholds import DEFAULT, Thresholds

Array = npt.NDArray[Any]
Basis = Literal["stream", "checkpoint", "posterior", "published"]


@dataclass(frozen=True, eq=False, slots=True)
class Subject:
    """The statistics of a stage's posteriors, and all that latents are judged by."""

    posterior: PosteriorStatistics
    woke: Array
    """Step at which each latent that is awake last woke, -1 for the sleepers, (k,)."""
    threshold: float = DEFAULT.inactive
    """From where on a latent is inactive."""
    as_published: bool = False
    """Whether the published code's definitions are in force; E[σ] must then be known."""
    at: Thresholds = DEFAULT
    """What else latents are judged by."""
    rules: Rules = RULES
    """And what is asked of their posteriors, sample by sample."""

    @property
    def basis(self) -> Basis:
        """What the table shows: by the paper from the stream, a checkpoint or arrays, or as published."""
        return "published" if self.as_published else self.posterior.origin.kind

    @property
    def deviation(self) -> Array:
        """E[σ], (k,); NaN where it is not known."""
        return self.known("mean_deviation")

    @property
    def inactive(self) -> npt.NDArray[np.bool_]:
        """Which latents are inactive by the definition in force, (k,)."""
        return self.inactive_as_published if self.as_published else self.inactive_by_paper

    @property
    def inactive_by_paper(self) -> npt.NDArray[np.bool_]:
        """Which latents are inactive by the paper, (k,)."""
        return latents.inactive(self.posterior.mean_variance, self.threshold)

    @property
    def inactive_as_published(self) -> npt.NDArray[np.bool_]:
        """Which latents are inactive by the published code, (k,)."""
        return inactive_as_published(self.deviation, self.threshold)

    @property
    def active_units(self) -> npt.NDArray[np.bool_]:
        """Which latents are active units, (k,)."""
        return latents.active_units(self.posterior.mu_variance, self.at.unit)

    @property
    def collapsed(self) -> npt.NDArray[np.bool_]:
        """Which latents are (ε, δ)-collapsed, (k,)."""
        return collapsed(self.known("near_prior"), self.rules.delta)

    @property
    def kinds(self) -> Array:
        """Whether each latent is an active, mixed or passive variable, (k,)."""
        spread = self.known("variance_variance")
        return variable_kinds(self.posterior.mean_variance, spread, self.rules.near, self.rules.spread)

    @property
    def states(self) -> Array:
        """The `LatentState` of each latent, (k,)."""
        return latents.states(self.posterior.mean_variance, self.posterior.kl, self.woke >= 0, self.at)

    @property
    def wake_order(self) -> Array:
        """The how many-th each latent woke of those awake, from 1, (k,); as many as woke at one step share a place.

        -1 for the sleepers.
        """
        places = np.searchsorted(np.sort(self.woke[self.woke >= 0]), self.woke) + 1
        return np.where(self.woke >= 0, places, -1)

    @property
    def z_variance(self) -> Array:
        """Var(z) of the aggregate posterior, Var(μ) + E[σ²], (k,)."""
        return self.posterior.mu_variance + self.posterior.mean_variance

    @property
    def z_covariance(self) -> Array:
        """Cov(z) of the aggregate posterior, (k, k); it must be known."""
        assert self.posterior.mu_covariance is not None
        return aggregate_covariance(self.posterior.mu_covariance, self.posterior.mean_variance)

    def known(self, field: str) -> Array:
        """A field of the statistics with one value a latent, (k,); NaN where it is not known."""
        values = getattr(self.posterior, field)
        return np.full_like(self.posterior.mean_variance, np.nan) if values is None else values

    def lost(self, field: str) -> int:
        """Of how many latents a field of the statistics is NaN, or not known."""
        values = getattr(self.posterior, field)
        if values is None:
            return len(self.posterior.mean_variance)
        return int(np.isnan(np.diag(values) if values.ndim == 2 else values).sum())
