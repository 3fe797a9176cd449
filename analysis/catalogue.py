"""Every measure by name: its label, how it is written, and the function that computes it.

A new measure is a function in measures/ and a line here: in COLUMNS where it has one value a latent, among the figures
of a report where it has one value in all; in judgements.py where it says yes or no of a latent. Table, JSON and CSV
follow by themselves.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.judgements import ALONE, JUDGEMENTS, Judgement, marks, told
from analysis.measures import aggregate
from analysis.measures.variance_law import (
    largest_mean,
    mean_share,
    summarize_law,
    variance_law,
    variance_law_as_published,
)
from analysis.report import STEP, Column, Figure, Overlap, Part
from analysis.subject import Basis, Subject
from vaemon.latents import LatentState

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class ColumnEntry:
    """A measure with one value a latent."""

    name: str
    label: str
    style: str
    compute: Callable[[Subject], Array]
    spare: bool = False
    """Whether the table does without it where it is too wide."""


@dataclass(frozen=True, slots=True)
class FigureEntry:
    """A measure with one value in all."""

    name: str
    label: str
    """May name what is in force: {threshold} of the inactive, others as {at.wake}, and {rules.epsilon}."""
    style: str
    compute: Callable[[Subject], float | int]
    needs: tuple[str, ...] = ("mean_variance",)
    """The fields of PosteriorStatistics that it rests on, some of which the stream lacks, such as E[σ]."""
    short: str = ""
    """Its heading in a table of several runs; empty: it is not in it."""


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


def _count_of(state: LatentState) -> Callable[[Subject], int]:
    return lambda s: int((s.states == state).sum())


def _largest(values: Array) -> float:
    return float(np.abs(values).max())


def _judged(each: Judgement) -> ColumnEntry:
    return ColumnEntry(each.name, each.short, "", lambda s: told(each, s))


COLUMNS = (
    ColumnEntry("mean_variance", "E[σ²]", ".3f", lambda s: s.posterior.mean_variance),
    ColumnEntry("mean_deviation", "E[σ]", ".3f", lambda s: s.deviation),
    ColumnEntry("mean_mu", "E[μ]", "+.3f", lambda s: s.posterior.mean_mu),
    ColumnEntry("mu_squared", "E[μ²]", ".3f", lambda s: s.posterior.mu_squared, spare=True),
    ColumnEntry("mu_variance", "Var(μ)", ".3f", lambda s: s.posterior.mu_variance),
    ColumnEntry("variance_variance", "Var(σ²)", ".3f", lambda s: s.known("variance_variance")),
    ColumnEntry("law", "law", ".3f", _law),
    ColumnEntry("law_as_published", "law", ".3f", _law_as_published),
    ColumnEntry("skewness", "skew", "+.2f", lambda s: s.known("skewness"), spare=True),
    ColumnEntry("kurtosis", "kurt", "+.2f", lambda s: s.known("kurtosis"), spare=True),
    ColumnEntry("kl", "KL", ".3f", lambda s: s.posterior.kl),
    ColumnEntry("near_prior", "KL < ε", ".3f", lambda s: s.known("near_prior")),
    *(_judged(each) for each in ALONE if each.name != "inactive"),
    ColumnEntry("variable", "variable", "", lambda s: np.array([word or None for word in s.kinds], object)),
    ColumnEntry("marks", "marks", "", marks),
    ColumnEntry("state", "state", "", _state_words),
    ColumnEntry("woke_at", "woke", STEP, lambda s: s.woke),
    ColumnEntry("wake_order", "nth", STEP, lambda s: s.wake_order, spare=True),
)


def _counted(each: Judgement) -> FigureEntry:
    short = each.short if each.name in ("inactive", "active_units", "epsilon_delta_collapsed") else ""
    return FigureEntry(each.name, each.label, "d", lambda s: int(each.compute(s).sum()), (each.needs,), short)


_INACTIVE = (
    *(_counted(each) for each in JUDGEMENTS),
    FigureEntry(
        "inactive_and_active_units",
        "both inactive and an active unit",
        "d",
        lambda s: int((s.inactive & s.active_units).sum()),
        ("mean_variance", "mu_variance"),
    ),
    FigureEntry(
        "active",
        "state active: E[σ²] < {at.wake:g}, awake ≤ {at.doze:g}",
        "d",
        _count_of(LatentState.ACTIVE),
        short="active",
    ),
    FigureEntry("waking", "state waking: E[σ²] < {at.doze:g}", "d", _count_of(LatentState.WAKING)),
    FigureEntry("limbo", "state limbo: the others", "d", _count_of(LatentState.LIMBO), ("mean_variance", "kl")),
    FigureEntry(
        "collapsed",
        "state collapsed: E[σ²] ≥ {at.collapsed:g}",
        "d",
        _count_of(LatentState.COLLAPSED),
        ("mean_variance", "kl"),
    ),
    FigureEntry("kl", "KL, sum over latents, nats", ".2f", lambda s: float(s.posterior.kl.sum()), ("kl",), "KL"),
)

_OF_LAW = ("mu_squared", "mean_variance")
_PUBLISHED_LAW = ("mu_variance", "mean_deviation")

_VARIANCE_LAW = (
    FigureEntry(
        "mean", "variance law: mean of E[μ²] + E[σ²]", ".3f", lambda s: summarize_law(_law(s)).mean, _OF_LAW, "law"
    ),
    FigureEntry("deviation", "  its deviation from 1", "+.3f", lambda s: summarize_law(_law(s)).deviation, _OF_LAW),
    FigureEntry("worst", "  largest deviation of a latent", ".3f", lambda s: summarize_law(_law(s)).worst, _OF_LAW),
    FigureEntry(
        "mean_as_published",
        "law as published: mean of Var(μ) + E[σ]",
        ".3f",
        lambda s: summarize_law(_law_as_published(s)).mean,
        _PUBLISHED_LAW,
    ),
    FigureEntry(
        "largest_mean",
        "largest |E[μ]|; the prior asks 0",
        ".3f",
        lambda s: largest_mean(s.posterior.mean_mu),
        ("mean_mu",),
    ),
    FigureEntry(
        "mean_share",
        "  mean of E[μ]², part of the law",
        ".4f",
        lambda s: mean_share(s.posterior.mean_mu),
        ("mean_mu",),
    ),
)

_PAIRS = ("mean_mu", "mean_variance", "mu_covariance")

_AGGREGATE = (
    FigureEntry(
        "aggregate_kl",
        "aggregate as a Gaussian: KL to N(0, I), nats",
        ".3f",
        lambda s: aggregate.kl_to_prior(s.posterior.mean_mu, s.z_covariance),
        _PAIRS,
        "agg. KL",
    ),
    FigureEntry(
        "marginal_kl",
        "  of it means and variances of each latent",
        ".3f",
        lambda s: float(aggregate.marginal_kl(s.posterior.mean_mu, s.z_variance).sum()),
        ("mean_mu", "mu_variance", "mean_variance"),
    ),
    FigureEntry(
        "total_correlation",
        "  of it total correlation",
        ".3f",
        lambda s: aggregate.total_correlation(s.z_covariance),
        _PAIRS,
        "TC",
    ),
    FigureEntry(
        "chance_correlation",
        "  independent latents would give by chance",
        ".3f",
        lambda s: aggregate.chance_correlation(
            s.known("mu_covariance"), s.posterior.mean_variance, s.posterior.origin.samples
        ),
        _PAIRS,
    ),
    FigureEntry(
        "mu_correlation",
        "largest |correlation| of μ",
        ".3f",
        lambda s: aggregate.largest_correlation(s.known("mu_covariance")),
        ("mu_covariance",),
    ),
    FigureEntry(
        "z_correlation",
        "  of z, drawn from the posteriors",
        ".3f",
        lambda s: aggregate.largest_correlation(s.z_covariance),
        _PAIRS,
    ),
    FigureEntry(
        "largest_skewness",
        "largest |skewness| of z; the prior has 0",
        ".3f",
        lambda s: _largest(s.known("skewness")),
        ("skewness",),
    ),
    FigureEntry(
        "largest_kurtosis",
        "  |excess kurtosis|; the prior has 0",
        ".3f",
        lambda s: _largest(s.known("kurtosis")),
        ("kurtosis",),
    ),
)

_WOKEN = ("marks", "state", "woke_at", "wake_order")
_BY_PAPER = ("mean_variance", "mean_mu", "mu_variance", "kl")

REPORTS = {
    each.name: each
    for each in (
        ReportEntry(
            "inactive",
            {
                "stream": ("mean_variance", "mean_mu", "mu_squared", "mu_variance", "kl", *_WOKEN),
                "checkpoint": (*_BY_PAPER, *_WOKEN),
                "posterior": (*_BY_PAPER, "variance_variance", "near_prior", "marks", "state"),
                "published": ("mean_deviation", "mean_mu", "mu_variance", "kl", *_WOKEN),
            },
            _INACTIVE,
        ),
        ReportEntry(
            "variance_law",
            {
                "stream": ("mean_variance", "mean_mu", "mu_squared", "law"),
                "checkpoint": ("mean_variance", "mean_mu", "mu_squared", "law", "skewness", "kurtosis"),
                "posterior": ("mean_variance", "mean_mu", "mu_squared", "law", "skewness", "kurtosis"),
                "published": ("mean_deviation", "mean_mu", "mu_variance", "law_as_published", "skewness", "kurtosis"),
            },
            (*_VARIANCE_LAW, *_AGGREGATE),
        ),
    )
}


def figures_by_name() -> dict[str, str]:
    """The report of every figure there is."""
    return {figure.name: report.name for report in REPORTS.values() for figure in report.figures}


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
        columns=tuple(Column(e.name, e.label, e.style, e.compute(subject), e.spare) for e in COLUMNS),
        shown=tuple(e.name for e in COLUMNS if e.name in wanted),
        inactive=subject.inactive,
        rule=f"E[σ] > {subject.threshold:g}" if subject.as_published else f"E[σ²] ≥ {subject.threshold:g}",
        figures={entry.name: tuple(_figure(e, subject) for e in entry.figures) for entry in entries},
        overlap=_overlap(subject),
    )


def _figure(entry: FigureEntry, subject: Subject) -> Figure:
    rules = subject.rules
    label = entry.label.format(threshold=subject.threshold, at=subject.at, rules=rules, kept=100 * (1 - rules.delta))
    lost = max(subject.lost(name) for name in entry.needs)
    known = lost < len(subject.woke)
    return Figure(entry.name, label, entry.style, entry.compute(subject) if known else None, lost, entry.short)


def _overlap(subject: Subject) -> Overlap:
    """How many latents each two of the judgements share that can be told here."""
    known = [each for each in JUDGEMENTS if subject.lost(each.needs) < len(subject.woke)]
    judged = np.array([each.compute(subject) for each in known]).astype(int)
    return Overlap(
        names=tuple(each.name for each in known),
        labels=tuple(each.short for each in known),
        marks=tuple(each.mark for each in known),
        counts=judged @ judged.T,
    )
