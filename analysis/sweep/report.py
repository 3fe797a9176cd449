"""What was found of a sweep, as values: a report of each member, and the spread of each figure over the seeds."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from analysis.measures.spread import Spread, spread
from analysis.report import Figure, Part, Report, to_json

FORMAT = 1
"""Of the JSON; raised when a key changes its meaning or goes."""

Kind = Literal["stream", "checkpoint"]
KINDS: tuple[Kind, ...] = ("stream", "checkpoint")
COUNTED = "finished"
"""State of the members that a spread is taken over: the others have not come to where these are."""


@dataclass(frozen=True, eq=False, slots=True)
class Found:
    """One member."""

    run: str
    seed: int
    state: str
    report: Report | None
    reason: str = ""
    """Why there is no report."""

    def part(self, kind: Kind) -> Part | None:
        """What was found from one origin."""
        return None if self.report is None else self.report.stream if kind == "stream" else self.report.checkpoint

    def missing(self, kind: Kind) -> str:
        """Why there is nothing from an origin that was asked; empty where there is, or where it was not asked."""
        return self.reason if self.report is None else self.report.missing.get(kind, "")


@dataclass(frozen=True, eq=False, slots=True)
class Setting:
    """The members that differ in nothing but their seed."""

    setting: str
    """What they are set to; empty where all members are set alike."""
    members: tuple[Found, ...]

    def spread(self, kind: Kind, report: str, name: str) -> Spread:
        """A figure over the members that are finished, as far as it is known of them."""
        parts = (each.part(kind) for each in self.members if each.state == COUNTED)
        values = (figure_of(part, report, name).value for part in parts if part is not None)
        return spread([value for value in values if value is not None and math.isfinite(value)])


@dataclass(frozen=True, eq=False, slots=True)
class SweepReport:
    """The answer to `vaemon analyze` of a sweep."""

    sweep: str
    preset: str
    stage: int
    reports: tuple[str, ...]
    """Names of the reports asked for."""
    as_published: bool
    settings: tuple[Setting, ...]

    @property
    def members(self) -> tuple[Found, ...]:
        """All of them."""
        return tuple(member for setting in self.settings for member in setting.members)

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The origins from which something was found."""
        return tuple(kind for kind in KINDS if any(member.part(kind) is not None for member in self.members))

    def figures(self, kind: Kind) -> Iterator[tuple[str, Figure]]:
        """Each figure that there is from an origin, with its report; its value is that of some member."""
        part = next(part for member in self.members if (part := member.part(kind)) is not None)
        for report, figures in part.figures.items():
            for figure in figures:
                yield report, figure


def figure_of(part: Part, report: str, name: str) -> Figure:
    """A figure by its name."""
    return next(each for each in part.figures[report] if each.name == name)


def to_tree(found: SweepReport) -> dict[str, Any]:
    """The report as what `json.dumps(allow_nan=False)` takes."""
    return {
        "format": FORMAT,
        "sweep": found.sweep,
        "preset": found.preset,
        "stage": found.stage,
        "as_published": found.as_published,
        "reports": list(found.reports),
        "settings": [_setting(found, each) for each in found.settings],
        "members": [_member(setting.setting, each) for setting in found.settings for each in setting.members],
    }


def _setting(found: SweepReport, each: Setting) -> dict[str, Any]:
    spreads: dict[str, Any] = dict.fromkeys(KINDS)
    for kind in found.kinds:
        told: dict[str, dict[str, Any]] = {name: {} for name in found.reports}
        for report, figure in found.figures(kind):
            told[report][figure.name] = each.spread(kind, report, figure.name)._asdict()
        spreads[kind] = told
    finished = sum(member.state == COUNTED for member in each.members)
    return {"setting": each.setting, "members": len(each.members), "finished": finished, **spreads}


def _member(setting: str, each: Found) -> dict[str, Any]:
    return {
        "run": each.run,
        "setting": setting,
        "seed": each.seed,
        "state": each.state,
        "reason": each.reason,
        "report": None if each.report is None else to_json(each.report),
    }
