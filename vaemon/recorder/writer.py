"""The thread between the buffer and the run file.

It alone touches HDF5 while a run is recorded. Nothing that goes wrong here reaches the training loop: it becomes
a counter, an event and a line in the log, and what could not be written waits in the buffer.
"""

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vaemon.batch import Event, StageInfo
from vaemon.recorder.derive import Bad, complete, first_bad
from vaemon.recorder.ring import Ring
from vaemon.recorder.row import Row, alike, unpack
from vaemon.recorder.wakes import WakeLog
from vaemon.runfile.append import SegmentWriter
from vaemon.runfile.find import next_segment
from vaemon.runfile.schema import LATE_VALUE, Layout, blank

Array = npt.NDArray[Any]
log = logging.getLogger("vaemon")

INTERVAL = 0.25
"""Seconds between two writes."""
SYNC_EVERY = 5.0
"""Seconds between two fdatasync."""
RETRY_AFTER = 30.0
"""Seconds after a write error before a new segment is tried."""
FOUND_IN_ROWS = ("wake", "sleep", LATE_VALUE)
KEEP_FREE = 64 * 1024 * 1024
"""Bytes left free on the disk: HDF5 itself must never meet a full one."""


class Writer:
    """Takes rows from a ring and appends them to the newest segment of a run folder."""

    def __init__(self, folder: Path, ring: Ring, *, resumes: bool) -> None:
        self.folder = folder
        self.ring = ring
        self.resumes = resumes
        """Whether the run existed before."""
        self.newest: dict[str, float] = {}
        """Every scalar of the newest row written."""
        self.bad: Bad | None = None
        self.error: Exception | None = None
        """Why nothing can be written now; None while it can."""
        self._segment: SegmentWriter | None = None
        self._stage: StageInfo | None = None  # of the rows that the segment was opened for
        self._first_step = 1  # of the stage; loops count from 0 or from 1
        self._wakes: WakeLog | None = None
        self._announced = (0, 0)
        self._events: deque[tuple[Event, float]] = deque()
        self._retry_at = 0.0
        self._synced = time.monotonic()
        self._wanted = 0  # flushes asked for
        self._served = 0
        self._nudge = threading.Event()
        self._turn = threading.Condition()
        self._stopping = False
        self._done = threading.Event()
        threading.Thread(target=self._run, name="vaemon-writer", daemon=True).start()

    def event(self, event: Event, value: float = float("nan")) -> None:
        """Have an event written after the rows logged so far."""
        self._events.append((event, value))

    def flush(self, timeout: float = 30.0) -> bool:
        """Wait until everything logged so far can be read by others; False where that failed."""
        with self._turn:
            self._wanted += 1
            ticket = self._wanted
            self._nudge.set()
            self._turn.wait_for(lambda: self._served >= ticket or self._done.is_set(), timeout)
            return self._served >= ticket and self.error is None

    def stop(self, timeout: float = 30.0) -> None:
        """Write what waits, close the file, end the thread."""
        self._stopping = True
        self._nudge.set()
        # Not `join`: one that Ctrl-C interrupts takes the thread for dead from then on.
        self._done.wait(timeout)

    def _run(self) -> None:
        while True:
            self._nudge.wait(INTERVAL)
            self._nudge.clear()
            stopping, ticket = self._stopping, self._wanted
            self._drain(insist=stopping or ticket > self._served)
            with self._turn:
                self._served = ticket
                self._turn.notify_all()
            if stopping:
                break
        if self._segment is not None:
            self._guarded(self._segment.close)
        self._done.set()

    def _drain(self, insist: bool) -> None:
        if self.error is not None and not insist and time.monotonic() < self._retry_at:
            return
        rows = self.ring.take()
        if not rows and not self._events:
            return
        if not self._guarded(lambda: self._write(rows)):
            self.ring.put_back(rows)

    def _guarded(self, action: Any) -> bool:
        try:
            action()
        except Exception as error:
            # Whatever it is, training goes on; the message is on the dashboard and in the log.
            self._fail(error)
            return False
        if self.error is not None:
            log.warning("vaemon: recording to %s goes on", self.folder)
        self.error = None
        return True

    def _fail(self, error: Exception) -> None:
        if self.error is None:
            log.warning("vaemon: recording to %s is held up, training goes on: %s", self.folder, error)
            self._note("error", f"recording was held up: {error}")
        self.error = error
        self._retry_at = time.monotonic() + RETRY_AFTER
        # The rows will come again, and with them what was found in them.
        self._wakes = None
        self._events = deque(each for each in self._events if each[0].kind not in FOUND_IN_ROWS)
        segment, self._segment = self._segment, None
        if segment is not None:
            try:
                segment.abandon()
            except (OSError, RuntimeError) as second:
                log.warning("vaemon: %s could not be closed: %s", segment.path, second)

    def _write(self, rows: list[Row]) -> None:
        _check_space(self.folder)
        for run in alike(rows):
            self._write_or_drop(run)
        if self.ring.dropped:
            count, first, last = self.ring.settle()
            self._note("drop", f"{count} rows were dropped, steps {first} to {last}: the buffer was full", last)
        if self._segment is not None:
            told = list(self._events)
            self._segment.append_events([event for event, _ in told], [value for _, value in told])
            self._segment.flush()
            for _ in told:
                self._events.popleft()
            if time.monotonic() - self._synced > SYNC_EVERY:
                self._segment.sync()
                self._synced = time.monotonic()

    def _write_or_drop(self, run: Sequence[Row]) -> None:
        try:
            segment, table, values = self._table(run)
        except (OSError, RuntimeError):
            raise
        except Exception as error:
            # Whatever is wrong with a row, it must hold up no other: look for the culprit row by row.
            if len(run) > 1:
                for row in run:
                    self._write_or_drop([row])
            else:
                self._note("drop", f"step {run[0].step} could not be recorded: {error}", run[0].step)
            return
        segment.append(table)
        self._look(table, values)

    def _table(self, run: Sequence[Row]) -> tuple[SegmentWriter, Array, dict[str, Array]]:
        values = unpack(run)
        complete(values)
        segment = self._segment_for(run[0], values)
        layout = segment.layout
        table = blank(layout, len(run))
        table["step"] = [row.step for row in run]
        table["time"] = [row.time for row in run]
        begun = np.maximum(table["step"] - self._first_step, 0)
        table["epoch"] = values.pop("epoch", begun // (layout.stage.steps_per_epoch or 2**62))
        for name, column in values.items():
            if name in layout.scalars or name in layout.vectors:
                table[name] = column
            else:
                self._keep_late(name, table["step"], table["time"], column)
        return segment, table, values

    def _look(self, table: Array, values: dict[str, Array]) -> None:
        scalars = self._segment.layout.scalars if self._segment else ()
        self.newest = {name: float(table[name][-1]) for name in ("step", "epoch", *scalars)}
        if self._wakes is not None and "mean_variance" in values:
            for event in self._wakes.update(table["step"], table["time"], table["mean_variance"]):
                self.event(event)
        bad = first_bad(table["step"], values) if self.bad is None else None
        if bad is not None:
            self.bad = bad
            self._note("nan", f"{bad.channel} is not finite", bad.step)

    def _segment_for(self, row: Row, values: dict[str, Array]) -> SegmentWriter:
        have = self._segment
        if have is not None and self._stage is row.stage and _fits(have.layout, values):
            return have
        same_stage = have is not None and have.layout.stage.number == row.stage.number
        layout = _layout(row, values, have.layout if have is not None and same_stage else None)
        if have is not None:
            have.flush()
        self._segment = SegmentWriter(next_segment(self.folder), layout)
        if self._stage is None or self._stage.number != row.stage.number:
            self._first_step = min(row.step, 1)
        self._stage = row.stage
        if have is not None:
            have.close()
        self._begin_wakes(layout)
        return self._segment

    def _begin_wakes(self, layout: Layout) -> None:
        stage = (layout.stage.number, layout.stage.latents)
        if self._wakes is None or (self._wakes.stage, self._wakes.latents) != stage:
            self._wakes = WakeLog(self.folder, *stage, layout.first_step)
            if self._announced != stage:
                self._announced = stage
                kind = "resume" if self.resumes and self._wakes.resumed else "stage"
                self._note(kind, f"stage {stage[0]}: {stage[1]} latents", layout.first_step)

    def _note(self, kind: str, text: str, step: int | None = None) -> None:
        stage = self._segment.layout.stage.number if self._segment else 1
        last = int(self.newest.get("step", 0)) if step is None else step
        self.event(Event(last, time.time(), stage, kind, text=text))

    def _keep_late(self, name: str, steps: Array, times: Array, column: Array) -> None:
        stage = self._segment.layout.stage.number if self._segment else 1
        for step, when, value in zip(steps, times, column, strict=True):
            self.event(Event(int(step), float(when), stage, LATE_VALUE, text=name), float(value))


def _fits(layout: Layout, values: dict[str, Array]) -> bool:
    vectors = {name: column.shape[1] for name, column in values.items() if column.ndim == 2}
    return all(name in layout.vectors and size == layout.stage.latents for name, size in vectors.items())


def _layout(row: Row, values: dict[str, Array], before: Layout | None) -> Layout:
    vectors = [name for name, column in values.items() if column.ndim == 2]
    scalars = [name for name, column in values.items() if column.ndim == 1 and name != "epoch"]
    if before is not None:
        scalars = [*before.scalars, *(name for name in scalars if name not in before.scalars)]
    latents = next((values[name].shape[1] for name in vectors), row.stage.latents)
    return Layout(replace(row.stage, latents=latents), row.step, tuple(scalars), tuple(vectors))


def _check_space(folder: Path) -> None:
    space = os.statvfs(folder)
    free = space.f_bavail * space.f_frsize
    if free < KEEP_FREE:
        raise OSError(f"{folder}: only {free // 2**20} MiB are free, {KEEP_FREE // 2**20} MiB are kept free")
