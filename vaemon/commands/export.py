"""`vaemon export`: a run as a file of another program's."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vaemon.commands.completion import complete_run
from vaemon.commands.far import reaching
from vaemon.errors import UsageError
from vaemon.source.far.links import Links

if TYPE_CHECKING:
    from vaemon.exchange.selection import Selected
    from vaemon.source.protocol import Source

KINDS = ("csv", "json", "npz")


@click.command()
@click.argument("run", shell_complete=complete_run)
@click.option("--to", "kind", type=click.Choice(KINDS), required=True, help="json: an object a line.")
@click.option(
    "--out", metavar="FILE", help="Where; `-` is standard output; default RUN-stageN.csv, never over another."
)
@click.option("--channel", "channels", multiple=True, metavar="NAME", help="Only this one; may be repeated.")
@click.option("--stage", type=click.IntRange(1), metavar="N", help="The stage; by default the newest.")
@click.option("--first", type=click.IntRange(0), metavar="STEP", help="The first step.")
@click.option("--last", type=click.IntRange(0), metavar="STEP", help="The last step, included.")
@click.option("--points", type=click.IntRange(1), metavar="N", help="At most N rows: means, with low and high.")
@click.option("--events", is_flag=True, help="The events in place of the rows, as CSV.")
@click.option("--runs", metavar="DIR", help="The folder of runs; default $VAEMON_RUNS, else ./runs.")
@reaching
def export(
    run: str,
    kind: str,
    out: str | None,
    channels: tuple[str, ...],
    stage: int | None,
    first: int | None,
    last: int | None,
    points: int | None,
    events: bool,
    runs: str | None,
    links: Links,
) -> None:
    """Write the rows of RUN, every one of a stage and as exact as recorded, as CSV, JSON lines or .npz.

    RUN is a name, a path to a run's folder, `latest`, or HOST:RUN.
    """
    from vaemon.exchange.file import safe
    from vaemon.exchange.selection import select
    from vaemon.source.open import open_source

    if events and kind != "csv":
        raise UsageError("events are written as CSV: say --to csv")
    source = open_source(run, runs, links=links)
    try:
        chosen = select(source, stage=stage, channels=channels, first=first, last=last)
        if events:
            parts: Iterable[bytes] = _events(source, chosen)
        elif kind == "npz":
            parts = _npz(source, chosen, points)
        else:
            parts = _lines(_rows(source, chosen, points), kind)
        # What a run says it is called may be a path of somebody else's choice.
        name = f"{safe(chosen.info.name) or 'run'}-{'events' if events else f'stage{chosen.stage}'}.{kind}"
        _write(parts, out, name)
    finally:
        source.close()


def _rows(source: "Source", chosen: "Selected", points: int | None) -> Iterator[Mapping[str, Any]]:
    from vaemon.exchange.table import blocks, pooled

    if points is not None and points < chosen.last - chosen.first:
        return iter([pooled(source, chosen.stage, *chosen.steps, chosen.channels, points)])
    return blocks(source, chosen.stage, chosen.last, chosen.channels, begin=chosen.first)


def _lines(rows: Iterator[Mapping[str, Any]], kind: str) -> Iterator[bytes]:
    from vaemon.exchange.csv import lines
    from vaemon.exchange.jsonl import json_lines

    return lines(rows) if kind == "csv" else json_lines(rows)


def _npz(source: "Source", chosen: "Selected", points: int | None) -> Iterator[bytes]:
    from vaemon.exchange.npz import npz_parts

    if points is not None and points < chosen.last - chosen.first:
        whole = next(_rows(source, chosen, points))
        return npz_parts(whole, len(whole["step"]), lambda name: [whole])
    names = ("step", *chosen.channels)
    return npz_parts(
        names, chosen.last - chosen.first, lambda name: _rows(source, chosen._replace(channels=(name,)), None)
    )


def _events(source: "Source", chosen: "Selected") -> Iterator[bytes]:
    from vaemon.batch import Cursor, Want
    from vaemon.exchange.csv import event_lines

    return event_lines(source.poll(Cursor(), Want((), stage=chosen.stage, columns=0)).events)


def _write(parts: Iterable[bytes], out: str | None, name: str) -> None:
    from vaemon.exchange.file import write_file

    if out == "-":
        for part in parts:
            sys.stdout.buffer.write(part)
        sys.stdout.buffer.flush()
        return
    path = Path(out).expanduser() if out is not None else Path(name)
    click.echo(f"written: {write_file(path, parts)}", err=True)
