"""Reading a run: its segments as one continuous series a stage, while it is written or afterwards."""

import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from vaemon.batch import Event, RunInfo, Series, StageInfo
from vaemon.channels import CLOCKS
from vaemon.decimate import width_for
from vaemon.errors import RunFileError, UnknownName
from vaemon.evaluations import Evaluation, evaluations
from vaemon.runfile import lock, manifest
from vaemon.runfile.find import find_run, list_segments, runs_folder, unreadable
from vaemon.runfile.follow import Follower
from vaemon.runfile.patience import SegmentGone, patiently
from vaemon.runfile.segment import SegmentReader
from vaemon.runfile.series import StageRows
from vaemon.runfile.standing import StandingEvents
from vaemon.runstate import RunState

Array = npt.NDArray[Any]

MOST_OPEN = 64
"""Segments kept open between two questions."""


def open_run(address: str | Path | None = None, runs: str | Path | None = None) -> "RunReader":
    """Open a run for reading; it may be live.

    Args:
        address: a run's name, a path to its folder, or "latest" (or None): the run written to last.
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
        self._all: tuple[SegmentReader, ...] = ()  # those, and the ones that have but events
        self._stages: dict[int, StageRows] = {}
        self._standing = StandingEvents()
        self._holder: lock.Holder | None = None  # of the run, before the rows were looked at
        self._unreadable: dict[Path, str] = {}
        self._settled: set[Path] = set()  # segments to which nothing will be added any more
        self._manifest: tuple[tuple[int, int, int], manifest.Manifest] | None = None
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
        self.segments = self._all = ()

    def refresh(self) -> None:
        """Take in what has been written since.

        Raises:
            RunFileError: run.json, or every segment, or one that could be read before, cannot be read now.
        """
        patiently(self._refresh)

    def _refresh(self) -> None:
        # The lock first: of a run that is over then, all rows are there to be read afterwards.
        self._holder = lock.holder(self.folder)
        self._unreadable.clear()
        try:
            found = list_segments(self.folder)
        except OSError as error:
            raise unreadable(self.folder, error) from error
        for number, path in found:
            self._take_in(number, path, newest=number == found[-1][0])
        here = {path for _, path in found}
        for path in [path for path in self._open if path not in here]:
            self._open.pop(path).close()
        if self._unreadable and not self._open:
            raise RunFileError(next(iter(self._unreadable.values())))
        void = {number for each in self._open.values() for number in each.layout.replaces}
        in_order = sorted(self._open.values(), key=lambda each: each.number)
        self._all = tuple(each for each in in_order if each.number not in void)
        self.segments = tuple(each for each in self._all if len(each))
        by_stage: dict[int, list[SegmentReader]] = {}
        for segment in self.segments:
            by_stage.setdefault(segment.layout.stage.number, []).append(segment)
        self._stages = {number: StageRows(segments) for number, segments in sorted(by_stage.items())}
        self._rest()

    def _take_in(self, number: int, path: Path, *, newest: bool) -> None:
        segment = self._open.get(path)
        if segment is not None and not segment.is_at(path):
            # Another file has its name now: segments were put together.
            self._open.pop(path).close()
            segment = None
            self._settled.discard(path)
        try:
            if segment is None:
                segment = SegmentReader(path, number)
            elif path not in self._settled:
                segment.refresh()
            if path not in self._settled and self._is_over(newest):
                segment.settle()
            if not newest:
                self._settled.add(path)
            self._open[path] = segment
        except SegmentGone:
            raise
        except RunFileError as error:
            if path in self._open:
                raise
            # A file that could never be read hides itself, not the run.
            self._unreadable[path] = str(error)

    def _is_over(self, newest: bool) -> bool:
        """Whether nothing will be added to a segment any more."""
        # A writer is done with a segment before it begins the next. The lock is looked at once more: whoever has begun
        # to write since has taken it before.
        return not newest or (self._holder is None and lock.holder(self.folder) is None)

    def _rest(self) -> None:
        # A process may not have any number of files open.
        for segment in self.segments[:-MOST_OPEN]:
            segment.close()

    @property
    def mark(self) -> tuple[object, ...]:
        """Equal as long as nothing was added, replaced or found damaged: what is read is then as it was, too."""
        return (*((each, each.extent) for each in self._open.values()), *self._unreadable.items())

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
        told = self._told()
        state, reason = (RunState.RUNNING, self._holder.trouble) if self._holder is not None else _ended(told)
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
            thresholds=told.thresholds,
        )

    def _told(self) -> manifest.Manifest:
        # It is asked for at each poll of a screen, and hardly ever another one.
        with suppress(OSError):
            now = os.stat(self.folder / manifest.FILE)
            mark = (now.st_ino, now.st_mtime_ns, now.st_size)
            if self._manifest is None or self._manifest[0] != mark:
                self._manifest = (mark, manifest.read(self.folder))
            return self._manifest[1]
        return manifest.read(self.folder)

    def events(self) -> list[Event]:
        """Every event that still counts, in the order recorded; those of replaced rows are left out."""
        return patiently(self._events, self.refresh)

    def _events(self) -> list[Event]:
        # One damaged file hides itself, not the run.
        damage = [*self._unreadable.values(), *(each.damage for each in self._open.values() if each.damage)]
        told = [Event(0, 0.0, 0, "error", text=f"{said}; see `vaemon check`") for said in damage]
        return self._standing.of(self._all) + told

    def evaluations(self) -> list[Evaluation]:
        """The rows of the epoch table, by stage and step; those of replaced steps are left out."""
        return evaluations(self.events())

    def channels(self, stage: int | None = None) -> tuple[str, ...]:
        """Names of the channels of a stage, by default the newest."""
        return patiently(lambda: self._channels(stage), self.refresh)

    def _channels(self, stage: int | None) -> tuple[str, ...]:
        rows = self.stage(stage)
        if rows is None:
            return ()
        late = {name for segment in self._all for name in segment.late_names(rows.info.number)}
        return (*rows.channels, *sorted(late.difference(rows.channels)))

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
            stage: 1 or 2; None is the newest that has the channel.
            first: first step wanted; None is the first there is.
            last: last step wanted, included; None is the newest.
            points: at most so many points, pooled to mean, low and high; None is every row. A point then stands
                for a power of two of rows. A scalar that is in no row, for it comes up too seldom, has all its values.

        Raises:
            UnknownName: there is no such channel in the stage.
            RunFileError: a file cannot be read now.
        """
        return patiently(lambda: self._series(channel, stage, first, last, points), self.refresh)

    def _series(
        self, channel: str, stage: int | None, first: int | None, last: int | None, points: int | None
    ) -> Series:
        rows = self._stage_with(channel, stage)
        if channel not in rows.channels:
            return _late_series(channel, *self._late_values(channel, rows), first, last)
        begin = 0 if first is None else rows.row_of(first)
        end = max(begin, len(rows) if last is None else rows.row_of(last + 1))
        found = _series(rows, channel, begin, end, points)
        return _with_late(found, *self._late_values(channel, rows)) if found.exact else found

    def follow(self, *channels: str, stage: int | None = None) -> Follower:
        """What reads further rows of some channels as they come, of one stage or (None) of whichever is the newest."""
        return Follower(self, channels, stage)

    def _stage_with(self, channel: str, stage: int | None) -> StageRows:
        """The stage asked for, by default the newest that has the channel. Raises UnknownName."""
        asked = self.stage(stage)
        newest = dict.fromkeys(segment.layout.stage.number for segment in reversed(self.segments))
        for rows in [self._stages[number] for number in newest] if stage is None else [asked] if asked else []:
            if channel in rows.channels or len(self._late_values(channel, rows)[0]):
                return rows
        raise UnknownName("channel", channel, self.channels(stage))

    def _late_values(self, channel: str, rows: StageRows) -> tuple[Array, Array]:
        """Steps and values of a scalar that had no place in the rows, by step; those of replaced rows are left out."""
        number = rows.info.number
        steps, values = [np.zeros(0, np.int64)], [np.zeros(0)]
        for i, segment in enumerate(self._all):
            step, value = segment.late_values(channel, number)
            later = [each.layout.first_step for each in self._all[i + 1 :] if each.layout.stage.number == number]
            kept = step < min(later, default=2**63 - 1)
            steps.append(step[kept])
            values.append(value[kept])
        return _in_order(np.concatenate(steps), np.concatenate(values))


