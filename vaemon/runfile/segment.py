"""Reading one segment file while it is written."""

import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vaemon.batch import Event
from vaemon.errors import RunFileError
from vaemon.runfile import shared
from vaemon.runfile.commits import Commit, last_whole, totals_before
from vaemon.runfile.patience import SegmentGone
from vaemon.runfile.schema import (
    CLOCKS_PART,
    COMMIT,
    COMMITS,
    EVENT,
    EVENTS,
    FORMAT,
    LATE_VALUE,
    LEVELS,
    ROWS,
    Layout,
    bins_name,
    is_whole,
)
from vaemon.runfile.superblock import read_superblock
from vaemon.runfile.tail import Tail

Array = npt.NDArray[Any]

UNSYNCED = 10.0
"""Seconds before its last commit from which on a writer's data may not have come to the disk; it syncs every 5."""


class SegmentReader:
    """One segment; `refresh` takes in what has been written since."""

    def __init__(self, path: Path, number: int = 0) -> None:
        """Open the file for reading.

        Raises:
            RunFileError: it cannot be opened now, or is not a segment of this format.
        """
        self.path = path
        self.number = number
        self._told: list[Event] = []
        self._seen = 0
        self._whole = (0, 0)  # rows and events
        self._found: dict[int, int] = {}
        self._file: shared.SharedFile | None = None
        self.key: tuple[int, int] | None = None
        self._short = False
        self._damage = ""
        self._binned = 0
        self._committed: tuple[int, int] | None = None  # rows and events, as the newest commit has it
        self._settled_at: tuple[int, int] | None = None
        self._tail = Tail()
        try:
            self.layout = self._checked_layout()
            self.key = self._use().key
            self.refresh()
            if self._short and not len(self):
                raise RunFileError(self._damage)
        except RunFileError:
            self.close()
            raise

    def _checked_layout(self) -> Layout:
        file = self._use()
        with _in_words(self.path), file.lock:
            found = file.attributes.get("format")
            if not np.array_equal(np.asarray(found), FORMAT):
                raise RunFileError(f"{self.path} has format {found}; this vaemon reads {FORMAT}")
            layout = Layout.of(file.attributes)
            for name, dtype in ((ROWS, layout.row), (EVENTS, EVENT), (COMMITS, COMMIT)):
                if file.dataset(name).dtype != dtype or file.dataset(name).ndim != 1:
                    raise RunFileError(f"cannot read {self.path}: its {name!r} are not what they should be")
            return layout

    def refresh(self) -> None:
        """See what the writer has flushed since.

        Raises:
            RunFileError: the file cannot be read now.
        """
        file = self._use()
        with _in_words(self.path), file.lock:
            # The commit record first: what it counts is there when the rows are looked at afterwards.
            commits = file.refreshed(COMMITS)
            whole = last_whole(commits)
            if whole == self._committed:
                return
            if min(whole) < 0:
                raise ValueError(f"its commits count {min(whole):,} rows")
            if whole[0] > self._whole[0] or not self._whole[0]:
                file.refreshed(ROWS)
            if whole[1] > self._whole[1] or not self._whole[1]:
                file.refreshed(EVENTS)
            for name, count in zip((ROWS, EVENTS), whole, strict=True):
                if count > len(file.dataset(name)):
                    raise ValueError(f"its commits count more {name} than there are")
            self._committed = whole
        if self._short:
            # HDF5 reads zeros for what is missing.
            whole = self._verified(0)
            self._damage = f"{self.path} is cut short: what can be trusted ends at row {whole[0]:,}"
        self._whole = whole
        self._binned = 0 if self._short else whole[0]

    def __len__(self) -> int:
        return self._whole[0]

    @property
    def damage(self) -> str:
        """What a reader is to be told of the file; empty where it is as it should be."""
        return self._damage

    @property
    def binned(self) -> int:
        """Rows up to which the bins can be trusted."""
        return self._binned

    @property
    def extent(self) -> tuple[int, int, int, str]:
        """Rows, events, rows up to which the bins can be trusted, and the damage: what all that it says rests on."""
        return (*self._whole, self._binned, self._damage)

    def settle(self) -> None:
        """Take note that nothing is being added, as far as anybody knows; what is all the same is seen by `refresh`.

        Of a writer that died, verify what it wrote last: with the machine, pages may have gone that were not synced.

        Raises:
            RunFileError: nothing can be trusted.
        """
        if self._committed == self._settled_at:
            return
        self._settled_at = self._committed
        self._tail.forget()
        if not read_superblock(self.path).flags:
            return
        commits = self.commits()
        # A clock that was set back does not make a commit older than those before it.
        times = np.maximum.accumulate(commits["time"])
        first = int(np.searchsorted(times, times.max(initial=0) - UNSYNCED))
        before, self._whole = self._whole, self._verified(first)
        self._binned = min(self._whole[0], int(commits["rows"][first - 1]) if first else 0)
        if self._whole[0] < before[0]:
            self._damage = f"{self.path}: {before[0] - self._whole[0]:,} rows written last do not fit their checksum"
        if before[0] and not self._whole[0]:
            raise RunFileError(self._damage)

    def _verified(self, first: int) -> tuple[int, int]:
        """Rows and events up to the first commit, from number `first` on, that does not fit its checksums."""
        rows, events = totals_before(self.commits(), first)
        for commit in self.checked(first):
            if not (commit.whole and commit.rows_good and commit.events_good):
                return commit.first_row, commit.first_event
            rows, events = commit.rows, commit.events
        return rows, events

    def rows(self, first: int, last: int) -> Array:
        """Rows first up to last (excluded), as a structured array; not to be written into."""
        if self._settled_at == self._committed:
            return self._read_rows(first, last)
        return self._tail.rows(first, last, self._read_rows)

    def _read_rows(self, first: int, last: int) -> Array:
        return self._read(ROWS, slice(first, last))

    def bins(self, width: int, part: str, first: int, last: int, every: int = 1) -> Array:
        """Bins of a level by their number within the stage, (n, STATISTICS, ...); for the clocks (n,).

        Args:
            width: rows a bin, one of LEVELS.
            part: which dataset of the level.
            first: number of the first bin; the segment must have all of its rows.
            last: number of the last bin, excluded.
            every: read one in so many of STATISTICS, the first among them.
        """
        offset = -(-self.layout.first_row // width)
        name = bins_name(width, part)
        file = self._use()
        with _in_words(self.path), file.lock:
            dataset = file.dataset(name)
            if dataset.shape[0] < last - offset:
                dataset = file.refreshed(name)
            if dataset.shape[0] < last - offset:
                raise RunFileError(f"{self.path} lacks bins of {width} rows; `vaemon check --repair` makes them again")
            where = slice(first - offset, last - offset)
            return np.asarray(dataset[where] if dataset.ndim == 1 else dataset[where, ::every])

    def steps(self, first: int, last: int) -> Array:
        """The steps of those rows."""
        return np.asarray(self.rows(first, last)["step"])

    def rows_below(self, step: int) -> int:
        """What `row_of` gives, remembered: asked at every poll of a segment that others have replaced in part."""
        if step not in self._found:
            row = self.row_of(step)
            if row == len(self):  # rows to come may lie below it, too
                return row
            self._found[step] = row
        return self._found[step]

    def row_of(self, step: int) -> int:
        """How many rows have a step below `step`: the row where that step is, or would be."""
        begin, end = 0, len(self)
        if not end or int(self.steps(end - 1, end)[0]) < step:
            return end
        first_row = self.layout.first_row
        for width in LEVELS[::-1] if self._binned == len(self) else ():
            # Of the bins between, those that end below the step lie before it.
            low, high = -(-(first_row + begin) // width), (first_row + end) // width
            if low < high:
                clocks = self.bins(width, CLOCKS_PART, low, high)
                before = int(np.searchsorted(clocks["step"], step))
                if before:
                    begin = (low + before) * width - first_row
                if low + before < high:
                    end = (low + before + 1) * width - first_row
        while end - begin > LEVELS[0]:
            middle = (begin + end) // 2
            begin, end = (middle, end) if int(self.steps(middle, middle + 1)[0]) < step else (begin, middle)
        return begin + int(np.searchsorted(self.steps(begin, end), step)) if begin < end else begin

    def events(self) -> list[Event]:
        """Every event of the segment, late values left out; only new ones are read.

        The list grows with the next call; where what it tells has turned out not to be whole, another takes its place.
        """
        if self._seen > self._whole[1]:
            self._told, self._seen = [], 0
        if self._seen == self._whole[1]:
            return self._told
        table = self._event_table(self._seen)
        self._seen += len(table)
        self._told += [_event(each) for each in table if each["kind"] != LATE_VALUE.encode()]
        return self._told

    def late_values(self, name: str, stage: int) -> tuple[Array, Array]:
        """Steps and values, in a stage, of a scalar that came up after the segment, or the one before, was frozen."""
        table = self._late(stage)
        found = table[table["text"] == name.encode(errors="replace")]
        return found["step"], found["value"]

    def late_names(self, stage: int) -> set[str]:
        """Names of the scalars of which there are such values."""
        return {text.decode(errors="replace") for text in self._late(stage)["text"]}

    def _late(self, stage: int) -> Array:
        # The last values of a stage may stand in the first segment of the next.
        table = self._event_table(0)
        return np.asarray(table[(table["kind"] == LATE_VALUE.encode()) & (table["stage"] == stage)])

    def checked(self, first: int = 0) -> Iterator[Commit]:
        """Every commit record from number `first` on, with what its checksums say of the rows and events it stands for.

        Where a record is damaged itself, the rows of the next are those of both, and cannot be told to be good.
        """
        commits = self.commits()
        before = totals_before(commits, first)
        for record in commits[first:]:
            if not is_whole(record):
                yield Commit(*before, *before, False, True, True)
                continue
            rows, events = int(record["rows"]), int(record["events"])
            rows_good = self._fits(ROWS, before[0], rows, int(record["rows_crc"]))
            yield Commit(
                *before, rows, events, True, rows_good, self._fits(EVENTS, before[1], events, int(record["events_crc"]))
            )
            before = (rows, events)

    def _fits(self, name: str, first: int, last: int, crc: int) -> bool:
        try:
            return zlib.crc32(self._read(name, slice(first, last)).view(np.uint8).data) == crc
        except RunFileError:  # a block that HDF5 itself cannot find
            return False

    @property
    def compressed(self) -> bool:
        """Whether its rows are."""
        file = self._use()
        with _in_words(self.path), file.lock:
            return file.dataset(ROWS).compression is not None

    def uncommitted(self) -> int:
        """Rows that stand in the file after those that were committed."""
        file = self._use()
        with _in_words(self.path), file.lock:
            return int(file.dataset(ROWS).shape[0]) - len(self)

    def event_table(self) -> Array:
        """Every event as it is stored, late values included."""
        return self._event_table(0)

    def commits(self) -> Array:
        """Every commit record, whole or not."""
        file = self._use()
        with _in_words(self.path), file.lock:
            return np.asarray(file.dataset(COMMITS)[:])

    def is_at(self, path: Path) -> bool:
        """Whether the file of that name is still the one that was opened."""
        try:
            return self.key == shared.key_of(path)
        except RunFileError:
            return False

    def close(self) -> None:
        """Let go of the file; it is opened again where it is needed again."""
        if self._file is not None:
            shared.release(self._file)
            self._file = None

    def _use(self) -> shared.SharedFile:
        if self._file is None or self._file.dropped:
            self._file = self._acquired()
            self._short = self._file.short
        return self._file

    def _acquired(self) -> shared.SharedFile:
        try:
            with _in_words(self.path):
                file = shared.acquire(self.path)
        except RunFileError as error:
            if os.path.lexists(self.path):
                raise
            raise SegmentGone(str(error)) from error
        if self.key not in (None, file.key):
            shared.release(file)
            raise SegmentGone(f"cannot read {self.path}: another file has its name now")
        return file

    def _event_table(self, first: int) -> Array:
        if first >= self._whole[1]:
            return self._read(EVENTS, slice(0, 0))
        return self._read(EVENTS, slice(first, self._whole[1]))

    def _read(self, name: str, where: slice) -> Array:
        file = self._use()
        with _in_words(self.path), file.lock:
            return np.asarray(file.dataset(name)[where])


def _event(record: Any) -> Event:
    return Event(
        step=int(record["step"]),
        time=float(record["time"]),
        stage=int(record["stage"]),
        kind=record["kind"].decode(errors="replace"),
        latent=int(record["latent"]),
        text=record["text"].decode(errors="replace"),
    )


@contextmanager
def _in_words(path: Path) -> Iterator[None]:
    """What HDF5 and h5py raise, as a RunFileError."""
    try:
        yield
    except (
        OSError,
        RuntimeError,
        LookupError,
        ArithmeticError,
        MemoryError,
        ValueError,
        TypeError,
        AttributeError,
    ) as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise RunFileError(f"cannot read {path}: {said}") from error
