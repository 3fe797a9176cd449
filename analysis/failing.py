"""`--fail-if`: whether what was found is what a script must not let pass.

What cannot be told fails, too: a NaN, a figure that is not to be had, a count that leaves out latents that are NaN.
"""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
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


class Told(NamedTuple):
    """What is known of a name."""

    value: float | None
    """None: it is not to be had."""
    origin: str = ""
    """Where it comes from; empty where there is but one place."""
    lost: int = 0
    """Latents that are NaN, so that it cannot be told."""


def parse(texts: Sequence[str], known: Collection[str], examples: str, listed: Collection[str] = ()) -> list[Condition]:
    """Conditions as they are written: 'inactive>30', 'mean>1.2 or mean<0.8', '"GEN-2 renormalised">50'.

    Args:
        texts: as written.
        known: every name that can be compared.
        examples: of conditions, for who wrote something else.
        listed: those that are told to who wrote another; by default all.

    Raises:
        UsageError: one is none.
        UnknownName: it compares what there is not.
    """
    conditions = [parse_condition(text, OPTION, examples) for text in texts]
    for each in (each for condition in conditions for each in condition.comparisons):
        if each.name not in known:
            hint = f"{', '.join(sorted(listed or known))} are known"
            raise UnknownName(f"figure in {OPTION}", each.name, known, hint)
    return conditions


def parse_figures(texts: Sequence[str]) -> list[Condition]:
    """Conditions on the figures of reports, as 'stage2.stream.kl<1'; raises as `parse` does."""
    of = figures_by_name()
    known = {
        f"{stage}{origin}{report}{name}"
        for name in of
        for stage, origin, report in product(_STAGES, _ORIGINS, ("", f"{of[name]}."))
    }
    return parse(texts, known, _EXAMPLES, of)


def reports_named(conditions: Sequence[Condition]) -> set[str]:
    """The reports whose figures the conditions name."""
    of = figures_by_name()
    return {of[each.name.rpartition(".")[2]] for condition in conditions for each in condition.comparisons}


def told_of(reports: Sequence[Report]) -> dict[str, Told]:
    """What the reports of one run, one a stage, tell by name.

    A name without a stage is the first one's; without an origin it is the checkpoint's, where there is one.
    """
    return {name: each for i, report in enumerate(reports) for name, each in _names(report, first=not i)}


def failures(run: str, told: Mapping[str, Told], conditions: Sequence[Condition]) -> Iterator[str]:
    """Why one run fails, a sentence each condition that holds or of which it cannot be told whether it does.

    Args:
        run: its name; empty: it goes without one.
        told: what is known of it, by name.
        conditions: those that must not hold.
    """
    before = f"{run}: " if run else ""
    for condition in conditions:
        for together in condition.alternatives:
            if all(_holds(each, told.get(each.name)) is not False for each in together):
                reasons = "; ".join(_reason(each, told.get(each.name)) for each in together)
                yield f"{before}{OPTION} {' and '.join(map(_written, together))}: {reasons}"
                break


def _names(report: Report, first: bool) -> Iterator[tuple[str, Told]]:
    for part in report.parts:
        origins = [f"{part.origin.kind}.", *([""] if part is report.parts[-1] else [])]
        for (name, figure), origin in product(_figures(part), origins):
            for stage in [f"stage{report.stage}.", *([""] if first else [])]:
                yield f"{stage}{origin}{name}", Told(figure.value, part.origin.kind, figure.lost)


def _figures(part: Part) -> Iterator[tuple[str, Figure]]:
    for report, figures in part.figures.items():
        for figure in figures:
            yield figure.name, figure
            yield f"{report}.{figure.name}", figure


def _holds(comparison: Comparison, told: Told | None) -> bool | None:
    """None: it cannot be told."""
    if told is None or told.value is None or told.lost or math.isnan(told.value):
        return None
    return comparison.holds({comparison.name: float(told.value)})


def _reason(comparison: Comparison, told: Told | None) -> str:
    name = comparison.name
    if told is None or told.value is None:
        return f"{name} is not known"
    origin = f" ({told.origin})" if told.origin else ""
    if told.lost:
        return f"{name} cannot be told, for {told.lost} latents are NaN{origin}"
    return f"{name} is {told.value:.6g}{origin}"


def _written(comparison: Comparison) -> str:
    return f"{comparison.name}{comparison.sign}{comparison.number:g}"
