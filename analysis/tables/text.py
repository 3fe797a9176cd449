"""A table as text for people: the lines of the runs, the paper's below them, then what is to be known."""

from collections.abc import Callable

from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from analysis.render import WIDEST, drawn, table_without_lines
from analysis.spread import Spread
from analysis.tables.shape import Key, Line, Table
from analysis.terminal import to_ascii
from vaemon.view.evaluations import NAMES
from vaemon.view.words import NOTHING, number

_STYLES = {"REC": ".1f", "GEN-1": ".1f", "GEN-2": ".1f", "mse": ".4f", "variance_law": ".3f", "inactive": ".1f"}
_LARGEST = 1e5
"""From here on a number is written in powers of ten."""


def to_text(table: Table, last: str, width: int, colour: bool = False, ascii_only: bool = False) -> str:
    """The whole of it.

    Args:
        table: what was found.
        last: the last line; empty: none.
        width: columns that a note may take; the table takes what it needs.
        colour: whether to write colours; where $NO_COLOR is set, only bold and dim.
        ascii_only: write `+-` for `±`, and so on.
    """
    runs = f"{len(table.runs)} runs" if len(table.runs) > 1 else table.runs[0]

    def draw(console: Console) -> None:
        console.print(Text.assemble((f"Table {table.number}", "bold"), f" · {table.title} · {runs}\n"))
        console.print(_grid(table, to_ascii if ascii_only else str))
        for note in table.notes:
            console.print(Text(f"\n{note}", style="dim"), width=width)
        if last:
            console.print(Text(f"\n{last}"), soft_wrap=True)  # a command is copied whole

    return drawn(draw, WIDEST, colour, ascii_only)


def _grid(table: Table, written: Callable[[str], str]) -> Grid:
    """The lines; what stands in them is written before they are laid out, for signs may become words."""
    grid = table_without_lines()
    for i, heading in enumerate(table.headings):
        grid.add_column(written(heading), justify="right" if _numeric(table, i) else "left", no_wrap=True)
    grid.add_column("")
    for name in table.columns:
        grid.add_column(NAMES.get(name, name), no_wrap=True)
    before: tuple[Key, ...] | None = None
    for line in table.lines:
        keys = ["" if line.keys == before else _key(each) for each in line.keys]
        cells = [_cell(line, name) for name in table.columns]
        grid.add_row(*map(written, (*keys, _of(line), *cells)), style="" if line.runs else "dim")
        before = line.keys
    return grid


def _numeric(table: Table, i: int) -> bool:
    return all(not isinstance(line.keys[i], str) for line in table.lines)


def _key(key: Key) -> str:
    return key if isinstance(key, str) else f"{key:,}" if isinstance(key, int) else f"{key:g}"


def _of(line: Line) -> str:
    return "paper" if not line.runs else line.runs[0] if len(line.runs) == 1 else f"{len(line.runs)} runs"


def _cell(line: Line, name: str) -> str:
    found = line.values.get(name)
    if found is None:
        return NOTHING
    partly = found.runs is not None and found.runs < len(line.runs)
    return _words(found, name) + (f" (of {found.runs})" if partly else "")


def _words(found: Spread, name: str) -> str:
    if name == "inactive" and found.deviation is None:
        return f"{found.mean:g}"
    style = _STYLES[name]
    return _number(found.mean, style) + ("" if found.deviation is None else f" ± {_number(found.deviation, style)}")


def _number(value: float, style: str) -> str:
    """A number with the digits that the paper gives it; in four figures where it would be 0 by them, or endless."""
    written = f"{value:{style}}"
    return written if abs(value) < _LARGEST and (value == 0 or float(written) != 0) else number(value)
