"""The options of `vaemon analyze` that ask for a table or a figure of the paper, and what is done by them.

Imports nothing heavy before one of them is given.
"""

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from analysis.alone import one_form, print_text, refuse_others
from vaemon.errors import UsageError
from vaemon.view.signs import harmless

if TYPE_CHECKING:
    from analysis.tables.answer import Asked

FIGURES = ("2", "4", "5", "6", "latents")
FORMATS = (".png", ".svg", ".pdf")
_SHARED = {"run", "runs", "links"}
"""Options of the command itself that say which runs are meant."""
_GO_WITH = {
    "table": _SHARED | {"table", "only", "as_json", "as_csv"},
    "figure": _SHARED | {"figure", "only", "to", "stage"},
}

_OPTIONS = (
    click.option(
        "--table",
        type=click.IntRange(1, 5),
        metavar="N",
        help="One of the paper's tables, 1 to 5, of these runs beside the printed figures; with --json or --csv, too.",
    ),
    click.option(
        "--figure",
        type=click.Choice(FIGURES),
        help="One of the paper's figures: 2 (REC, GEN-1, GEN-2), 4 and 5 (E[σ²] of every latent in the first epoch), "
        "6 (in the first 50); or `latents`, all steps.",
    ),
    click.option(
        "--only",
        metavar="CONDITION",
        help="With --table or --figure 2: the runs that end so, as in 'active=17', 'inactive<20 and finished'.",
    ),
    click.option(
        "--to",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        help="Write the figure to a .png, .svg or .pdf, not to the terminal; needs vaemon[figures].",
    ),
)


def tabulating(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --table, --figure, --only and --to; where one of the first two is given, the command itself is not run."""

    @wraps(command)
    def instead(
        *args: Any, table: int | None, figure: str | None, only: str | None, to: Path | None, **rest: Any
    ) -> Any:
        _refuse(table, figure, only, to)
        if table is None and figure is None:
            return command(*args, **rest)
        asked_for = "figure" if table is None else "table"
        refuse_others(asked_for, _GO_WITH[asked_for])
        asked = _asked(rest, only)
        if table is not None:
            return _print_table(asked, table, rest["as_json"], rest.get("as_csv", False))
        assert figure is not None
        return _draw(asked, figure, rest["stage"] or 1, to)

    for option in reversed(_OPTIONS):
        instead = option(instead)
    return instead


def _refuse(table: int | None, figure: str | None, only: str | None, to: Path | None) -> None:
    if table is not None and figure is not None:
        raise UsageError("--table and --figure are two answers: ask for one after the other")
    if only is not None and table is None and figure != "2":
        raise UsageError("--only chooses among the runs of --table N or --figure 2: say which")
    if to is not None and figure is None:
        raise UsageError(f"--to takes a figure: say which, as in --figure 6 --to {to}")
    if to is not None and to.suffix.lower() not in FORMATS:
        raise UsageError(f"--to {to}: the name of a figure ends in {', '.join(FORMATS)}")


def _asked(rest: dict[str, Any], only: str | None) -> "Asked":
    from analysis.tables.answer import Asked

    return Asked(tuple(rest["run"]), rest["runs"], rest["links"], only)


def _print_table(asked: "Asked", number: int, as_json: bool, as_csv: bool) -> None:
    from analysis.tables.answer import as_csv as csv_of
    from analysis.tables.answer import as_json as json_of
    from analysis.tables.answer import as_text, table_of
    from analysis.terminal import form

    one_form(as_json, as_csv)
    table = table_of(asked, number)
    if as_json or as_csv:
        click.echo(json_of(table) if as_json else csv_of(table), nl=False)
        return
    how = form("γ±–·─")
    click.echo(harmless(as_text(table, asked, how)), nl=False, color=how.is_terminal)


def _draw(asked: "Asked", figure: str, stage: int, to: Path | None) -> None:
    from analysis.tables.drawing import in_terminal, to_file

    if to is not None:
        written, last = to_file(asked, figure, stage, to)
        click.echo(f"written: {written}")
    else:
        text, last = in_terminal(asked, figure, stage)
        print_text(text, sys.stdout.isatty())
    if last:
        print_text(f"{last}\n")
