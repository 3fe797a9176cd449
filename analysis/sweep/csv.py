"""The report of a sweep as CSV: a row for each member and origin, then a row of means and one of deviations."""

import csv
import io
from collections.abc import Iterator
from typing import Any

from analysis.sweep.report import Kind, Setting, SweepReport, figure_of

KEYS = ("row", "setting", "run", "seed", "state", "origin", "step", "epoch")
"""Columns before those of the figures; `row` is member, mean, std, or n: how many members these two are taken over."""


def to_csv(found: SweepReport) -> str:
    """The report as text; what is not known is empty."""
    figures = list(
        dict.fromkeys((report, figure.name) for kind in found.kinds for report, figure in found.figures(kind))
    )
    text = io.StringIO()
    table = csv.DictWriter(text, [*KEYS, *(f"{report}.{name}" for report, name in figures)], lineterminator="\n")
    table.writeheader()
    for kind in found.kinds:
        for setting in found.settings:
            table.writerows(_rows(setting, kind, figures))
    return text.getvalue()


def _rows(setting: Setting, kind: Kind, figures: list[tuple[str, str]]) -> Iterator[dict[str, Any]]:
    for member in setting.members:
        row = {
            "row": "member",
            "setting": setting.setting,
            "run": member.run,
            "seed": member.seed,
            "state": member.state,
            "origin": kind,
        }
        if (part := member.part(kind)) is not None:
            row |= {"step": part.origin.step, "epoch": part.origin.epoch}
            row |= {f"{report}.{name}": figure_of(part, report, name).value for report, name in figures}
        yield row
    spreads = {f"{report}.{name}": setting.spread(kind, report, name) for report, name in figures}
    for which in ("mean", "std", "n"):
        taken = {name: getattr(each, which) for name, each in spreads.items()}
        yield {"row": which, "setting": setting.setting, "origin": kind} | taken
