"""A comparison as text for people, as JSON and as lines of CSV for scripts."""

from collections.abc import Iterator
from typing import Any

from analysis.columns import word
from analysis.features.statistics import Made
from analysis.fid.compare import Comparison, Side

FORMAT = 1
"""Of the JSON; raised when a key changes its meaning or goes."""


def to_text(found: Comparison) -> str:
    """The distance, what else was asked, and under which conditions."""
    lines = [f"{label:<12}{value}" for label, value in figures(found)]
    return "\n".join([*lines, "", *conditions(found)]) + "\n"


def conditions(found: Comparison) -> list[str]:
    """Under which a distance is what it is, as lines; what is alike on both sides once."""
    lines = [f"{'':<14}{'reference':<28}judged"]
    for label, cells in _conditions(found):
        lines.append(f"{label:<14}" + (cells[0] if cells[0] == cells[1] else f"{cells[0]:<28}{cells[1]}"))
    notes = [f"{side.name}: {note}" for side in (found.reference, found.judged) for note in side.notes]
    return [line.rstrip() for line in (*lines, *dict.fromkeys(notes))]


def figures(found: Comparison) -> Iterator[tuple[str, str]]:
    """The distance and what else was asked, each by its label, written out."""
    more = found.further
    yield found.distance, f"{found.value:.4f}"
    if "infinity" in more:
        yield f"{found.distance}-∞", f"{more['infinity']:.4f}"
    if "kid" in more:
        deviation = more["kid_deviation"]
        yield "KID", f"{more['kid']:.6f}" + ("" if deviation is None else f" ± {deviation:.6f}")
    if "precision" in more:
        yield "precision", f"{more['precision']:.4f}"
        yield "recall", f"{more['recall']:.4f}"


def _conditions(found: Comparison) -> Iterator[tuple[str, tuple[str, str]]]:
    sides = (found.reference, found.judged)
    made = [side.made or Made("", "not known", "not known", "not known") for side in sides]
    yield "", (sides[0].name, sides[1].name)
    yield "images", (_count(sides[0]), _count(sides[1]))
    if any(each.recipe for each in made):
        yield "recipe", (made[0].recipe, made[1].recipe)
    yield "values", (made[0].quantisation, made[1].quantisation)
    yield "covariance", tuple(_divisor(side) for side in sides)  # type: ignore[misc]
    yield "features", (made[0].made_by, made[1].made_by)


def _count(side: Side) -> str:
    return f"{side.statistics.count:,}" if side.statistics.count else "not known"


def _divisor(side: Side) -> str:
    return f"by n - {side.statistics.ddof}" if side.made else "not known"


def to_json(found: Comparison) -> dict[str, Any]:
    """The comparison as what `json.dumps(allow_nan=False)` takes."""
    return {
        "format": FORMAT,
        "distance": found.distance,
        **found.figures,
        "reference": _side(found.reference),
        "judged": _side(found.judged),
        "warnings": list(found.warnings),
    }


def to_csv_lines(found: Comparison, before: tuple[str, ...], prefix: str = "") -> Iterator[tuple[str, ...]]:
    """What `analysis.columns.COLUMNS` name, a line a value of the JSON: `value`, `kid`, `judged.recipe` and so on.

    Args:
        found: the comparison.
        before: run, stage, origin and step.
        prefix: what the names begin with.
    """
    told = to_json(found)
    own = {name: value for name, value in told.items() if not isinstance(value, dict | list) and name != "format"}
    for side in ("reference", "judged"):
        own |= {f"{side}.{name}": value for name, value in told[side].items() if name != "notes"}
    return ((*before, "fid", "", f"{prefix}{name}", word(value), "", "") for name, value in own.items())


def _side(side: Side) -> dict[str, Any]:
    made = side.made
    return {
        "name": side.name,
        "count": side.statistics.count or None,
        "ddof": side.statistics.ddof if made else None,
        "recipe": made.recipe or None if made else None,
        "features": made.made_by if made else None,
        "quantisation": made.quantisation if made else None,
        "notes": list(side.notes),
    }