def _in_order(step: Array, value: Array) -> tuple[Array, Array]:
    """Values by their steps, in ascending order; of several of one step the one recorded last."""
    order = np.argsort(step, kind="stable")
    step = step[order]
    last = np.append(step[1:] != step[:-1], True)[: len(step)]
    return step[last], value[order][last]


def _late_series(channel: str, step: Array, value: Array, first: int | None, last: int | None) -> Series:
    inside = (step >= (first or 0)) & (step <= (step.max() if last is None else last))
    return Series(channel, step[inside], value[inside], value[inside], value[inside], exact=True)


def _with_late(found: Series, step: Array, value: Array) -> Series:
    """The series, with the values that came before its channel had a place in the rows."""
    at = np.searchsorted(found.step, step)
    there = (at < len(found.step)) & (np.append(found.step, -1)[np.minimum(at, len(found.step))] == step)
    if not there.any():
        return found
    mean = found.mean.astype(np.float64)
    mean[at[there]] = value[there]
    return replace(found, mean=mean, low=mean, high=mean)


def _series(rows: StageRows, channel: str, begin: int, end: int, points: int | None) -> Series:
    width = 1 if points is None else width_for(end - begin, points)
    while points is not None and width > 1 and -(-end // width) - begin // width > points:
        width *= 2  # the window begins within a column
    blocks = list(rows.blocks(begin, end, width)) or [(begin, begin)]
    if width == 1:
        read = [rows.read(*block, ("step", channel)) for block in blocks]
        step, values = (np.concatenate([each[name] for each in read]) for name in ("step", channel))
        return Series(channel, step.astype(np.int64), values, values, values, exact=True)
    names = () if channel in CLOCKS else (channel,)
    pools = [rows.pooled(*block, width, names) for block in blocks]
    clock = np.concatenate([each.clock for each in pools])
    if channel in CLOCKS:
        return Series(channel, clock["step"], *(clock[channel],) * 3, exact=False)
    pooled = [each.channels[channel] for each in pools]
    mean, low, high, _ = (np.concatenate(each) for each in zip(*pooled, strict=True))
    return Series(channel, clock["step"], mean, low, high, exact=False)


def _ended(told: manifest.Manifest) -> tuple[RunState, str]:
    if told.outcome:
        return RunState(told.outcome), told.reason
    return RunState.CRASHED, f"process {told.pid} on {told.host} is gone without a word"
