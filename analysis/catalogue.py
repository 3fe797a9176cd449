"""Every measure by name: its label, how it is written, and the function that computes it.

A new measure is a function in measures/ and a line here: in COLUMNS where it has one value a latent, in FIGURES
where it has one value in all. Table and JSON follow by themselves.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from analysis.inputs import PosteriorStatistics
from analysis.measures.inactive import inactive_as_published, inactive_count
from analysis.measures.variance_law import (
    largest_mean,
    mean_share,
    summarize_law,
    variance_law,
    variance_law_as_published,
)
from analysis.report import STEP, Column, Figure, Part
from vaemon import latents
from vaemon.latents import LatentState
from vaemon.thresholds import DEFAULT, Thresholds

Array = npt.NDArray[Any]
Basis = Literal["stream", "checkpoint", "published"]


@dataclass(frozen=True, eq=False, slots=True)
class Subject:
    """What the measures are taken on, and by which definition."""

    posterior: PosteriorStatistics
    woke: Array
    """Step at which each latent that is awake last woke, -1 for the sleepers, (k,)."""
    threshold: float = DEFAULT.inactive
    """From where on a latent is inactive."""
    as_published: bool = False
    """Whether the published code's definitions are in force; E[σ] must then be known."""
    at: Thresholds = DEFAULT
    """What else latents are judged by."""

    @property
    def basis(self) -> Basis:
        """What the table shows: by the paper from the stream or a checkpoint, or as published."""
        return "published" if self.as_published else self.posterior.origin.kind

    @property
    def deviation(self) -> Array:
        """E[σ], (k,); NaN where it is not known."""
        known = self.posterior.mean_deviation
        return np.full_like(self.posterior.mean_variance, np.nan) if known is None else known

    @property
    def inactive(self) -> npt.NDArray[np.bool_]:
        """Which latents are inactive by the definition in force, (k,)."""
        if self.as_published:
            return inactive_as_published(self.deviation, self.threshold)
        return latents.inactive(self.posterior.mean_variance, self.threshold)

    @property
    def states(self) -> Array:
        """The `LatentState` of each latent, (k,)."""
        return latents.states(self.posterior.mean_variance, self.posterior.kl, self.woke >= 0, self.at)


@dataclass(frozen=True, slots=True)
class ColumnEntry:
    """A measure with one value a latent."""

    name: str
    label: str
    style: str
    compute: Callable[[Subject], Array]


@dataclass(frozen=True, slots=True)
class FigureEntry:
    """A measure with one value in all."""

    name: str
    label: str
    """May name the thresholds in force: {threshold} of the inactive, and others: {at.wake}."""
    style: str
    compute: Callable[[Subject], float | int]
    needs: str = ""
    """The field of PosteriorStatistics without which it cannot be told, such as E[σ], which the stream lacks."""


@dataclass(frozen=True, slots=True)
class ReportEntry:
    """A report that can be asked for."""

    name: str
    shown: dict[Basis, tuple[str, ...]]
    """Columns of its table."""
    figures: tuple[FigureEntry, ...]


def _law(s: Subject) -> Array:
    return variance_law(s.posterior.mu_squared, s.posterior.mean_variance)


def _law_as_published(s: Subject) -> Array:
    return variance_law_as_published(s.posterior.mu_variance, s.deviation)


def _state_words(s: Subject) -> Array:
    return np.array([LatentState(each).name.lower() for each in s.states])


def _active_units(s: Subject) -> npt.NDArray[np.bool_]:
    return latents.active_units(s.posterior.mu_variance, s.at.unit)


def _count_of(state: LatentState) -> Callable[[Subject], int]:
    return lambda s: int((s.states == state).sum())


COLUMNS = (
    ColumnEntry("mean_variance", "E[σ²]", ".3f", lambda s: s.posterior.mean_variance),
    ColumnEntry("mean_deviation", "E[σ]", ".3f", lambda s: s.deviation),
    ColumnEntry("mean_mu", "E[μ]", "+.3f", lambda s: s.posterior.mean_mu),
    ColumnEntry("mu_squared", "E[μ²]", ".3f", lambda s: s.posterior.mu_squared),
    ColumnEntry("mu_variance", "Var(μ)", ".3f", lambda s: s.posterior.mu_variance),
    ColumnEntry("law", "law", ".3f", _law),
    ColumnEntry("law_as_published", "law", ".3f", _law_as_published),
    ColumnEntry("kl", "KL", ".3f", lambda s: s.posterior.kl),
    ColumnEntry("state", "state", "", _state_words),
    ColumnEntry("woke_at", "woke at", STEP, lambda s: s.woke),
)

