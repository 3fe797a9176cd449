"""Several reports joined, as text for people: a row a run, then every figure over all of them."""

import math
from collections.abc import Iterator, Sequence

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from analysis.joined import FINISHED, Joined
from analysis.render import GAP, drawn, number, table_without_lines
from analysis.report import Figure, Part, Report
from analysis.spread import Spread
from analysis.terminal import PLAIN_WIDTH

NAME = 24
"""Cells of a run's name, at least, before it is folded."""
_KINDS = {"stream": "stream", "checkpoint": "ckpt", "posterior": "arrays"}


def joined_to_text(
    joined: Sequence[Joined], width: int = PLAIN_WIDTH, colour: bool = False, ascii_only: bool = False
) -> str:
    """All that was joined, one after the other; arguments as of `render.to_text`."""

    def draw(console: Console) -> None:
        for i, each in enumerate(joined):
            for block in [*([Text()] if i else []), *_blocks(each, width)]:
                console.print(block)

    return drawn(draw, width, colour, ascii_only)


def _blocks(joined: Joined, width: int) -> Iterator[RenderableType]:
    named = f"{joined.group} · " if joined.group else ""
    whose = f"stage {joined.stage} of {_runs_words(len(joined.reports))}" if joined.stage else "arrays"
    yield Text(f"{named}{whose}\n", style="bold")
    yield _runs(joined.reports, width)
    yield Text()
    if joined.counted:
        yield _figures(joined)
    if len(joined.counted) < len(joined.reports):
        of_all = f"{len(joined.counted)} of {_runs_words(len(joined.reports))}"
        yield Text(f"Mean and deviation are over those that are finished: {of_all}.")
    for report in joined.reports:
        for note in (*report.notes, *(f"No figures from the {kind}: {why}" for kind, why in report.missing.items())):
            yield Text(f"\n{report.run}: {note}")
    if not joined.alike:
        yield Text(
            "\nThe runs are judged by thresholds that differ, as each was recorded; --threshold makes them equal."
        )


def _runs_words(count: int) -> str:
    return f"{count} run{'' if count == 1 else 's'}"


def _runs(reports: Sequence[Report], width: int) -> Table:
    """The figures that tell most of a run, from the checkpoint where it has one; as many as there is room for."""
    headings = ["from", "latents", *(each.short for each in _headlines(reports[0].parts[-1]))]
    rows = [_told(report) for report in reports]
    if any(report.state != FINISHED for report in reports):
        headings.insert(0, "state")
        rows = [[report.state, *row] for report, row in zip(reports, rows, strict=True)]
    widths = [max(map(len, column)) + GAP for column in zip(headings, *rows, strict=True)]
    left = width - min(max(len(report.run) for report in reports), NAME)
    shown = [i for i in range(len(headings)) if sum(widths[: i + 1]) <= left]
    table = table_without_lines()
    table.add_column("run", overflow="fold")
    for i in shown:
        table.add_column(headings[i], justify="right", no_wrap=True)
    for report, row in zip(reports, rows, strict=True):
        table.add_row(report.run, *(row[i] for i in shown))
    return table


def _told(report: Report) -> list[str]:
    part = report.parts[-1]
    values = [_value(each.value, each.style) for each in _headlines(part)]
    return [_KINDS[part.origin.kind], str(report.latents), *values]


def _headlines(part: Part) -> list[Figure]:
    return [each for figures in part.figures.values() for each in figures if each.short]


def _figures(joined: Joined) -> Table:
    """Every figure that some run knows, mean ± deviation over the runs; a column an origin."""
    table = table_without_lines()
    table.add_column("mean ± deviation over the runs")
    for kind, count in joined.kinds.items():
        table.add_column(f"{kind}\n{_runs_words(count)}", justify="right", no_wrap=True)
    for name in joined.reports[0].reports:
        known = [each for each in joined.figures if each.report == name and each.spreads]
        for each in known:
            cells = [_spread(each.spreads.get(kind), each.style, count) for kind, count in joined.kinds.items()]
            table.add_row(each.label, *cells, end_section=each is known[-1])
    return table


def _spread(spread: Spread | None, style: str, runs: int) -> str:
    """A mean and its deviation, "3.1 ± 0.4"; and of how many runs, where not of all."""
    if spread is None:
        return "–"
    of_counts = ".1f" if style == "d" else style
    told = number(spread.mean, of_counts)
    if spread.deviation is not None:
        told += f" ± {number(spread.deviation, of_counts.lstrip('+'))}"
    return told if spread.runs == runs else f"{told} ({spread.runs} of {runs})"


def _value(value: float | int | None, style: str) -> str:
    if value is None or math.isnan(value):
        return "–"
    return f"{value:,d}" if style == "d" else number(float(value), style)
