"""Several reports joined: every figure's mean and deviation over the runs.

Knows neither how the reports came about nor how they are drawn. The runs of a sweep are joined by `group`: one
`Joined` for each setting, from the same reports.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from analysis.report import FORMAT, Figure, Report, to_json
from analysis.spread import Spread, spread

FINISHED = "finished"
"""The state of a run that has come to its end."""


@dataclass(frozen=True, slots=True)
class JoinedFigure:
    """A figure by where it comes from."""

    report: str
    name: str
    label: str
    style: str
    spreads: Mapping[str, Spread]
    """By kind of origin, over the runs in which it is known and finite; where it is in none, it is not there."""


@dataclass(frozen=True, eq=False, slots=True)
class Joined:
    """The reports of one stage of several runs, at least one, and their figures together."""

    group: str
    """What they have in common, as a sweep's setting; empty: they are all that were asked for."""
    reports: tuple[Report, ...]
    figures: tuple[JoinedFigure, ...]
    """Over those that are `counted`."""

    @property
    def counted(self) -> tuple[Report, ...]:
        """The reports that figures are taken over: of a group, the finished ones, for they alone have come as far."""
        return tuple(each for each in self.reports if not self.group or each.state == FINISHED)

    @property
    def stage(self) -> int:
        """The stage of all of them; 0 of bare arrays."""
        return self.reports[0].stage

    @property
    def kinds(self) -> dict[str, int]:
        """How many of the counted runs have a part of each kind of origin."""
        found = [part.origin.kind for report in self.counted for part in report.parts]
        return {kind: found.count(kind) for kind in dict.fromkeys(found)}

    @property
    def alike(self) -> bool:
        """Whether all are judged by the same thresholds: where not, their counts are not of the same thing."""
        return len({tuple(each.label for each in _figures(report)) for report in self.reports}) == 1


def join(reports: Sequence[Report], group: str = "") -> list[Joined]:
    """The reports of each stage together, in the order of the stages."""
    stages = sorted({each.stage for each in reports})
    return [_joined([each for each in reports if each.stage == stage], group) for stage in stages]


def join_groups(reports: Sequence[Report], groups: Mapping[Path, str]) -> list[Joined]:
    """The reports of each group together, those of none first; `groups` tells of them by the folders of their runs."""
    of_each: dict[str, list[Report]] = {}
    for report in reports:
        of_each.setdefault(groups.get(Path(report.address), ""), []).append(report)
    return [joined for group in sorted(of_each, key=bool) for joined in join(of_each[group], group)]


def _joined(reports: Sequence[Report], group: str) -> Joined:
    together = Joined(group, tuple(reports), ())
    figures = []
    for name in reports[0].reports:
        for i, first in enumerate(reports[0].parts[-1].figures[name]):
            values: dict[str, list[float]] = {}
            for part in (part for report in together.counted for part in report.parts):
                value = part.figures[name][i].value
                if value is not None and np.isfinite(value):
                    values.setdefault(part.origin.kind, []).append(float(value))
            spreads = {kind: found for kind, each in values.items() if (found := spread(each)) is not None}
            figures.append(JoinedFigure(name, first.name, first.label, first.style, spreads))
    return replace(together, figures=tuple(figures))


def _figures(report: Report) -> list[Figure]:
    return [each for figures in report.parts[-1].figures.values() for each in figures]


def joined_to_json(reports: Sequence[Report], joined: Sequence[Joined]) -> dict[str, Any]:
    """All reports, and what they give together, as what `json.dumps(allow_nan=False)` takes."""
    return {
        "format": FORMAT,
        "reports": [to_json(each) for each in reports],
        "joined": [_together(each) for each in joined],
    }


def _together(joined: Joined) -> dict[str, Any]:
    told: dict[str, Any] = {
        "group": joined.group,
        "stage": joined.stage,
        "runs": [each.run for each in joined.reports],
        "counted": [each.run for each in joined.counted],
    }
    for figure in joined.figures:
        told.setdefault(figure.report, {})[figure.name] = {
            kind: {"mean": each.mean, "deviation": each.deviation, "runs": each.runs}
            for kind, each in figure.spreads.items()
        }
    return told