_INACTIVE = (
    FigureEntry(
        "inactive",
        "inactive: E[σ²] ≥ {threshold:g}",
        "d",
        lambda s: inactive_count(s.posterior.mean_variance, s.threshold),
    ),
    FigureEntry(
        "inactive_as_published",
        "inactive as published: E[σ] > {threshold:g}",
        "d",
        lambda s: int(inactive_as_published(s.deviation, s.threshold).sum()),
        needs="mean_deviation",
    ),
    FigureEntry(
        "active_units",
        "active units: Var(μ) > {at.unit:g}",
        "d",
        lambda s: int(_active_units(s).sum()),
        "mu_variance",
    ),
    FigureEntry(
        "inactive_and_active_units",
        "both inactive and an active unit",
        "d",
        lambda s: int((s.inactive & _active_units(s)).sum()),
        needs="mu_variance",
    ),
    FigureEntry("active", "state active: E[σ²] < {at.wake:g}, awake ≤ {at.doze:g}", "d", _count_of(LatentState.ACTIVE)),
    FigureEntry("waking", "state waking: E[σ²] < {at.doze:g}", "d", _count_of(LatentState.WAKING)),
    FigureEntry("limbo", "state limbo: the others", "d", _count_of(LatentState.LIMBO)),
    FigureEntry("collapsed", "state collapsed: E[σ²] ≥ {at.collapsed:g}", "d", _count_of(LatentState.COLLAPSED)),
    FigureEntry("kl", "KL, sum over latents, nats", ".2f", lambda s: float(s.posterior.kl.sum())),
)

_VARIANCE_LAW = (
    FigureEntry("mean", "variance law: mean of E[μ²] + E[σ²]", ".3f", lambda s: summarize_law(_law(s)).mean),
    FigureEntry("deviation", "  its deviation from 1", "+.3f", lambda s: summarize_law(_law(s)).deviation),
    FigureEntry("worst", "  largest deviation of a latent", ".3f", lambda s: summarize_law(_law(s)).worst),
    FigureEntry(
        "mean_as_published",
        "law as published: mean of Var(μ) + E[σ]",
        ".3f",
        lambda s: summarize_law(_law_as_published(s)).mean,
        needs="mean_deviation",
    ),
    FigureEntry("largest_mean", "largest |E[μ]|; the prior asks 0", ".3f", lambda s: largest_mean(s.posterior.mean_mu)),
    FigureEntry("mean_share", "  mean of E[μ]², part of the law", ".4f", lambda s: mean_share(s.posterior.mean_mu)),
)

REPORTS = {
    each.name: each
    for each in (
        ReportEntry(
            "inactive",
            {
                "stream": ("mean_variance", "mean_mu", "mu_squared", "kl", "state", "woke_at"),
                "checkpoint": ("mean_variance", "mean_mu", "mu_variance", "kl", "state", "woke_at"),
                "published": ("mean_deviation", "mean_mu", "mu_variance", "kl", "state", "woke_at"),
            },
            _INACTIVE,
        ),
        ReportEntry(
            "variance_law",
            {
                "stream": ("mean_variance", "mean_mu", "mu_squared", "law"),
                "checkpoint": ("mean_variance", "mean_mu", "mu_squared", "law"),
                "published": ("mean_deviation", "mean_mu", "mu_variance", "law_as_published"),
            },
            _VARIANCE_LAW,
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Heading:
    """A figure that has a column where several runs are listed."""

    report: str
    figure: str
    label: str
    as_published: bool | None = None
    """Whether it is shown only by the published code's definitions, or only by the paper's; None: always."""


HEADINGS = (
    Heading("inactive", "inactive", "inactive", False),
    Heading("inactive", "inactive_as_published", "inactive as published", True),
    Heading("inactive", "active_units", "active units"),
    Heading("inactive", "kl", "KL, nats"),
    Heading("variance_law", "mean", "E[μ²] + E[σ²]", False),
    Heading("variance_law", "mean_as_published", "Var(μ) + E[σ]", True),
    Heading("variance_law", "worst", "worst latent"),
)


def examine(subject: Subject, reports: Iterable[str]) -> Part:
    """Take every measure of the reports asked for, and all columns.

    Args:
        subject: what they are taken on.
        reports: names in REPORTS, at least one.
    """
    entries = [REPORTS[name] for name in reports]
    wanted = {name for entry in entries for name in entry.shown[subject.basis]}
    return Part(
        origin=subject.posterior.origin,
        columns=tuple(Column(e.name, e.label, e.style, e.compute(subject)) for e in COLUMNS),
        shown=tuple(e.name for e in COLUMNS if e.name in wanted),
        inactive=subject.inactive,
        rule=f"E[σ] > {subject.threshold:g}" if subject.as_published else f"E[σ²] ≥ {subject.threshold:g}",
        figures={entry.name: tuple(_figure(e, subject) for e in entry.figures) for entry in entries},
    )


def _figure(entry: FigureEntry, subject: Subject) -> Figure:
    label = entry.label.format(threshold=subject.threshold, at=subject.at)
    known = not entry.needs or _is_known(getattr(subject.posterior, entry.needs))
    return Figure(entry.name, label, entry.style, entry.compute(subject) if known else None)


def _is_known(values: Array | None) -> bool:
    return values is not None and not np.isnan(values).all()
