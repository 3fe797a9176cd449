"""Reading a run: its segments as one continuous series a stage, while it is written or afterwards."""

from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from vaemon.batch import Event, RunInfo, RunState, Series, StageInfo
from vaemon.decimate import pool
from vaemon.errors import RunFileError, UnknownName
from vaemon.runfile import lock, manifest
from vaemon.runfile.find import find_run, list_segments, runs_folder
from vaemon.runfile.segment import SegmentReader
from vaemon.runfile.series import StageRows

Array = npt.NDArray[Any]


def open_run(address: str | None = None, runs: str | Path | None = None) -> "RunReader":
    """Open a run for reading; it may be live.

    Args:
        address: a run's name, a path to its folder, or None for the latest run.
        runs: the folder of runs; default $VAEMON_RUNS, else `runs/`.

    Raises:
        UnknownName, UsageError: there is no such run.
    """
    return RunReader(find_run(address, runs_folder(runs)))


class RunReader:
    """A run's rows, events and state. Used by one thread.

    Example:
        with open_run("run42") as run:
            gamma = run.series("gamma").mean                  # (rows,)
            variance = run.series("mean_variance", stage=1)   # .mean is (rows, latents)
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._open: dict[Path, SegmentReader] = {}
        self.segments: tuple[SegmentReader, ...] = ()
        """Those with rows, in the order they were written; one that died before its first row says nothing."""
        self._stages: dict[int, StageRows] = {}
        self._held = False  # whether a live process held the run before the rows were looked at
        self._unreadable: dict[Path, str] = {}
        self.refresh()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close every file."""
        for segment in self._open.values():
            segment.close()
        self._open.clear()
        self._stages.clear()
        self.segments = ()

    def refresh(self) -> None:
        """Take in what has been written since.

        Raises:
            RunFileError: run.json, or every segment, or one that could be read before, cannot be read now.
        """
        # The lock first: of a run that is over then, all rows are there to be read afterwards.
        self._held = lock.holder(self.folder) is not None
        self._unreadable.clear()
        for _, path in list_segments(self.folder):
            if path in self._open:
                self._open[path].refresh()
                continue
            try:
                self._open[path] = SegmentReader(path)
            except RunFileError as error:
                self._unreadable[path] = str(error)
        if self._unreadable and not self._open:
            raise RunFileError(next(iter(self._unreadable.values())))
        self.segments = tuple(each for each in self._open.values() if len(each))
        by_stage: dict[int, list[SegmentReader]] = {}
        for segment in self.segments:
            by_stage.setdefault(segment.layout.stage.number, []).append(segment)
        self._stages = {number: StageRows(segments) for number, segments in sorted(by_stage.items())}

    @property
    def stages(self) -> tuple[StageInfo, ...]:
        """The stages begun so far."""
        return tuple(rows.info for rows in self._stages.values())

    def stage(self, number: int | None = None) -> StageRows | None:
        """The rows of a stage, by default the newest; None where it has not begun."""
        if number is not None:
            return self._stages.get(number)
        return self._stages[self.segments[-1].layout.stage.number] if self.segments else None

    def info(self) -> RunInfo:
        """Who the run is, and how it fared when it was last refreshed. Raises RunFileError."""
        told = manifest.read(self.folder)
        state, reason = (RunState.RUNNING, "") if self._held else _ended(told)
        return RunInfo(
            name=told.name,
            address=str(self.folder),
            state=state,
            reason=reason,
            created=told.created,
            host=told.host,
            pid=told.pid,
            config=told.config,
            stages=self.stages,
        )

    def events(self) -> list[Event]:
        """Every event that still counts, in the order recorded; those of replaced rows are left out."""
        kept: list[Event] = []
        for i, segment in enumerate(self.segments):
            later = [each.layout for each in self.segments[i + 1 :]]
            kept += [event for event in segment.events() if not any(_replaces(layout, event) for layout in later)]
        # One damaged file hides itself, not the run.
        return kept + [Event(0, 0.0, 0, "error", text=said) for said in self._unreadable.values()]

    def channels(self, stage: int | None = None) -> tuple[str, ...]:
        """Names of the channels of a stage, by default the newest."""
        rows = self.stage(stage)
        late = {name for segment in self.segments for name in segment.late_names()}
        return (*(rows.channels if rows else ()), *sorted(late))

    def series(
        self,
        channel: str,
        *,
        stage: int | None = None,
        first: int | None = None,
        last: int | None = None,
        points: int | None = None,
    ) -> Series:
        """One channel over a range of steps.

        Args:
            channel: its name; `channels()` lists them.
            stage: 1 or 2; None is the newest.
            first: first step wanted; None is the first there is.
            last: last step wanted, included; None is the newest.
            points: at most so many points, pooled to mean, low and high; None is every row.

        Raises:
            UnknownName: there is no such channel in the stage.
        """
        rows = self.stage(stage)
        if rows is None or channel not in rows.channels:
            return self._late_series(channel, stage, first, last)
        begin = 0 if first is None else rows.row_of(first)
        end = len(rows) if last is None else rows.row_of(last + 1)
        width = 1 if points is None else max(1, -(-(end - begin) // max(points, 1)))
        return _pooled_series(rows, channel, begin, max(begin, end), width)

    def _late_series(self, channel: str, stage: int | None, first: int | None, last: int | None) -> Series:
        found = [
            segment.late_values(channel)
            for segment in self.segments
            if stage in (None, segment.layout.stage.number) and channel in segment.late_names()
        ]
        if not found:
            raise UnknownName("channel", channel, self.channels(stage))
        step = np.concatenate([steps for steps, _ in found])
        value = np.concatenate([values for _, values in found])
        inside = (step >= (first or 0)) & (step <= (step.max() if last is None else last))
        return Series(channel, step[inside], value[inside], value[inside], value[inside], exact=True)


def _pooled_series(rows: StageRows, channel: str, begin: int, end: int, width: int) -> Series:
    parts: list[tuple[Array, Array, Array, Array]] = []
    for start, stop in rows.blocks(begin, end, multiple=width):
        block = rows.read(start, stop, ("step", channel))
        step, values = block["step"], block[channel]
        if width == 1:
            parts.append((step, values, values, values))
            continue
        whole = len(step) // width * width
        for cut, size in ((slice(0, whole), width), (slice(whole, None), len(step) - whole)):
            if size and len(step[cut]):
                pooled = pool(values[cut], size)
                parts.append((step[cut][size - 1 :: size], pooled.mean, pooled.low, pooled.high))
    if not parts:
        empty = rows.read(0, 0, ("step", channel))
        parts.append((empty["step"].astype(np.int64), *(empty[channel],) * 3))
    step, mean, low, high = (np.concatenate(each) for each in zip(*parts, strict=True))
    return Series(channel, step, mean, low, high, exact=width == 1)


def _replaces(layout: Any, event: Event) -> bool:
    return bool(layout.stage.number == event.stage and layout.first_step <= event.step)


def _ended(told: manifest.Manifest) -> tuple[RunState, str]:
    if told.outcome:
        return RunState(told.outcome), told.reason
    return RunState.CRASHED, f"process {told.pid} on {told.host} is gone without a word"
