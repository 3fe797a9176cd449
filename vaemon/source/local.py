"""A run in a folder of this machine."""

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vaemon.batch import Batch, Columns, Cursor, Excerpt, ImageSet, RunInfo, Series, Want, Window
from vaemon.channels import CLOCKS
from vaemon.decimate import Pooled, width_for
from vaemon.errors import RunFileError, SourceLost
from vaemon.runfile.find import is_run, latest_run
from vaemon.runfile.images import ImageFolder
from vaemon.runfile.patience import patiently
from vaemon.runfile.read import RunReader
from vaemon.runfile.series import Given, Pool, StageRows, joined_absent
from vaemon.runstate import RunState
from vaemon.source.anew import Anew
from vaemon.source.late import with_late
from vaemon.source.newest import NOTHING_NEW, NewestRows
from vaemon.thresholds import DEFAULT

Array = npt.NDArray[Any]

QUESTIONS = 3
"""So many, of which the answers are remembered, are put by turns: for the stage looked at, the newest, and for news."""


class LocalSource:
    """Reads a run folder, which need not exist yet: then the run is waiting."""

    def __init__(self, folder: Path, *, newest: bool = False, thresholds: Mapping[str, float] | None = None) -> None:
        """Read a run.

        Args:
            folder: the run's; with `newest`, one below which the first run to appear is meant.
            newest: see there.
            thresholds: those by which it is to be looked at, where not by its own; by name.
        """
        self.folder = folder
        self._thresholds = dict(thresholds or {})
        self._anew: Anew | None = None
        self._newest = newest
        self._newest_rows = NewestRows()
        self._quiet: dict[Want, tuple[object, Batch]] = {}  # questions whose answer was that there is nothing new
        self._run: RunReader | None = None
        self._images: ImageFolder | None = None

    def info(self) -> RunInfo:
        """Who the run is and how it fares.

        Raises:
            SourceLost: its files do not answer.
            UsageError: its thresholds and those asked for do not go together.
        """
        run = self._refreshed()
        if run is None:
            at = DEFAULT.changed(self._thresholds)
            name = "" if self._newest else self.folder.name
            return RunInfo(name, str(self.folder), RunState.WAITING, thresholds=at)
        try:
            told = run.info()
        except RunFileError as error:
            raise SourceLost(str(error)) from error
        at = told.thresholds.changed(self._thresholds)
        if at != told.thresholds and (self._anew is None or self._anew.at != at):
            self._anew = Anew(at)
        return replace(told, thresholds=at)

    def poll(self, since: Cursor, want: Want) -> Batch:
        """What is new since `since`. Raises SourceLost."""
        try:
            return patiently(lambda: self._poll(since, want))
        except RunFileError as error:
            raise SourceLost(str(error)) from error

    def _poll(self, since: Cursor, want: Want) -> Batch:
        info = self.info()
        rows = self._run.stage(want.stage) if self._run is not None else None
        if self._run is None or rows is None:
            return Batch(info, since)
        asked = (since, info.thresholds, self._run.mark)
        told, quiet = self._quiet.get(want, (None, None))
        if quiet is not None and told == asked:  # most polls of a slow run, all of one that is over
            return replace(quiet, info=info)
        batch = _answer(info, self._run, rows, since, want, self._anew, self._newest_rows)
        self._quiet.pop(want, None)
        if batch.cursor == since and not batch.more:
            self._quiet = dict([*self._quiet.items(), (want, (asked, batch))][-QUESTIONS:])
        return batch

    def excerpt(self, asked: Excerpt) -> Columns:
        """A range of rows of a stage as finished columns. Raises SourceLost."""
        try:
            return patiently(lambda: self._excerpt(asked))
        except RunFileError as error:
            raise SourceLost(str(error)) from error

    def _excerpt(self, asked: Excerpt) -> Columns:
        run = self._refreshed()
        rows = run.stage(asked.stage) if run is not None else None
        if run is None or rows is None:
            return Columns()
        return with_late(_excerpt(rows, asked), run, rows, asked)

    def series(self, channel: str, window: Window, points: int) -> Series:
        """One channel over a window. Raises UnknownName, SourceLost."""
        run = self._refreshed()
        if run is None:
            raise SourceLost(f"{self.folder} has no rows yet")
        try:
            return run.series(channel, stage=window.stage, first=window.first, last=window.last, points=points)
        except RunFileError as error:
            raise SourceLost(str(error)) from error

    def images(self) -> tuple[ImageSet, ...]:
        """The sets of images recorded so far; those that cannot be read are left out (`vaemon check` tells them)."""
        try:
            return self._image_folder().list()
        except OSError as error:
            raise SourceLost(f"cannot look into {self.folder}: {error.strerror}") from error

    def image(self, which: ImageSet) -> Array:
        """The images of a set. Raises SourceLost."""
        try:
            return self._image_folder().read(which)
        except RunFileError as error:
            raise SourceLost(str(error)) from error

    def _image_folder(self) -> ImageFolder:
        # Which run it is, a source that waits for the first to appear learns by and by.
        if self._images is None or self._images.run_folder != self.folder:
            self._images = ImageFolder(self.folder)
        return self._images

    def reach(self) -> None:
        """Nothing: a folder is either there or not."""

    def hang_up(self) -> None:
        """Nothing: an answer takes no longer than a read."""

    def close(self) -> None:
        """Close the files."""
        if self._run is not None:
            self._run.close()
            self._run = self._anew = None
            self._quiet.clear()

    def _refreshed(self) -> RunReader | None:
        try:
            if self._run is not None:
                self._run.refresh()
            elif (found := latest_run(self.folder) if self._newest else self.folder) and is_run(found):
                self.folder = found
                self._run = RunReader(found)
        except RunFileError as error:
            gone = not self.folder.exists()
            raise SourceLost(f"the run's folder is gone: {self.folder}" if gone else str(error)) from error
        return self._run


