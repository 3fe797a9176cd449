"""`--fail-if`: whether what was found is what a script must not let pass.

What cannot be told fails, too: a NaN, a figure that is not to be had, a count that leaves out latents that are NaN.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

from analysis.catalogue import figures_by_name
from analysis.report import Figure, Part, Report
from vaemon.errors import UnknownName
from vaemon.view.conditions import Comparison, Condition, parse_condition

OPTION = "--fail-if"
_EXAMPLES = "'inactive>30', 'mean>1.2 or mean<0.8', 'stage2.stream.kl<1'"
_STAGES = ("", "stage1.", "stage2.")
_ORIGINS = ("", "stream.", "checkpoint.", "posterior.")


class _Told(NamedTuple):
    """What is known of a name."""

    figure: Figure
    origin: str


def parse(texts: Sequence[str]) -> list[Condition]:
    """Conditions as they are written: 'inactive>30', 'mean>1.2 or mean<0.8', 'stage2.stream.kl<1'.

    Raises:
        UsageError: one is none.
        UnknownName: there is no such figure.
    """
    conditions = [parse_condition(text, OPTION, _EXAMPLES) for text in texts]
    of = figures_by_name()
    known = {
        f"{stage}{origin}{report}{name}"
        for name in of
        for stage, origin, report in product(_STAGES, _ORIGINS, ("", f"{of[name]}."))
    }
    for each in (each for condition in conditions for each in condition.comparisons):
        if each.name not in known:
            raise UnknownName(f"figure in {OPTION}", each.name, known, f"{', '.join(sorted(of))} are known")
    return conditions


def reports_named(conditions: Sequence[Condition]) -> set[str]:
    """The reports whose figures the conditions name."""
    of = figures_by_name()
    return {of[each.name.rpartition(".")[2]] for condition in conditions for each in condition.comparisons}


def failures(reports: Sequence[Report], conditions: Sequence[Condition]) -> Iterator[str]:
    """Why one run fails, a sentence each condition that holds or of which it cannot be told whether it does.

    Args:
        reports: of that run, one a stage. A name without a stage is the first one's; without an origin it is the
            checkpoint's, where there is one.
        conditions: those that must not hold.
    """
    told = {name: each for i, report in enumerate(reports) for name, each in _names(report, first=not i)}
    for condition in conditions:
        for together in condition.alternatives:
            if all(_holds(each, told.get(each.name)) is not False for each in together):
                reasons = "; ".join(_reason(each, told.get(each.name)) for each in together)
                yield f"{reports[0].run}: {OPTION} {' and '.join(map(_written, together))}: {reasons}"
                break


def _names(report: Report, first: bool) -> Iterator[tuple[str, _Told]]:
    for part in report.parts:
        origins = [f"{part.origin.kind}.", *([""] if part is report.parts[-1] else [])]
        for (name, figure), origin in product(_figures(part), origins):
            for stage in [f"stage{report.stage}.", *([""] if first else [])]:
                yield f"{stage}{origin}{name}", _Told(figure, part.origin.kind)


def _figures(part: Part) -> Iterator[tuple[str, Figure]]:
    for report, figures in part.figures.items():
        for figure in figures:
            yield figure.name, figure
            yield f"{report}.{figure.name}", figure


def _holds(comparison: Comparison, told: _Told | None) -> bool | None:
    """None: it cannot be told."""
    if told is None or told.figure.value is None or told.figure.lost or math.isnan(told.figure.value):
        return None
    return comparison.holds({comparison.name: float(told.figure.value)})


def _reason(comparison: Comparison, told: _Told | None) -> str:
    name = comparison.name
    if told is None or told.figure.value is None:
        return f"{name} is not known"
    if told.figure.lost:
        return f"{name} cannot be told, for {told.figure.lost} latents are NaN ({told.origin})"
    return f"{name} is {told.figure.value:.6g} ({told.origin})"


def _written(comparison: Comparison) -> str:
    return f"{comparison.name}{comparison.sign}{comparison.number:g}"
