"""A stage of a run out of columns that another program wrote, as the recorder would have written it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vaemon.batch import Event, StageInfo
from vaemon.exchange.rows import Stroke, extent, places, strokes
from vaemon.exchange.spool import Column
from vaemon.findings import CHANNELS, FOUND, Findings
from vaemon.recorder.derive import complete
from vaemon.recorder.table import columns
from vaemon.runfile.append import SegmentWriter, event_table
from vaemon.runfile.compact import COMPRESSION
from vaemon.runfile.find import next_segment
from vaemon.runfile.schema import Layout, blank
from vaemon.thresholds import Thresholds

Array = npt.NDArray[Any]

STROKE_BYTES = 8 * 1024 * 1024
MOST_ROWS = 8192
"""Written at a stroke, at most."""
EPOCH = "epoch"


def write_stage(
    folder: Path,
    stage: StageInfo,
    scalars: Mapping[str, Column],
    latents: Mapping[str, Column],
    events: Sequence[Event],
    at: Thresholds,
) -> int:
    """Write a stage as one segment: a row for every step that some column has.

    What follows from the values (kl, variance_law) is added, and wakes and failures are found, as where a run is
    recorded; the latter only where no event tells of them.

    Args:
        folder: of a run that nobody reads yet.
        stage: its number, and its number of latents.
        scalars: channels with values of shape (); "epoch" may be among them.
        latents: channels with values of shape (k,).
        events: what happened.
        at: the thresholds by which wakes are found.

    Returns:
        The rows written.

    Raises:
        OSError, RuntimeError, ValueError: they cannot be.
    """
    every = {**scalars, **latents}
    layout = _layout(stage, scalars, latents)
    at_once = int(np.clip(STROKE_BYTES // layout.row.itemsize, 1, MOST_ROWS))
    rows, lacking = extent(every, at_once)
    layout = _with_lacking(layout, every, lacking, rows)
    find = "mean_variance" in latents and not any(event.kind in FOUND for event in events)
    findings = Findings(stage.number, stage.latents, at) if find else None
    writer = SegmentWriter(next_segment(folder), layout, live=False, compression=COMPRESSION)
    try:
        _tell(writer, events)
        epoch = 0
        for stroke in strokes(every, at_once):
            table = _table(layout, stroke, every, epoch)
            epoch = int(table[EPOCH][-1])
            writer.append(table)
            if findings is not None:
                _tell(writer, findings.update(columns(layout, table, CHANNELS)))
            writer.flush()
        writer.close()
    except BaseException:
        writer.abandon()
        raise
    return rows


def _tell(writer: SegmentWriter, events: Sequence[Event]) -> None:
    writer.append_events(event_table(events, [float("nan")] * len(events)))


def _layout(stage: StageInfo, scalars: Mapping[str, Column], latents: Mapping[str, Column]) -> Layout:
    names = [name for name in scalars if name != EPOCH]
    values = {name: np.zeros(1) for name in names} | {name: np.zeros((1, stage.latents)) for name in latents}
    complete(values)
    return Layout(stage, 0, 0, tuple(name for name in values if name not in latents), tuple(latents))


def _with_lacking(
    layout: Layout, every: Mapping[str, Column], lacking: Sequence[tuple[str, int, int]], rows: int
) -> Layout:
    told = [each for each in lacking if each[0] != EPOCH]
    for name, source in (("kl", "latent_kl"), ("variance_law", "mean_variance")):
        if name in layout.scalars and name not in every:
            told += [(name, first, last) for each, first, last in lacking if each == source]
    first = min((int(each.steps[0]) for each in every.values()), default=0)
    return replace(layout, first_step=first, lacking=tuple(told))


def _table(layout: Layout, stroke: Stroke, every: Mapping[str, Column], epoch: int) -> Array:
    count = len(stroke.steps)
    table = blank(layout, count)
    table["step"] = stroke.steps
    values: dict[str, Array] = {}
    # The time of a row is that of the column with most values that has one for it: others may come much later.
    for name, column in sorted(every.items(), key=lambda each: len(each[1])):
        at, first, last = places(stroke, column, name)
        table["time"][at] = column.times(first, last)
        values[name] = np.full((count, *column.shape), np.nan)
        values[name][at] = column.values(first, last)
    table[EPOCH] = _epochs(values.pop(EPOCH, np.full(count, np.nan)), epoch)
    with np.errstate(all="ignore"):  # what float32 cannot hold is kept as infinite
        complete(values)
        for name, found in values.items():
            layout.column(table, name)[:] = found
    return table


def _epochs(told: Array, before: int) -> Array:
    """Whole numbers; where none was told, the one before."""
    known = np.isfinite(told)
    newest = np.maximum.accumulate(np.where(known, np.arange(len(told)), -1))
    filled = np.where(newest >= 0, told[np.maximum(newest, 0)], before)
    return np.clip(filled, 0, 2**31 - 1).astype(np.int32)
