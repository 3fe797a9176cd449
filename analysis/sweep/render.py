"""The report of a sweep as text for people: a row a member, and mean ± deviation below those of each setting."""

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from analysis.catalogue import HEADINGS, Heading
from analysis.measures.spread import Spread
from analysis.render import figure_text, laid_out, new_table, to_ascii
from analysis.report import Part
from analysis.sweep.report import COUNTED, Found, Kind, Setting, SweepReport, figure_of

TITLES: dict[Kind, str] = {
    "stream": "Recorded stream, over the last full epoch or the last 500 rows",
    "checkpoint": "Checkpoint, over the test set, in evaluation mode",
}
SHOWN = 3
"""Names of members listed in a remark; the rest is counted."""


def to_text(found: SweepReport, width: int, colour: bool = False, ascii_only: bool = False) -> str:
    """The whole report; arguments as of `analysis.render.to_text`."""
    return laid_out(_blocks(found, ascii_only), width, colour, ascii_only)


def _blocks(found: SweepReport, ascii_only: bool) -> Iterator[RenderableType]:
    finished = sum(member.state == COUNTED for member in found.members)
    yield Text.assemble(
        (found.sweep, "bold"),
        f" · sweep of {found.preset} · {finished} of {len(found.members)} finished · stage {found.stage}",
    )
    headings = [
        each for each in HEADINGS if each.report in found.reports and each.as_published in (None, found.as_published)
    ]
    for kind in found.kinds:
        yield Text(f"\n{TITLES[kind]}\n", style="bold")
        yield _table(found, kind, headings, ascii_only)
    yield Text(
        "\nmean ± std: over the members that are finished; std is the standard deviation, of n - 1.", style="dim"
    )
    for remark in _remarks(found):
        yield Text(f"\n{remark}")


def _table(found: SweepReport, kind: Kind, headings: Sequence[Heading], ascii_only: bool) -> Table:
    table = new_table()
    for title in ("run", "state", "step"):
        table.add_column(title, justify="right" if title == "step" else "left")
    for heading in headings:
        table.add_column(to_ascii(heading.label) if ascii_only else heading.label, justify="right")
    for setting in found.settings:
        if setting.setting:
            table.add_row(Text(setting.setting, style="bold"))
        for member in setting.members:
            part = member.part(kind)
            step = "–" if part is None else f"{part.origin.step:,}"
            cells = [_cell(part, heading) for heading in headings]
            table.add_row(member.run, member.state, step, *cells, style="" if member.state == COUNTED else "dim")
        table.add_row("mean ± std", "", "", *_means(setting, kind, headings), style="bold", end_section=True)
    return table


def _cell(part: Part | None, heading: Heading) -> str:
    return "–" if part is None else figure_text(figure_of(part, heading.report, heading.figure))


def _means(setting: Setting, kind: Kind, headings: Sequence[Heading]) -> list[str]:
    return [_words(setting.spread(kind, heading.report, heading.figure)) for heading in headings]


def _words(spread: Spread) -> str:
    """A mean and its deviation: "0.0213 ± 0.0004"."""
    if spread.mean is None:
        return "–"
    return f"{spread.mean:.4g}" + ("" if spread.std is None else f" ± {spread.std:.2g}")


def _remarks(found: SweepReport) -> Iterator[str]:
    """Which members lack something, those with the same reason together."""
    lacking: dict[tuple[str, str], list[Found]] = {}
    for member in found.members:
        for kind in ("stream", "checkpoint"):
            reason = member.missing(kind)
            if reason and member.report is None:
                lacking.setdefault(("", reason), []).append(member)
                break
            if reason:
                lacking.setdefault((f" from the {kind}", reason), []).append(member)
    for (where, reason), members in lacking.items():
        names = ", ".join(member.run for member in members[:SHOWN])
        more = f" and {len(members) - SHOWN} more" if len(members) > SHOWN else ""
        yield f"No figures{where} of {names}{more}: {reason}"
