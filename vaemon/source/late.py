"""Scalars that are in no row of a run, for they come up too seldom: as columns beside those of the rows."""

from collections.abc import Sequence
from dataclasses import replace

from vaemon.batch import Columns, Excerpt
from vaemon.decimate import pool_between
from vaemon.runfile.read import RunReader
from vaemon.runfile.series import StageRows


def with_late(columns: Columns, run: RunReader, rows: StageRows, asked: Excerpt) -> Columns:
    """The columns of some rows, with the scalars asked for that are in none of them. Raises RunFileError."""
    names = _names(run, rows, asked) if asked.late and len(columns) else ()
    if not names:
        return columns
    row = columns.first * columns.width
    first, last = int(rows.read(row, row + 1, ("step",))["step"][0]), int(columns.step[-1])
    mean, low, high, bad, absent = (
        {**each} for each in (columns.mean, columns.low, columns.high, columns.bad, columns.absent)
    )
    for name in names:
        told = run.series(name, stage=rows.info.number, first=first, last=last)
        (mean[name], low[name], high[name], bad[name]), count = pool_between(told.mean, told.step, columns.step)
        absent[name] = columns.width - count
    return replace(columns, mean=mean, low=low, high=high, bad=bad, absent=absent)


def _names(run: RunReader, rows: StageRows, asked: Excerpt) -> Sequence[str]:
    there = rows.channels
    if not asked.scalars and all(name in there for name in asked.channels):
        return ()
    late = [name for name in run.channels(rows.info.number) if name not in there]
    further = [name for name in late if name not in asked.channels]
    return [*(name for name in asked.channels if name in late), *further[: asked.scalars]]
