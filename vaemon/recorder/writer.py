"""The thread between the buffer and the run file.

It alone touches HDF5 while a run is recorded. Nothing that goes wrong here reaches the training loop: it becomes
a counter, an event and a line in the log, and what could not be written waits in the buffer.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from vaemon.batch import Event, StageInfo
from vaemon.channels import DROPPED
from vaemon.errors import UsageError
from vaemon.findings import CHANNELS, FOUND, Findings
from vaemon.recorder.derive import Bad, first_bad
from vaemon.recorder.images import ImageLog
from vaemon.recorder.ring import Ring, Waiting
from vaemon.recorder.sheet import Sheet, read_sheet
from vaemon.recorder.table import Past, columns, fits, look_back, make_layout, make_table
from vaemon.runfile import handles, lock
from vaemon.runfile.append import SegmentWriter, event_table
from vaemon.runfile.find import next_segment
from vaemon.runfile.merge import merge_small
from vaemon.runfile.place import check_space
from vaemon.runfile.schema import LATE_VALUE, Layout
from vaemon.thresholds import DEFAULT, Thresholds

log = logging.getLogger("vaemon")

INTERVAL = 0.25
"""Seconds between two writes."""
INTERVAL_CLOSED = 5.0
"""The same where each write makes a file of its own."""
SYNC_EVERY = 5.0
"""Seconds between two fdatasync."""
RETRY_AFTER = 30.0
"""Seconds after a write error before a new segment is tried."""
NEVER = 2**62
"""A first step that makes no row void."""
FOUND_IN_ROWS = (*FOUND, LATE_VALUE)


class Writer:
    """Takes rows from a ring and appends them to the newest segment of a run folder."""

    def __init__(self, folder: Path, ring: Ring, *, resumes: bool, live: bool = True, at: Thresholds = DEFAULT) -> None:
        self.folder = folder
        self.ring = ring
        self.resumes = resumes
        """Whether the run existed before."""
        self.live = live
        """Whether readers can look on while a segment is written."""
        self.at = at
        self.newest: dict[str, float] = {}
        """Every scalar of the newest row written."""
        self.bad: Bad | None = None
        self.error: Exception | None = None
        """Why nothing can be written now; None while it can."""
        self.refusal: Exception | None = None
        """Why the last row that made none could not be recorded."""
        self._segment: SegmentWriter | None = None
        self._layout: Layout | None = None  # of the newest segment
        self._stage: StageInfo | None = None  # of the rows that it was opened for
        self._first_step = 1  # of the stage; loops count from 0 or from 1
        self._findings: Findings | None = None
        self._announced = (0, 0)
        self._impossible: dict[tuple[object, ...], UsageError] = {}  # columns that HDF5 cannot hold, and why
        self._lost = 0  # rows, as last told
        self._given_up: set[tuple[StageInfo, int]] = set()  # stage and step of rows that cannot be written
        self._unfetched = (0, 0)  # block and row of those that could not be fetched
        self._untidy = False
        self.images = ImageLog(folder, self.event)
        self._events: deque[tuple[Event, float]] = deque()  # the loop appends, the writer removes
        self._pending: list[tuple[Event, float]] = []  # the writer's own: not yet in the file for good
        self._retry_at = 0.0
        self._synced = time.monotonic()
        self._wanted = 0  # flushes asked for
        self._served = 0
        self._nudge = threading.Event()
        self._turn = threading.Condition()
        self._stopping = False
        self._done = threading.Event()
        threading.Thread(target=self._run, name="vaemon-writer", daemon=True).start()

    @property
    def lost(self) -> int:
        """Rows that are lost: a full buffer, values that make no row."""
        return self.ring.dropped + self.ring.refused + len(self._given_up)

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

    def hurry(self) -> None:
        """Write soon: the buffer fills up."""
        self._nudge.set()

    def stop(self, timeout: float = 30.0) -> bool:
        """Write what waits, close the file, end the thread; False where it does not come to an end."""
        self._stopping = True
        self._nudge.set()
        # Not `join`: one that Ctrl-C interrupts takes the thread for dead from then on.
        return self._done.wait(timeout)

    def _run(self) -> None:
        # What float32 cannot hold is kept as infinite, and counted as not finite; no warning is to come of it.
        np.seterr(all="ignore")
        while True:
            self._nudge.wait(INTERVAL if self.live else INTERVAL_CLOSED)
            self._nudge.clear()
            stopping, ticket = self._stopping, self._wanted
            lock.touch(self.folder)
            self.images.write()
            self._drain(insist=stopping or ticket > self._served)
            if stopping and self.error is not None:
                self._drain(insist=True)  # there is no later in which it might go better
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
        rows = self.ring.waiting()
        if (rows or self._events or self._pending) and self._guarded(lambda: self._write(rows)):
            self.ring.settle(rows)
            self._tidy()

    def _tidy(self) -> None:
        """What is better done, but for which no row that is written need be written again."""
        try:
            with handles.inside:
                if not self.live:
                    merge_small(self.folder)
                elif self._segment is not None and time.monotonic() - self._synced > SYNC_EVERY:
                    self._synced = time.monotonic()
                    self._segment.sync()
        except Exception as error:
            if not self._untidy:
                self._untidy = True
                log.warning("vaemon: %s: what is recorded could not be looked after: %s", self.folder, _said(error))

    def _guarded(self, action: Callable[[], object]) -> bool:
        try:
            with handles.inside:
                action()
        except Exception as error:
            # Whatever it is, training goes on; the message is on the dashboard and in the log.
            self._fail(error)
            return False
        if self.error is not None:
            log.warning("vaemon: recording to %s goes on", self.folder)
            self._note("recovered", "recording goes on")
            self.error = None
            self._tell_trouble()
        return True

    def _fail(self, error: Exception) -> None:
        if self.error is None:
            log.warning("vaemon: recording to %s is held up, training goes on: %s", self.folder, _said(error))
            self._note("error", f"recording was held up: {_said(error)}")
        self.error = error
        self._lost = 0
        self._tell_trouble()
        self._retry_at = time.monotonic() + RETRY_AFTER
        # The rows will come again, and with them what was found in them.
        self._findings = None
        self._collect()
        self._pending = [each for each in self._pending if each[0].kind not in FOUND_IN_ROWS]
        segment, self._segment = self._segment, None
        if segment is not None:
            try:
                segment.abandon()
            except (OSError, RuntimeError) as second:
                log.warning("vaemon: a segment of %s could not be closed: %s", self.folder, second)

    def _write(self, rows: list[Waiting]) -> None:
        check_space(self.folder)
        for each in rows:
            self._write_or_drop(each)
        self._tell_lost()
        told = self._events_to_write()
        if self._segment is None and told:
            # Nothing but events: a file of their own, which makes no row void.
            layout = self._layout or Layout(StageInfo(1, 0), NEVER, 0, (), ())
            self._segment = self._new_segment(replace(layout, first_step=NEVER))
        segment = self._segment
        if segment is None:
            return
        segment.append_events(event_table([event for event, _ in told], [value for _, value in told]))
        segment.flush()
        if not self.live:
            segment.close()
            self._segment = None
        written = {id(each) for each in told}
        self._pending = [each for each in self._pending if id(each) not in written]

    def _events_to_write(self) -> list[tuple[Event, float]]:
        """Those that wait, save what belongs to a stage that has no rows yet, or to a run that has none."""
        self._collect()
        if self._stopping:
            return self._pending
        if self._segment is None and self.live:
            return []
        return [each for each in self._pending if each[0].stage <= self._stage_number]

    def _collect(self) -> None:
        while self._events:
            self._pending.append(self._events.popleft())

    def _write_or_drop(self, rows: Waiting, *, singly: bool = False) -> None:
        try:
            sheet = read_sheet(rows)
        except (OSError, RuntimeError, MemoryError) as error:
            # A device that fails, or has no memory just now: once more, later; a row that fails then is given up.
            at = (id(rows.block), rows.first)
            if not singly and self._unfetched != at:
                self._unfetched = at
                raise
            self._drop_singly(rows, error)
            return
        except Exception as error:
            self._drop_singly(rows, error)
            return
        try:
            segment = self._segment_for(rows.block.kind.stage, sheet)
            table, late = make_table(segment.layout, sheet, self._first_step)
        except (OSError, RuntimeError, MemoryError):
            raise
        except Exception as error:
            self._drop_singly(rows, error)
            return
        segment.append(table)
        for event, value in late:
            self.event(event, value)
        self._look(segment, table, sheet)

    def _drop_singly(self, rows: Waiting, error: Exception) -> None:
        # Whatever is wrong with a row, it must hold up no other: look for the culprit row by row.
        block, first, last = rows
        if last - first > 1:
            for row in range(first, last):
                self._write_or_drop(Waiting(block, row, row + 1), singly=True)
            return
        step = int(block.numbers(first, last)["step"][0])
        self.refusal = error
        if (block.kind.stage, step) not in self._given_up:
            self._given_up.add((block.kind.stage, step))
            self._note("drop", f"step {step} could not be recorded: {_said(error)}", step)

    def _look(self, segment: SegmentWriter, table: np.ndarray, sheet: Sheet) -> None:
        last, layout = table[-1:], segment.layout
        self.newest = {name: float(layout.column(last, name)[0]) for name in ("step", "epoch", *layout.scalars)}
        if self._findings is not None:
            for event in self._findings.update(columns(layout, table, CHANNELS)):
                self.event(event)
        bad = first_bad(sheet) if self.bad is None else None
        if bad is not None:
            self.bad = bad
            self._note("nan", f"{bad.channel} is not finite", bad.step)

    def _segment_for(self, stage: StageInfo, sheet: Sheet) -> SegmentWriter:
        have = self._segment
        if have is not None and self._stage is stage and fits(have.layout, sheet):
            return have
        if have is not None:
            # Closed before others of this process read it: HDF5 would share what it has in memory with them.
            have.close()
            self._segment = None
        before = self._layout if self._layout is not None and self._layout.stage.number == stage.number else None
        past = look_back(self.folder, stage.number, int(sheet.step[0]), self.at)
        layout = make_layout(stage, sheet, before, past.first_row)
        segment = self._new_segment(layout)
        self._segment, self._layout = segment, layout
        self.images.replace(stage, layout.first_step)
        if self._stage is None or self._stage.number != stage.number:
            self._first_step = min(layout.first_step if past.first_step is None else past.first_step, 1)
        self._stage = stage
        self._begin_findings(layout, past)
        return segment

    def _new_segment(self, layout: Layout) -> SegmentWriter:
        columns = (layout.scalars, layout.vectors, layout.stage.latents)
        if columns in self._impossible:
            raise self._impossible[columns]
        try:
            return SegmentWriter(next_segment(self.folder), layout, live=self.live)
        except (ValueError, TypeError) as error:
            # HDF5 has no room for so many channels; it will not have it for the next row either.
            self._impossible[columns] = UsageError(
                f"HDF5 cannot hold these {sum(map(len, columns[:2]))} channels: {error}"
            )
            raise self._impossible[columns] from error

    def _begin_findings(self, layout: Layout, past: Past) -> None:
        stage = (layout.stage.number, layout.stage.latents)
        if "mean_variance" not in layout.vectors:
            self._findings = None
        elif self._findings is None or (self._findings.stage, self._findings.latents) != stage:
            self._findings = Findings(*stage, self.at, layout.first_row)
            if past.recent is not None and past.recent["mean_variance"].shape[1:] == stage[1:]:
                self._findings.recall(past.events, layout.first_step, past.recent)
        if self._announced != stage:
            self._announced = stage
            kind = "resume" if self.resumes and past.first_row else "stage"
            self._note(kind, f"stage {stage[0]}: {stage[1]} latents", layout.first_step)

    def _tell_lost(self) -> None:
        count, first, last = self.ring.drops()
        if count:
            self._note("drop", f"{count} rows were dropped, steps {first} to {last}: the buffer was full", last)
        lost = self.lost
        if lost > self._lost:
            self._lost = lost
            step = int(self.newest.get("step", 0))
            self.event(Event(step, time.time(), self._stage_number, LATE_VALUE, text=DROPPED), float(lost))
            self._tell_trouble()

    def _tell_trouble(self) -> None:
        held_up = f"nothing can be recorded now: {_said(self.error)}" if self.error is not None else ""
        told = f"{self.lost:,} rows could not be recorded" if self.lost else ""
        lock.tell(self.folder, "; ".join(part for part in (held_up, told) if part))

    def _note(self, kind: str, text: str, step: int | None = None) -> None:
        last = int(self.newest.get("step", 0)) if step is None else step
        self.event(Event(last, time.time(), self._stage_number, kind, text=text))

    @property
    def _stage_number(self) -> int:
        return self._stage.number if self._stage is not None else 1


def _said(error: Exception | None) -> str:
    """The first line of what an error says: HDF5 says a page."""
    return (str(error).splitlines() or [type(error).__name__])[0]
