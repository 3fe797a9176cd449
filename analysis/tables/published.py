"""The tables as the paper prints them, with what is to be known of each: data in `analysis/paper/`."""

import csv
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from analysis.spread import Spread

_NOTE = "# note: "


class Published(NamedTuple):
    """One of the paper's tables."""

    source: str
    notes: tuple[str, ...]
    rows: tuple[Mapping[str, str], ...]
    """Each cell as printed, by the name of its column; `NAME_std` is the deviation of NAME."""


@cache
def published(number: int) -> Published:
    """A table of Asperti & Trentin 2020, by its number."""
    text = files("analysis").joinpath("paper", f"table{number}.csv").read_text(encoding="utf-8")
    told = [line for line in text.splitlines() if line.startswith("#")]
    return Published(
        source=told[0].removeprefix("# "),
        notes=tuple(line.removeprefix(_NOTE) for line in told if line.startswith(_NOTE)),
        rows=tuple(csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))),
    )


def printed(row: Mapping[str, str], columns: Sequence[str]) -> dict[str, Spread]:
    """The values of a row that the paper prints."""
    return {name: _printed(row, name) for name in columns if row.get(name)}


def _printed(row: Mapping[str, str], name: str) -> Spread:
    deviation = row.get(f"{name}_std")
    return Spread(float(row[name]), float(deviation) if deviation else None, None)
