"""Reports as CSV: a line a value, those of all latents and all runs in one table."""

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from analysis.report import STEP, Part, Report

COLUMNS = ("run", "stage", "origin", "step", "report", "latent", "name", "value")
"""`report` is empty of a latent's values, `latent` of figures over all latents."""


def to_csv(reports: Iterable[Report]) -> str:
    """Every figure and every latent's values of the reports, exact; empty where one is not known."""
    written = io.StringIO()
    lines = csv.writer(written, lineterminator="\n")
    lines.writerow(COLUMNS)
    for report in reports:
        for part in report.parts:
            step = part.origin.step if report.stage else ""
            for line in _lines(part):
                lines.writerow([report.run, report.stage or "", part.origin.kind, step, *line])
    return written.getvalue()


def _lines(part: Part) -> Iterator[tuple[str, int | str, str, str]]:
    for name, figures in part.figures.items():
        for figure in figures:
            yield name, "", figure.name, _word(figure.value)
    for i in range(len(part.inactive)):
        yield "", i, "inactive", _word(part.inactive[i])
        for column in part.columns:
            value = column.values[i]
            yield "", i, column.name, "" if column.style == STEP and value < 0 else _word(value)


def _word(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool | np.bool_):
        return str(bool(value)).lower()
    return repr(float(value)) if isinstance(value, float | np.floating) else str(value)
