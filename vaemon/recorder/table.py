"""From the columns of a sheet to the rows of a segment, and to the layout of a segment that can hold them."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vaemon.batch import Event, StageInfo
from vaemon.channels import CLOCKS
from vaemon.errors import VaemonError
from vaemon.findings import CHANNELS, rows_to_recall
from vaemon.recorder.derive import complete
from vaemon.recorder.sheet import Sheet
from vaemon.runfile.read import RunReader
from vaemon.runfile.schema import LATE_VALUE, Layout, blank
from vaemon.thresholds import Thresholds

log = logging.getLogger("vaemon")
Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False, slots=True)
class Past:
    """What a run has of a stage before a step."""

    first_row: int = 0
    """Rows of the stage before it."""
    first_step: int | None = None
    """Of the stage; None where it has no rows before it."""
    recent: dict[str, Array] | None = None
    """The last of these rows, as `Findings.recall` takes them."""
    events: tuple[Event, ...] = ()


def look_back(folder: Path, stage: int, step: int, at: Thresholds) -> Past:
    """Read what the run has of a stage before a step."""
    try:
        with RunReader(folder) as run:
            rows = run.stage(stage)
            end = rows.row_of(step) if rows is not None else 0
            if rows is None or not end:
                return Past()
            recent = rows.read(max(0, end - rows_to_recall(at, end)), end, CHANNELS)
            first = int(rows.read(0, 1, ("step",))["step"][0])
            return Past(end, first, recent, tuple(run.events()))
    except VaemonError as error:
        log.warning("vaemon: which latents were awake before step %d is not known: %s", step, error)
        return Past()


def columns(layout: Layout, table: Array, names: Sequence[str]) -> dict[str, Array]:
    """Channels of the rows of a segment; NaN for a latent channel that it lacks."""
    unknown = np.full((len(table), layout.stage.latents), np.nan, np.float32)
    known = (*CLOCKS, *layout.vectors)
    return {name: layout.column(table, name) if name in known else unknown for name in names}


def fits(layout: Layout, sheet: Sheet) -> bool:
    """Whether a segment of this layout can hold the sheet. Scalars that but few rows have need no place in it."""
    places = {*layout.scalars, "epoch"}
    for name, column in sheet.values.items():
        if column.ndim == 2 and (name not in layout.vectors or column.shape[1] != layout.stage.latents):
            return False
        if column.ndim == 1 and name not in places:
            return False
    return True


def make_layout(stage: StageInfo, sheet: Sheet, before: Layout | None, first_row: int) -> Layout:
    """The layout of a segment that begins with the sheet; channels of the stage's segment before it are kept."""
    complete(sheet.values)
    vectors = {name: column.shape[1] for name, column in sheet.values.items() if column.ndim == 2}
    scalars = [name for name, column in sheet.values.items() if column.ndim == 1 and name != "epoch"]
    latents = next(iter(vectors.values()), before.stage.latents if before is not None else stage.latents)
    names = tuple(vectors)
    if before is not None:
        scalars = [*dict.fromkeys((*before.scalars, *scalars))]
        if before.stage.latents == latents:
            names = tuple(dict.fromkeys((*before.vectors, *names)))
    return Layout(replace(stage, latents=latents), int(sheet.step[0]), first_row, tuple(scalars), names)


def make_table(layout: Layout, sheet: Sheet, first_step: int) -> tuple[Array, list[tuple[Event, float]]]:
    """The sheet as rows of a segment, and as events what has no place in them.

    Args:
        layout: the segment's; the sheet fits it.
        sheet: values, to which those that follow from them are added.
        first_step: of the stage, 0 or 1.
    """
    complete(sheet.values)
    table = blank(layout, len(sheet))
    table["step"], table["time"] = sheet.step, sheet.time
    begun = np.maximum(sheet.step - first_step, 0) // (layout.stage.steps_per_epoch or 2**62)
    told = sheet.values.get("epoch", begun)
    table["epoch"] = np.clip(np.where(np.isfinite(told), told, begun), 0, 2**31 - 1)
    places = {*layout.scalars, *layout.vectors}
    for name, column in sheet.values.items():
        if name in places:
            layout.column(table, name)[:] = column
    late = []
    for row, name, value in sheet.extras:
        if name in places or name == "epoch":
            layout.column(table, name)[row] = value
        else:
            when = (int(sheet.step[row]), float(sheet.time[row]), layout.stage.number)
            late.append((Event(*when, LATE_VALUE, text=name), value))
    return table, late
