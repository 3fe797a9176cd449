"""Reports as CSV: a line a value, those of all latents and all runs in one table."""

import csv
import io
from collections.abc import Iterable, Iterator

from analysis.columns import COLUMNS, word
from analysis.joined import Joined
from analysis.report import STEP, Part, Report


def to_csv(reports: Iterable[Report], joined: Iterable[Joined] = ()) -> str:
    """Every figure and every latent's values of the reports, exact; empty where one is not known.

    Args:
        reports: of runs, one by one.
        joined: the same together, in their groups.
    """
    together = list(joined)
    groups = {id(report): each.group for each in together for report in each.reports}
    written = io.StringIO()
    lines = csv.writer(written, lineterminator="\n")
    lines.writerow(COLUMNS)
    for report in reports:
        for part in report.parts:
            step = part.origin.step if report.stage else ""
            for line in _lines(part):
                own = [report.run, report.stage or "", part.origin.kind, step, *line]
                lines.writerow([*own, groups.get(id(report), ""), ""])
    for each in together:
        lines.writerows(_together(each))
    return written.getvalue()


def _together(joined: Joined) -> Iterator[tuple[str | int, ...]]:
    for figure in joined.figures:
        for kind, spread in figure.spreads.items():
            told = {"mean": spread.mean, "deviation": spread.deviation, "runs": spread.runs}
            for over, value in told.items():
                where = ("", joined.stage or "", kind, "", figure.report, "", figure.name)
                yield (*where, word(value), joined.group, over)


def _lines(part: Part) -> Iterator[tuple[str, int | str, str, str]]:
    for name, figures in part.figures.items():
        for figure in figures:
            yield name, "", figure.name, word(figure.value)
    for i in range(len(part.inactive)):
        yield "", i, "inactive", word(part.inactive[i])
        for column in part.columns:
            value = column.values[i]
            yield "", i, column.name, "" if column.style == STEP and value < 0 else word(value)
