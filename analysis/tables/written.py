"""A table as JSON and as CSV, for scripts: every number as it is, not rounded."""

import csv
import io
import math
from typing import Any

from analysis.spread import Spread
from analysis.tables.published import published
from analysis.tables.shape import Line, Table

FORMAT = 1
"""Of the JSON; raised when a key changes its meaning or goes."""


def to_json(table: Table) -> dict[str, Any]:
    """The table as what `json.dumps(allow_nan=False)` takes; NaN and infinity become None."""
    return {
        "format": FORMAT,
        "table": table.number,
        "source": published(table.number).source,
        "runs": list(table.runs),
        "lines": [
            {
                "of": "runs" if line.runs else "paper",
                "runs": list(line.runs),
                **dict(zip(table.headings, line.keys, strict=True)),
                **{name: _spread(line.values[name]) for name in table.columns if name in line.values},
            }
            for line in table.lines
        ],
        "notes": list(table.notes),
        "lacking": list(table.lacking),
    }


def to_csv(table: Table) -> str:
    """The table as CSV: a line a line, the deviation of NAME as NAME_std and how many runs it is over as NAME_runs."""
    told = [(name, f"{name}_std", f"{name}_runs") for name in table.columns]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["of", *table.headings, *(each for names in told for each in names)])
    for line in table.lines:
        writer.writerow(["runs" if line.runs else "paper", *line.keys, *_cells(line, table.columns)])
    return text.getvalue()


def _cells(line: Line, columns: tuple[str, ...]) -> list[float | int | str]:
    cells: list[float | int | str] = []
    for name in columns:
        found = line.values.get(name)
        values = (found.mean, found.deviation, found.runs) if found is not None else (None, None, None)
        cells += ["" if each is None else each for each in values]
    return cells


def _spread(found: Spread) -> dict[str, float | int | None]:
    return {"mean": _finite(found.mean), "std": _finite(found.deviation), "runs": found.runs}


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
