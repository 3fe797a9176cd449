"""A run as a folder for TensorBoard: stage1, stage2, … with an event file each."""

from collections.abc import Iterator

from vaemon.batch import Event
from vaemon.exchange.selection import Selected
from vaemon.exchange.table import excerpts, pooled
from vaemon.exchange.tensorboard.write import EventFile, Table, table_of
from vaemon.png import png
from vaemon.source.protocol import Source

AT_ONCE = 1024
"""Rows turned into bytes at a time."""


def file_of(chosen: Selected) -> str:
    """Where the event file of a stage lies within the folder."""
    return f"stage{chosen.stage}/events.out.tfevents.{int(max(chosen.info.created, 0)):010d}.vaemon"


def event_file(source: Source, chosen: Selected, events: tuple[Event, ...], points: int | None) -> Iterator[bytes]:
    """The event file of a stage, in pieces.

    Args:
        source: of the run.
        chosen: rows and channels.
        events: of the run; those of other stages, or of steps that were not chosen, are left out.
        points: so many rows at most, pooled; None: every row.

    Raises:
        SourceLost: the place does not answer now.
        VaemonError: a resumed run has replaced rows meanwhile.
    """
    first, last = chosen.steps
    made = EventFile(chosen.last - chosen.first)
    tables = _tables(source, chosen, points)
    table = next(tables)
    yield from made.head(chosen.info, chosen.as_begun, float(table.time[0]))
    yield from made.events(each for each in events if each.stage == chosen.stage and first <= each.step <= last)
    yield from _pictures(source, chosen, made)
    yield made.rows(table)
    for table in tables:
        yield made.rows(table)


def _tables(source: Source, chosen: Selected, points: int | None) -> Iterator[Table]:
    if points is not None and points < chosen.last - chosen.first:
        names = ("time", *(name for name in chosen.channels if name != "time"))
        found = pooled(source, chosen.as_begun, *chosen.steps, names, points)
        step, time = found.pop("step"), found.pop("time")
        yield Table(step, time, found, {})
        return
    for rows in excerpts(source, chosen.stage, chosen.last, chosen.channels, begin=chosen.first, at_once=AT_ONCE):
        yield table_of(rows, chosen.channels)


def _pictures(source: Source, chosen: Selected, made: EventFile) -> Iterator[bytes]:
    first, last = chosen.steps
    for each in source.images():
        if each.stage == chosen.stage and first <= each.step <= last:
            encoded = [png(pixels) for pixels in source.image(each)]
            yield made.pictures(each.kind, each.step, each.time, (each.width, each.height), encoded)
