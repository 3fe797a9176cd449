"""A table of results as values: lines of means and deviations, those of the runs and those of the paper.

Knows no run, no file and no way of printing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from analysis.spread import Spread, spread

Key = str | int | float
"""What a line is of: an epoch, a model, a learning rate."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table."""

    place: tuple[Key, ...]
    """By which the lines are sorted; those of one place belong together."""
    keys: tuple[Key, ...]
    """One a heading of the table."""
    values: Mapping[str, Spread]
    """By column; what is not known is not there."""
    runs: tuple[str, ...] = ()
    """Names of the runs that it is over; empty: it is the paper's."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What one run gives to one line."""

    place: tuple[Key, ...]
    keys: tuple[Key, ...]
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Table:
    """One of the paper's tables."""

    number: int
    title: str
    headings: tuple[str, ...]
    """Of the keys."""
    columns: tuple[str, ...]
    """Names of the values."""
    lines: tuple[Line, ...]
    """By place, the runs' before the paper's."""
    runs: tuple[str, ...]
    """Names of all runs that it is of."""
    notes: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()
    """Columns that some run lacks at its end, though `--fid` can compute them of it."""


def lines_of(entries: Iterable[tuple[str, Entry]], columns: Iterable[str]) -> list[Line]:
    """The lines of some runs: of entries of equal keys, each with its run's name, the means."""
    groups: dict[tuple[tuple[Key, ...], tuple[Key, ...]], dict[str, Mapping[str, float]]] = {}
    for name, entry in entries:
        groups.setdefault((entry.place, entry.keys), {})[name] = entry.values
    return [
        Line(place, keys, _spreads(columns, list(group.values())), tuple(group))
        for (place, keys), group in groups.items()
    ]


def _spreads(columns: Iterable[str], values: list[Mapping[str, float]]) -> dict[str, Spread]:
    found = {name: spread(each[name] for each in values if name in each) for name in columns}
    return {name: each for name, each in found.items() if each is not None}


def in_order(lines: Iterable[Line]) -> tuple[Line, ...]:
    """By place; there the runs' before the paper's."""
    return tuple(sorted(lines, key=lambda line: (line.place, not line.runs)))
