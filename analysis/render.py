"""The report as text for people: a table of latents, then the figures of each origin side by side.

Of stream and checkpoint the latents of the latter are listed, for it counts every test image; the stream's are in JSON
and CSV. What other texts of the analysis need of rich is here, too: `drawn`, `progress`, `table_without_lines`.
"""

import io
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from rich import box
from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from analysis.inputs import Origin
from analysis.report import STEP, Column, Figure, Overlap, Part, Report
from analysis.terminal import PLAIN_WIDTH, to_ascii

_STATE_STYLES = {"active": "green", "waking": "yellow", "limbo": "magenta", "collapsed": "blue"}
_HEADINGS = {
    "stream": "Recorded stream",
    "checkpoint": "Checkpoint, over the test set",
    "posterior": "Posteriors, as given",
}
_MOST_WOKEN = 12
"""Latents whose waking is told of in words."""
_BLOCKS = " ▏▎▍▌▋▊▉█"
_BAR = range(8, 25)
"""Cells that a bar may have: fewer show nothing, more are hard to compare."""
WIDEST = 1000
"""No table is cut: a terminal too narrow for its digits wraps them."""
GAP = 2
"""Cells between two columns."""
_BOX = box.Box("    \n    \n ── \n    \n ── \n    \n    \n    \n")
"""A line below the headings and one between sections; no other lines."""


def to_text(report: Report, width: int = PLAIN_WIDTH, colour: bool = False, ascii_only: bool = False) -> str:
    """The whole report.

    Args:
        report: what was found.
        width: columns that a line may take.
        colour: whether to write colours; where $NO_COLOR is set, only bold and dim.
        ascii_only: write `E[s^2]` for `E[σ²]`, and so on.
    """
    report = _with_ascii_labels(report) if ascii_only else report

    def draw(console: Console) -> None:
        for block in _blocks(report, width):
            console.print(block, width=WIDEST if isinstance(block, Table) else width)

    return drawn(draw, WIDEST, colour, ascii_only)


def drawn(draw: Callable[[Console], None], width: int, colour: bool = False, ascii_only: bool = False) -> str:
    """What `draw` prints on a console of that many columns, as text without spaces at the ends of its lines."""
    console = Console(
        file=io.StringIO(),
        width=width,
        force_terminal=colour,
        color_system="auto" if colour else None,
        legacy_windows=False,
        highlight=False,
        emoji=False,
        markup=False,
    )
    with console.capture() as captured:
        draw(console)
    text = "\n".join(line.rstrip() for line in captured.get().splitlines()) + "\n"
    return to_ascii(text) if ascii_only else text