def _answer(
    info: RunInfo,
    run: RunReader,
    rows: StageRows,
    since: Cursor,
    want: Want,
    found_anew: Anew | None,
    newest_rows: NewestRows,
) -> Batch:
    deadline = time.monotonic() + want.seconds
    stage = rows.info.number
    written = run.segments[-1].number + 1
    count = len(rows) if want.end is None else max(min(want.end, len(rows)), 1)
    width = width_for(count, want.columns) if want.columns else 1
    start, rewound_to = 0, None
    if since.stage == stage:
        width = max(width, since.width)
        start, rewound_to = rows.standing(Given(since.rows, since.step, since.time, since.segments))
    start = min(start, count) // width * width
    columns = _columns(rows, start, count, width, want, deadline)
    events, unseen = (run.events(), False) if found_anew is None else found_anew.events(run, deadline)
    if want.end is not None:
        # By step, for clocks are put back now and then.
        ends = (stage, int(rows.read(count - 1, count, ("step",))["step"][0]))
        events = [event for event in events if (event.stage, event.step) <= ends]
    anew = written != since.segments or since.events > len(events)
    # What is found anew has its place among what was told before; so have events of a run with damage, told last.
    among = found_anew is not None or (bool(events) and not events[-1].stage)
    anew |= among and since.events != len(events)
    given = rows.given(columns.rows, written)
    newest = NOTHING_NEW
    if want.newest:
        newest = newest_rows.tell(rows, count, written, info.thresholds.smoothing, events)
    return Batch(
        info=info,
        cursor=Cursor(stage, written, columns.rows, width, len(events), given.step, given.time),
        stage=stage,
        rows=count,
        columns=columns,
        latest=newest.latest,
        events=tuple(events if anew else events[since.events :]),
        events_anew=anew,
        rewound_to=rewound_to,
        rate=newest.rate,
        pause=newest.pause,
        more=unseen or (bool(want.columns) and count - columns.rows >= width),
    )


def _columns(rows: StageRows, start: int, count: int, width: int, want: Want, deadline: float) -> Columns:
    """The finished columns from row `start` on, as many as the time allows; at least one block of them."""
    end = count // width * width if want.columns else start
    names = _names(rows, want)
    latent = {name for name in names if any(name in segment.layout.vectors for segment in rows.segments)}
    parts: list[Pool] = []
    for first, last in rows.blocks(start, end, width):
        parts.append(rows.pooled(first, last, width, names, means=latent))
        if time.monotonic() > deadline:
            break
    return _as_columns(rows, parts, start // width, width, latent)


def _names(rows: StageRows, asked: Want | Excerpt) -> list[str]:
    """The channels asked for that there are, then as many of the other scalars as are wanted."""
    scalars = dict.fromkeys(name for segment in rows.segments for name in segment.layout.scalars)
    others = [name for name in scalars if name not in asked.channels and name not in CLOCKS]
    return [*(name for name in asked.channels if name in rows.channels), *others[: asked.scalars]]


def _excerpt(rows: StageRows, asked: Excerpt) -> Columns:
    """A range of rows in finished columns, the last one of a stage that grows left out until it is whole."""
    first, last = max(asked.first, 0), min(asked.last, len(rows))
    width = asked.width or width_for(max(last - first, 1), asked.columns)
    last = min(-(-last // width) * width, len(rows) // width * width)
    first = min(first // width * width, last)
    own = dict.fromkeys(name for segment in rows.segments for name in segment.layout.vectors)
    names = _names(rows, asked)
    names += [name for name in own if name not in names][: asked.latents]
    vectors = {name for name in names if any(name in segment.layout.vectors for segment in rows.segments)}
    if asked.latent is None:
        pooled = [rows.pooled(*block, width, names, means=vectors) for block in rows.blocks(first, last, width)]
        return _as_columns(rows, pooled, first // width, width, vectors)
    pooled = [rows.pooled(*block, width, names) for block in rows.blocks(first, last, width)]
    one = [_only(part, vectors, asked.latent) for part in pooled]
    return _as_columns(rows, one, first // width, width, set())


def _only(part: Pool, vectors: set[str], latent: int) -> Pool:
    channels = {
        name: Pooled(*(figure[:, latent] for figure in each)) if name in vectors else each
        for name, each in part.channels.items()
    }
    absent = {name: rows[:, latent] if name in vectors else rows for name, rows in part.absent.items()}
    return part._replace(channels=channels, absent=absent)


def _as_columns(rows: StageRows, parts: list[Pool], first: int, width: int, latent: set[str]) -> Columns:
    if not parts:
        parts = [rows.pooled(0, 0, 1, ())]
    clock = np.concatenate([part.clock for part in parts])
    pooled = {name: _joined([part.channels[name] for part in parts]) for name in parts[0].channels}
    scalars = {name: each for name, each in pooled.items() if name not in latent}
    return Columns(
        first=first,
        width=width,
        step=clock["step"].astype(np.int64),
        time=clock["time"].astype(np.float64),
        epoch=clock["epoch"].astype(np.int32),
        mean={name: each.mean.astype(np.float32 if name in latent else np.float64) for name, each in pooled.items()},
        low={name: each.low for name, each in scalars.items()},
        high={name: each.high for name, each in scalars.items()},
        bad={name: each.bad.astype(np.int64) for name, each in scalars.items()},
        absent={name: each for name, each in joined_absent(parts).items() if each.any()},
    )


def _joined(parts: list[Pooled]) -> Pooled:
    return Pooled(*(np.concatenate(each) for each in zip(*parts, strict=True)))
