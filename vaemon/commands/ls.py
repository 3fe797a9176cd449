"""`vaemon ls`: the runs, the newest first."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from posixpath import basename
from typing import TYPE_CHECKING, Any

import click

from vaemon.commands.completion import complete_run
from vaemon.commands.filter import Filter, keys_of, parse_condition, parse_since
from vaemon.commands.thresholds import judging
from vaemon.errors import FarEndLacksVaemon, SourceLost, UsageError, VaemonError, nearest
from vaemon.runstate import RunState
from vaemon.source.far.address import FarAddress
from vaemon.source.far.links import Links
from vaemon.source.far.reaching import reaching
from vaemon.view.signs import harmless, safe

if TYPE_CHECKING:
    from vaemon.commands.summary import Summary
    from vaemon.source.protocol import Source

PIPED_WIDTH = 200
"""What is piped has no width, and little is to be cut from it."""
HEADINGS = ("run", "state", "stage", "step", "rate", "active", "inactive", "newest row")
LEAST_MISSED = ("stage", "rate", "inactive", "newest row")
"""What is left out, one after the other, of a list that is too wide."""
FOLDED = {"run": 16, "state": len("unreadable:")}
"""Columns that may go on in the next row, and from how many cells on."""
GAP = 2
STATES = (*(str(each) for each in RunState), "unreadable")


@click.command()
@click.argument("patterns", nargs=-1, shell_complete=complete_run)
@click.option("--state", "states", multiple=True, type=click.Choice(STATES), help="Only these; may be repeated.")
@click.option("--since", metavar="TIME", help="Newest row after TIME: 2d, 12h, 30m ago, or a date as 2026-11-01.")
@click.option(
    "--where",
    "conditions",
    multiple=True,
    metavar="KEY=VALUE",
    help="By the config: 'stage1.lr>1e-4'; = != < <= > >=, in quotes; may be repeated: all must hold.",
)
@click.option("--sort", "order", type=click.Choice(["newest", "name", "steps"]), default="newest", show_default=True)
@click.option("--limit", type=click.IntRange(1), metavar="N", help="The first N only.")
@click.option("--runs", metavar="DIR", help="The folder of runs; default $VAEMON_RUNS, else ./runs.")
@reaching
@judging
@click.option("--json", "as_json", is_flag=True, help="One JSON array, for scripts.")
def ls(
    patterns: tuple[str, ...],
    states: tuple[str, ...],
    since: str | None,
    conditions: tuple[str, ...],
    order: str,
    limit: int | None,
    runs: str | None,
    links: Links,
    as_json: bool,
    thresholds: dict[str, float],
) -> int:
    """List the runs, the newest first: state, stage, step, rate, active and inactive latents, age.

    With PATTERNS, those whose name fits one of them: 'cifar*', in quotes. HOST: lists the runs of another machine,
    HOST:DIR/ those of a folder there, HOST:'cifar*' those of a pattern.

    Exit code 2 where one of PATTERNS is a name, not a pattern, and there is no such run; 1 where a machine does not
    answer. That nothing fits a pattern, or the options, is no error.
    """
    wanted = Filter(
        states=frozenset(states),
        since=parse_since(since, time.time()) if since is not None else 0.0,
        conditions=tuple(parse_condition(each) for each in conditions),
    )
    seen: list[Summary] = []
    lines = []
    failures: list[VaemonError] = []
    for run in _in_order(runs, patterns, links, order, thresholds, failures):
        seen.append(run)
        if wanted.takes(run):
            lines.append(run.line)
        if len(lines) == limit:
            break
    if as_json:
        from vaemon.headless.record import strict

        click.echo(json.dumps(strict(lines), indent=1, allow_nan=False))
    elif lines:
        _print_table(lines)
    if not lines and not failures:
        click.echo(harmless(_why_none(runs, patterns, wanted, seen)), err=True)
    for failure in failures:
        click.echo(harmless(f"vaemon: {failure}"), err=True)
    return max((failure.exit_code for failure in failures), default=0)


def _in_order(
    runs: str | None,
    patterns: tuple[str, ...],
    links: Links,
    order: str,
    thresholds: dict[str, float],
    failures: list[VaemonError],
) -> Iterator["Summary"]:
    """The runs in the order of the list, each read only when it is asked for, where the order allows that.

    Among the `failures` are then names of no run, and machines that do not answer, unless it is all that were asked
    for.
    """
    from vaemon.commands.summary import summarise
    from vaemon.runfile.find import runs_folder, touched
    from vaemon.source.open import open_all

    def read(name: str, source: "Source") -> "Summary":
        run = summarise(name, source)
        run.line.setdefault("newest", touched(runs_folder(runs) / name))  # of an unreadable run, as the folder has it
        return run

    far = _far(patterns)
    near = [each for each in patterns if each not in far]
    failures += _unknown(near, runs_folder(runs))
    sources = open_all(runs, near, thresholds) if near or not far else []
    if order == "name":
        sources.sort(key=lambda each: each[0])
    found: Iterator[Summary] = (read(name, source) for name, source in sources)
    if far:
        there = [_read_far(links, address, thresholds, failures) for address in far.values()]
        if failures and len(failures) == len(far) and not near:
            raise failures[0]
        every = [*found, *(run for runs_there in there for run in runs_there)]
        newest = sorted(every, key=lambda run: -run.line["newest"])
        found = iter(sorted(newest, key=lambda run: run.line["name"]) if order == "name" else newest)
    if order == "steps":
        yield from sorted(found, key=lambda run: -run.line.get("step", -1))
    else:
        yield from found


def _far(patterns: tuple[str, ...]) -> dict[str, FarAddress]:
    """Those of the patterns that are of other machines."""
    return {each: address for each in patterns if (address := FarAddress.parse(each)) is not None}


def _read_far(
    links: Links, asked: FarAddress, thresholds: dict[str, float], failures: list[VaemonError]
) -> list["Summary"]:
    from vaemon.commands.summary import summarise_listed
    from vaemon.runfile.selection import is_pattern

    try:
        listed = links.listed(asked, thresholds)
    except (SourceLost, FarEndLacksVaemon) as error:
        failures.append(error)
        return []
    if not listed and basename(asked.path) and not is_pattern(asked.path):
        where = asked.place.address(asked.folder)
        failures.append(UsageError(f"unknown run {asked.title!r}; `vaemon ls {where}` lists those that there are"))
    return [summarise_listed(address.place.address(address.path), each) for address, each in listed]


def _unknown(names: list[str], folder: Path) -> Iterator[VaemonError]:
    """What is wrong with those of the patterns that are names, and of no run."""
    from vaemon.runfile.find import find_run, is_path, list_runs
    from vaemon.runfile.selection import is_pattern, select

    for name in names:
        if is_pattern(name) or select(list_runs(folder), [name]):
            continue
        if is_path(name):
            yield UsageError(
                f"{name!r} is a path: what is listed are names, and patterns of them; --runs DIR says where"
            )
            continue
        try:
            find_run(name, folder)
        except UsageError as error:
            yield error


def _why_none(runs: str | None, patterns: tuple[str, ...], wanted: Filter, seen: list["Summary"]) -> str:
    from vaemon.runfile.find import list_runs, runs_folder

    folder = runs_folder(runs)
    if _far(patterns):
        said = f"no such run at {' or '.join(patterns)}"
    elif count := len(list_runs(folder)):
        said = f"no such run among the {count} in {folder.absolute()}; `vaemon ls` lists them"
    else:
        return f"no runs in {folder.absolute()}; `vaemon demo` makes one"
    known = {key for run in seen for key in keys_of(run.config)}
    for key in (each.key for each in wanted.conditions if seen and each.key not in known):
        near = next((each for each in sorted(known) if each.endswith(f".{key}")), nearest(key, known))
        said += f"; none has the config key {key!r}" + (f" (did you mean {near!r}?)" if near else "")
    return said


def _print_table(lines: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console.width = PIPED_WIDTH
    now = time.time()
    rows = [_cells(line, now) for line in lines]
    headings = [each for each in HEADINGS if any(row.get(each) for row in rows)]
    for heading in LEAST_MISSED:
        if sum(_width(each, rows) + GAP for each in headings) - GAP > console.width:
            headings = [each for each in headings if each != heading]
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in headings:
        least = _width(heading, rows)
        if heading in FOLDED:
            table.add_column(heading, overflow="fold", min_width=least)
        else:
            table.add_column(heading, justify="right", min_width=least)
    for row in rows:
        table.add_row(*(row.get(heading, "") for heading in headings))
    console.print(table)


def _width(heading: str, rows: list[dict[str, str]]) -> int:
    """Cells that a column needs."""
    longest = max(len(heading), *(len(row.get(heading, "")) for row in rows))
    return min(longest, FOLDED.get(heading, longest))


def _cells(line: dict[str, Any], now: float) -> dict[str, str]:
    """What a line of the table says, by heading."""
    from vaemon.view.summary import steps_words
    from vaemon.view.words import age, rate

    if line["state"] == "unreadable":
        return {"run": safe(line["name"]), "state": safe(f"unreadable: {line['reason']}")}
    state = "stalled" if line["stalled"] else line["state"]
    return {
        "run": safe(line["name"]),
        "state": state,
        "stage": str(line["stage"] or ""),
        "step": steps_words(line["step"], line["total_steps"]),
        "rate": rate(line["rate"]) if state == "running" else "",
        **{name: f"{line[name]}/{line['latents']}" for name in ("active", "inactive") if line["latents"]},
        "newest row": age(now - line["newest"]),
    }
