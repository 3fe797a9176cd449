"""What an analysis found, as values: columns of latents and single figures, by where they come from.

Knows no measure by name: a new one is a line in catalogue.py, and appears in the table and in the JSON.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.inputs import Origin

Array = npt.NDArray[Any]

FORMAT = 2
"""Of the JSON; raised when a key changes its meaning or goes."""
STEP = "step"
"""The style of a column of steps; a negative one has not come."""


@dataclass(frozen=True, eq=False, slots=True)
class Column:
    """One value a latent."""

    name: str
    """Its key in the JSON."""
    label: str
    """Its heading in the table."""
    style: str
    """How a value is written: a format specification such as ".3f", or STEP; empty for words."""
    values: Array
    """Shape (k,): numbers, words, or yes and no; None is not known. A negative step is one that has not come."""
    spare: bool = False
    """Whether the table does without it where it is too wide."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One value over all latents."""

    name: str
    label: str
    style: str
    value: float | int | None
    """None: it cannot be had from this origin."""
    lost: int = 0
    """Of how many latents what it rests on is NaN: a count is over the others."""
    short: str = ""
    """Its heading in a table of several runs; empty: it is not in it."""


@dataclass(frozen=True, eq=False, slots=True)
class Overlap:
    """How many latents two rules both hold for."""

    names: tuple[str, ...]
    labels: tuple[str, ...]
    marks: tuple[str, ...]
    """The letters that tell of them in the table of latents."""
    counts: Array
    """Shape (r, r); on the diagonal for how many the one holds."""


@dataclass(frozen=True, eq=False, slots=True)
class Part:
    """What was found from one origin: the stream, a checkpoint or bare arrays."""

    origin: Origin
    columns: tuple[Column, ...]
    """Every column, in the order of the latents."""
    shown: tuple[str, ...]
    """Names of the columns that belong in the table, in its order; the first is what it is sorted by."""
    inactive: npt.NDArray[np.bool_]
    """Which latents are inactive by the definition in force, (k,)."""
    rule: str
    """That definition: "E[σ²] ≥ 0.8"."""
    figures: Mapping[str, tuple[Figure, ...]]
    """The figures of each report."""
    overlap: Overlap
    """Of the rules that latents are judged by."""

    def column(self, name: str) -> Column:
        """The column of that name."""
        return next(each for each in self.columns if each.name == name)

    def order(self) -> list[int]:
        """The latents as the table lists them: by the first shown column, rising, NaN last."""
        return [int(i) for i in np.argsort(self.column(self.shown[0]).values, kind="stable")]


@dataclass(frozen=True, slots=True)
class Factors:
    """The factors that the data were rendered from, beside the latents in use."""

    count: int
    names: tuple[str, ...]
    woken: int
    """Latents that are awake at the end of the record."""
    active: int
    """Latents in the state `active`."""


@dataclass(frozen=True, eq=False, slots=True)
class Report:
    """The answer to one `vaemon analyze`."""

    run: str
    address: str
    state: str
    stage: int
    latents: int
    threshold: float
    """On E[σ²]; as published, on E[σ]."""
    as_published: bool
    reports: tuple[str, ...]
    """Names of the reports asked for."""
    stream: Part | None
    checkpoint: Part | None
    missing: Mapping[str, str]
    """Why a part is missing: "stream" or "checkpoint" to a sentence."""
    notes: tuple[str, ...] = ()
    factors: Factors | None = None
    posterior: Part | None = None
    """What bare arrays gave, which have neither stream nor checkpoint."""

    @property
    def parts(self) -> tuple[Part, ...]:
        """The parts that are there, the one of most weight last: the stream has but batches' means."""
        return tuple(part for part in (self.stream, self.checkpoint, self.posterior) if part is not None)


def to_json(report: Report) -> dict[str, Any]:
    """The report as what `json.dumps(allow_nan=False)` takes; NaN and infinity become None."""
    factors = report.factors
    return {
        "format": FORMAT,
        "run": report.run,
        "address": report.address,
        "state": report.state,
        "stage": report.stage,
        "latents": report.latents,
        "threshold": report.threshold,
        "as_published": report.as_published,
        "reports": list(report.reports),
        "stream": None if report.stream is None else _part(report.stream),
        "checkpoint": None if report.checkpoint is None else _part(report.checkpoint),
        "posterior": None if report.posterior is None else _part(report.posterior),
        "missing": dict(report.missing),
        "notes": list(report.notes),
        "factors": None
        if factors is None
        else {
            "count": factors.count,
            "names": list(factors.names),
            "woken": factors.woken,
            "active": factors.active,
        },
    }


def _part(part: Part) -> dict[str, Any]:
    return {
        "origin": _origin(part.origin),
        "rule": part.rule,
        **{name: {each.name: _plain(each.value) for each in figures} for name, figures in part.figures.items()},
        "overlap": _overlap(part.overlap),
        "latents": [
            {
                "latent": i,
                "inactive": bool(part.inactive[i]),
                **{column.name: _cell(column, i) for column in part.columns},
            }
            for i in range(len(part.inactive))
        ],
    }


def _overlap(overlap: Overlap) -> dict[str, dict[str, int]]:
    counts = (dict(zip(overlap.names, row, strict=True)) for row in overlap.counts.tolist())
    return dict(zip(overlap.names, counts, strict=True))


def _origin(origin: Origin) -> dict[str, Any]:
    told: dict[str, Any] = {"kind": origin.kind, "step": origin.step, "epoch": origin.epoch}
    if origin.kind == "checkpoint":
        return {**told, "images": origin.samples, "data": origin.data}
    if origin.kind == "posterior":
        return {"kind": origin.kind, "file": origin.data, "samples": origin.samples, "left_out": origin.left_out}
    return {
        **told,
        "first_step": origin.first_step,
        "rows": origin.samples,
        "full_epoch": origin.full_epoch,
        "left_out": origin.left_out,
    }


def _cell(column: Column, i: int) -> Any:
    value = column.values[i].item() if isinstance(column.values[i], np.generic) else column.values[i]
    return None if column.style == STEP and value < 0 else _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
