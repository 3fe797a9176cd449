"""The epoch table: one row a step at which the run was evaluated, in the order of the paper's table 1."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vaemon.batch import Event, StageInfo
from vaemon.evaluations import Evaluation, evaluations
from vaemon.view.words import NOTHING, number

PAPER = ("REC", "GEN-1", "GEN-2", "mse", "variance_law", "inactive")
"""Columns of table 1 (Asperti & Trentin 2020), after the epoch."""
NAMES = {"variance_law": "variance law", "active_units": "active units"}
_LEAST, _MOST, _NEAREST_1 = "least", "most", "nearest 1"
_BEST = {"mse": _LEAST, "mse_max": _LEAST, "inactive": _LEAST, "active_units": _MOST, "variance_law": _NEAREST_1}
_BEST_OF_KIND = ("REC", "GEN", "FID", "FD-")
"""Names of Fréchet distances begin so: the least is best."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A value as it is shown."""

    text: str
    best: bool = False
    """Whether it is the best of its column and stage, where one knows what is best."""


@dataclass(frozen=True, slots=True)
class TableRow:
    """One evaluation."""

    stage: int
    step: int
    epoch: str
    cells: tuple[Cell, ...]
    """One a column of the table."""


@dataclass(frozen=True, slots=True)
class Table:
    """All evaluations of a run."""

    columns: tuple[str, ...] = ()
    rows: tuple[TableRow, ...] = ()
    """By stage and step, the newest last."""


def table(events: Iterable[Event], stages: Sequence[StageInfo] = ()) -> Table:
    """The table of the evaluations among the events; `stages` tell how many steps an epoch has."""
    found = evaluations(events)
    names = columns(found)
    per_epoch = {stage.number: stage.steps_per_epoch for stage in stages}
    best = {(stage, name): _best(found, stage, name) for stage in {each.stage for each in found} for name in names}
    whole = {name: all(_is_whole(each.values.get(name, 0.0)) for each in found) for name in names}
    rows = tuple(
        TableRow(
            each.stage,
            each.step,
            _epoch(each, per_epoch.get(each.stage)),
            tuple(_cell(each.values.get(name), whole[name], best[each.stage, name]) for name in names),
        )
        for each in found
    )
    return Table(names, rows)


def columns(found: Iterable[Evaluation]) -> tuple[str, ...]:
    """Names of the values: the paper's first, the others as they came."""
    names = dict.fromkeys(name for each in found for name in each.values if name != "epoch")
    return (*(name for name in PAPER if name in names), *(name for name in names if name not in PAPER))


def brief(evaluation: Evaluation, most: int = 4) -> str:
    """The first of an evaluation's values in words: "mse 0.0123 · variance law 1.02 · inactive 17"."""
    names = columns([evaluation])
    words = [f"{NAMES.get(name, name)} {_shown(evaluation.values[name])}" for name in names[:most]]
    return " · ".join(words) + (" …" if len(names) > most else "")


def _best(found: Sequence[Evaluation], stage: int, name: str) -> float | None:
    rule = _BEST.get(name) or (_LEAST if name.startswith(_BEST_OF_KIND) else "")
    values = [
        each.values[name] for each in found if each.stage == stage and math.isfinite(each.values.get(name, math.nan))
    ]
    if not rule or len(values) < 2:
        return None
    return max(values) if rule is _MOST else min(values, key=(lambda x: abs(x - 1)) if rule is _NEAREST_1 else None)


def _cell(value: float | None, whole: bool, best: float | None) -> Cell:
    if value is None:
        return Cell(NOTHING)
    return Cell(_shown(value) if whole else number(value), value == best)


def _shown(value: float) -> str:
    return f"{int(value):,}" if _is_whole(value) and math.isfinite(value) else number(value)


def _is_whole(value: float) -> bool:
    return not math.isfinite(value) or value == int(value)


def _epoch(evaluation: Evaluation, steps_per_epoch: int | None) -> str:
    """Passes over the data that were complete at the step."""
    told = evaluation.values.get("epoch")
    epochs = told if told is not None else evaluation.step / steps_per_epoch if steps_per_epoch else math.nan
    if not math.isfinite(epochs):
        return NOTHING
    return f"{int(epochs):,}" if epochs == int(epochs) else f"{epochs:,.1f}"
