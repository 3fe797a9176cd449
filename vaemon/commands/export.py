"""`vaemon export`: a run as a file of another program's."""

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vaemon.commands.completion import complete_run
from vaemon.errors import UsageError
from vaemon.source.far.links import Links
from vaemon.source.far.reaching import reaching

if TYPE_CHECKING:
    from vaemon.batch import Event
    from vaemon.exchange.selection import Selected
    from vaemon.source.protocol import Source

KINDS = ("csv", "json", "npz", "parquet", "tensorboard")
TABLES = ("csv", "json", "parquet")
"""Those that events and evaluations can be written as: tables with words in them."""


@click.command()
@click.argument("run", shell_complete=complete_run)
@click.option(
    "--to", "kind", type=click.Choice(KINDS), required=True, help="json: an object a line; tensorboard: a folder."
)
@click.option(
    "--out",
    metavar="FILE",
    help="Where; `-` is standard output; by default named after RUN and what is written, never over another.",
)
@click.option("--channel", "channels", multiple=True, metavar="NAME", help="Only this one; may be repeated.")
@click.option(
    "--stage", type=click.IntRange(1), metavar="N", help="The stage; by default the newest, for TensorBoard all."
)
@click.option("--first", type=click.IntRange(0), metavar="STEP", help="The first step.")
@click.option("--last", type=click.IntRange(0), metavar="STEP", help="The last step, included.")
@click.option("--points", type=click.IntRange(1), metavar="N", help="At most N rows: means, with low and high.")
@click.option("--events", is_flag=True, help="The events of all stages in place of the rows.")
@click.option("--evaluations", is_flag=True, help="The evaluations of all stages in place of the rows.")
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
    evaluations: bool,
    runs: str | None,
    links: Links,
) -> None:
    """Write the rows of RUN, every one of a stage and as exact as recorded, as a file that other programs read.

    RUN is a name, a path to a run's folder, `latest`, or HOST:RUN. Parquet takes vaemon[parquet], TensorBoard's event
    files vaemon[tensorboard].
    """
    from vaemon.exchange.file import safe
    from vaemon.exchange.selection import select
    from vaemon.source.open import open_source

    what = "events" if events else "evaluations" if evaluations else ""
    if events and evaluations:
        raise UsageError("--events and --evaluations are two tables: ask for one of them")
    if what and kind not in TABLES:
        hint = "; they are in the folder for TensorBoard as it is" if kind == "tensorboard" else ""
        raise UsageError(f"{what} are written as csv, json or parquet, not as {kind}{hint}")
    source = open_source(run, runs, links=links)
    try:
        if kind == "tensorboard":
            _write_folder(source, stage, {"channels": channels, "first": first, "last": last}, points, out)
            return
        chosen = select(source, stage=stage, channels=channels, first=first, last=last)
        parts = _happened(source, kind, what) if what else _rows_as(source, chosen, kind, points)
        # What a run says it is called may be a path of somebody else's choice.
        name = f"{safe(chosen.info.name) or 'run'}-{what or f'stage{chosen.stage}'}.{kind}"
        _write(parts, out, name)
    finally:
        source.close()


def _rows_as(source: "Source", chosen: "Selected", kind: str, points: int | None) -> Iterator[bytes]:
    return _npz(source, chosen, points) if kind == "npz" else _as_table(_rows(source, chosen, points), kind)


def _rows(source: "Source", chosen: "Selected", points: int | None) -> Iterator[Mapping[str, Any]]:
    from vaemon.exchange.table import blocks, pooled

    if points is not None and points < chosen.last - chosen.first:
        return iter([pooled(source, chosen.as_begun, *chosen.steps, chosen.channels, points)])
    return blocks(source, chosen.stage, chosen.last, chosen.channels, begin=chosen.first)


def _as_table(rows: Iterator[Mapping[str, Any]], kind: str) -> Iterator[bytes]:
    if kind == "csv":
        from vaemon.exchange.csv import lines

        return lines(rows)
    if kind == "json":
        from vaemon.exchange.jsonl import json_lines

        return json_lines(rows)
    from vaemon.exchange.parquet import parquet_parts

    return parquet_parts(rows)


def _npz(source: "Source", chosen: "Selected", points: int | None) -> Iterator[bytes]:
    from vaemon.exchange.npz import npz_parts

    if points is not None and points < chosen.last - chosen.first:
        whole = next(_rows(source, chosen, points))
        return npz_parts(whole, len(whole["step"]), lambda name: [whole])
    names = ("step", *chosen.channels)
    return npz_parts(
        names, chosen.last - chosen.first, lambda name: _rows(source, chosen._replace(channels=(name,)), None)
    )


def _happened(source: "Source", kind: str, what: str) -> Iterator[bytes]:
    from vaemon.evaluations import evaluations
    from vaemon.exchange.csv import event_lines
    from vaemon.exchange.happened import evaluation_columns, event_columns

    found = _events(source)
    if what == "events":
        return event_lines(found) if kind == "csv" else _as_table(iter([event_columns(found)]), kind)
    known = evaluations(found)
    tables = [[each] for each in known] if kind == "json" else [known]  # an object has but the figures that it has
    return _as_table(map(evaluation_columns, tables), kind)


def _events(source: "Source") -> tuple["Event", ...]:
    from vaemon.batch import Cursor, Want

    return source.poll(Cursor(), Want((), columns=0)).events


def _write(parts: Iterable[bytes], out: str | None, name: str) -> None:
    from vaemon.exchange.file import write_file

    if out == "-":
        for part in parts:
            sys.stdout.buffer.write(part)
        sys.stdout.buffer.flush()
        return
    path = Path(os.path.expanduser(out)) if out is not None else Path(name)
    click.echo(f"written: {write_file(path, parts)}", err=True)


def _write_folder(
    source: "Source", stage: int | None, asked: dict[str, Any], points: int | None, out: str | None
) -> None:
    from vaemon.exchange.file import safe
    from vaemon.exchange.folder import write_folder
    from vaemon.exchange.tensorboard.send import event_file, file_of

    if out == "-":
        raise UsageError("TensorBoard reads folders: say --out FOLDER")
    parts = _stages(source, stage, asked)
    events = _events(source)
    name = safe(parts[0].info.name) or "run"
    files = {file_of(each): event_file(source, each, events, points) for each in parts}
    path = Path(os.path.expanduser(out)) if out is not None else Path(f"{name}-tensorboard")
    written = write_folder(path, files)
    click.echo(f"written: {written}; tensorboard --logdir {written}", err=True)


def _stages(source: "Source", stage: int | None, asked: dict[str, Any]) -> list["Selected"]:
    """The rows asked for of the stage, or of every stage that has such."""
    from vaemon.exchange.selection import select

    if stage is not None:
        return [select(source, stage=stage, **asked)]
    found, refusals = [], []
    for each in source.info().stages:
        try:
            found.append(select(source, stage=each.number, **asked))
        except UsageError as error:
            refusals.append(error)
    if refusals and not found:
        raise refusals[-1]
    return found or [select(source, **asked)]