@contextmanager
def progress(sentence: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on stderr while a long step runs; nothing where stderr is no terminal.

    Yields:
        A function to call with how much is done, and of how much.
    """
    console = Console(stderr=True)
    columns = (TextColumn(sentence), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(sentence, total=None, visible=False)
        yield lambda done, total: bar.update(task, completed=done, total=total, visible=True)


def _with_ascii_labels(report: Report) -> Report:
    """The labels are written out before the tables are laid out, for they grow by it."""
    stream, checkpoint, posterior = (
        None if part is None else _part_with_ascii_labels(part)
        for part in (report.stream, report.checkpoint, report.posterior)
    )
    return replace(report, stream=stream, checkpoint=checkpoint, posterior=posterior)


def _part_with_ascii_labels(part: Part) -> Part:
    return replace(
        part,
        columns=tuple(replace(column, label=to_ascii(column.label)) for column in part.columns),
        figures={
            name: tuple(replace(figure, label=to_ascii(figure.label)) for figure in figures)
            for name, figures in part.figures.items()
        },
        rule=to_ascii(part.rule),
        overlap=replace(part.overlap, labels=tuple(map(to_ascii, part.overlap.labels))),
    )


def _blocks(report: Report, width: int) -> Iterator[RenderableType]:
    told = [f"stage {report.stage}" if report.stage else "", _count(report.latents, "latent"), report.state]
    yield Text.assemble((report.run, "bold"), *(f" · {each}" for each in told if each))
    part = report.parts[-1]
    yield Text(f"\n{_heading(part.origin)}", style="bold")
    yield Text(f"{_detail(part.origin)}\n", style="dim")
    yield _latents(part, width)
    yield Text("\n" + " ".join(_legend(report, part)), style="dim")
    yield Text()
    yield _figures(report)
    if "inactive" in report.reports:
        yield Text("\nLatents that two rules both hold for", style="bold")
        yield _overlap(part.overlap)
    for remark in _remarks(report):
        yield Text(f"\n{remark}")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _heading(origin: Origin) -> str:
    return _HEADINGS[origin.kind]


def _detail(origin: Origin) -> str:
    if origin.kind == "posterior":
        return f"{_count(origin.samples, 'sample')} · {origin.data}"
    if origin.kind == "checkpoint":
        told = f"step {origin.step:,} · {_count(origin.samples, 'test image')} · evaluation mode"
        return f"{told}\n{origin.data}" if origin.data else told
    rows = _count(origin.samples, "row")
    which = f"the last full epoch, {rows}" if origin.full_epoch else f"the last {rows}"
    return f"steps {origin.first_step:,}–{origin.step:,} · {which}, each a training batch"


def _divided(part: Part) -> bool:
    """Whether the table of latents is to show where the inactive ones begin."""
    return "inactive" in part.figures and bool(part.inactive.any() and not part.inactive.all())


def _legend(report: Report, part: Part) -> Iterator[str]:
    """What the table of latents does not say by itself."""
    if _divided(part):
        yield f"Below the line: inactive, {part.rule}."
    if "marks" in part.shown:
        letters = zip(part.overlap.marks, part.overlap.labels, strict=True)
        unknown = any("?" in each for each in part.column("marks").values)
        yield f"Marks: {', '.join(map(' '.join, letters))}{'; ? cannot be told' if unknown else ''}."
    if report.parts[0] is not part:
        yield "The stream's own are in --json and --csv."


def _latents(part: Part, width: int) -> Table:
    """A row a latent, sorted, with a line where the inactive ones begin; a bar of the first column where it fits."""
    columns, bar = _fitting(part, width)
    table = table_without_lines()
    table.add_column("latent", justify="right")
    for column in columns:
        table.add_column(column.label, justify="right" if column.style else "left")
        if bar and column is columns[0]:
            table.add_column(f"0{'1':>{bar - 1}}", width=bar)
    order = part.order()
    for place, i in enumerate(order):
        style = _STATE_STYLES[str(part.column("state").values[i])]
        cells = [Text(text, style=style if text in _STATE_STYLES else "") for text in _row(columns, i)]
        if bar:
            cells.insert(2, Text(_bar(float(columns[0].values[i]), bar), style=style))
        ends = _divided(part) and any(part.inactive[i] != part.inactive[j] for j in order[place + 1 : place + 2])
        table.add_row(*cells, style="dim" if part.inactive[i] else "", end_section=ends)
    return table


def _fitting(part: Part, width: int) -> tuple[list[Column], int]:
    """The columns that are shown, without some that can be spared where it is narrow; and the cells of the bar."""
    columns = [part.column(name) for name in part.shown]
    while True:
        bar = _bar_cells(columns, len(part.inactive), width)
        spare = [each for each in columns if each.spare]
        if bar or not spare:
            return columns, bar
        columns.remove(spare[-1])


def _row(columns: Sequence[Column], i: int) -> list[str]:
    return [str(i), *(_cell(column, i) for column in columns)]


def _figures(report: Report) -> Table:
    """Every figure, one column an origin; a line between the reports. What no origin has is left out."""
    table = table_without_lines()
    table.add_column("over all latents")
    for part in report.parts:
        table.add_column(f"{part.origin.kind}\n{_when(part.origin)}", justify="right")
    for name in report.reports:
        rows = zip(*(part.figures[name] for part in report.parts), strict=True)
        known = [row for row in rows if any(figure.value is not None for figure in row)]
        for row in known:
            style = "bold" if row is known[0] else ""
            table.add_row(row[0].label, *map(_value, row), style=style, end_section=row is known[-1])
    return table


def _when(origin: Origin) -> str:
    if origin.kind == "posterior":
        return _count(origin.samples, "sample")
    return f"steps {origin.first_step:,}–{origin.step:,}" if origin.kind == "stream" else f"step {origin.step:,}"


def _overlap(overlap: Overlap) -> Table:
    """A row and a column a rule; below the diagonal would stand the same again."""
    table = table_without_lines()
    table.add_column("")
    for label in overlap.labels:
        table.add_column(label, justify="right")
    for i, label in enumerate(overlap.labels):
        counts = [f"{count:,}" if j >= i else "" for j, count in enumerate(overlap.counts[i])]
        table.add_row(f"{overlap.marks[i]} {label}", *counts)
    return table


def _remarks(report: Report) -> Iterator[str]:
    if "inactive" in report.reports:
        yield (
            "Inactive latents and active units are not complements: the one is judged by the posterior's variance, "
            "the other by how far its mean moves. Nor is any other of these rules another's opposite."
        )
        yield from _woken(report.parts[-1])
    factors = report.factors
    if factors:
        names = f" ({', '.join(factors.names)})" if factors.names else ""
        yield (
            f"The images vary in {_count(factors.count, 'factor')}{names}; {_count(factors.woken, 'latent')} woke, "
            f"{factors.active} {'is' if factors.active == 1 else 'are'} active. The two need not agree "
            "(Asperti & Trentin 2020, section V)."
        )
    yield from report.notes
    for kind, reason in report.missing.items():
        yield f"No figures from the {kind}: {reason}"


def _woken(part: Part) -> Iterator[str]:
    """The latents that are awake in the order in which they woke."""
    steps = part.column("woke_at").values
    order = sorted((int(step), i) for i, step in enumerate(steps) if step >= 0)
    if order:
        told = ", ".join(f"{i} at step {step:,}" for step, i in order[:_MOST_WOKEN])
        more = f" and {len(order) - _MOST_WOKEN} more" if len(order) > _MOST_WOKEN else ""
        yield f"Woken, in order: latent {told}{more}."


def table_without_lines() -> Table:
    """A table with a line below its headings and one between sections, and no other."""
    return Table(
        box=_BOX, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold", border_style="dim"
    )


def _cell(column: Column, i: int) -> str:
    value = column.values[i]
    if not column.style:
        return "–" if value is None else str(value)
    if column.style == STEP:
        return f"{int(value):,}" if value >= 0 else "–"
    return number(float(value), column.style)


def _value(figure: Figure) -> str:
    if figure.value is None:
        return "–"
    return f"{figure.value:,d}" if figure.style == "d" else number(float(figure.value), figure.style)


def number(value: float, style: str) -> str:
    """A number in the column's style; in powers of ten where that would be too wide to read."""
    return f"{value:.2e}" if math.isfinite(value) and abs(value) >= 1e4 else f"{value:{style}}"


def _bar_cells(columns: Sequence[Column], latents: int, width: int) -> int:
    """Cells left for a bar beside the columns, or 0 where they are too few."""
    rows = [["latent", *(column.label for column in columns)]]
    rows += [_row(columns, i) for i in range(latents)]
    left = width - sum(max(map(len, column)) + GAP for column in zip(*rows, strict=True))
    return min(left, _BAR[-1]) if left >= _BAR[0] else 0


def _bar(value: float, cells: int) -> str:
    """A bar from 0 to 1 in eighths of a cell; empty for NaN, full beyond 1."""
    if math.isnan(value):
        return ""
    eighths = round(min(max(value, 0.0), 1.0) * cells * 8)
    return "█" * (eighths // 8) + _BLOCKS[eighths % 8].strip()
