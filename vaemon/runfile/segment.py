"""Reading one segment file while it is written."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from vaemon.batch import Event
from vaemon.errors import RunFileError
from vaemon.runfile import shared
from vaemon.runfile.schema import (
    CLOCKS_PART,
    COMMITS,
    EVENTS,
    FORMAT,
    LATE_VALUE,
    LEVELS,
    ROWS,
    Layout,
    bins_name,
    is_whole,
)

Array = npt.NDArray[Any]


class Commit(NamedTuple):
    """A commit record, looked at closely."""

    first_row: int
    first_event: int
    rows: int
    """Rows of the segment up to here."""
    events: int
    whole: bool
    """Whether the record itself is."""
    rows_good: bool
    events_good: bool


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
        self._short = False
        try:
            attributes = self._use().attributes
            if attributes.get("format") != FORMAT:
                raise RunFileError(f"{path} has format {attributes.get('format')}; this vaemon reads {FORMAT}")
            with _in_words(path):
                self.layout = Layout.of(attributes)
            self.key = self._use().key
            self.refresh()
            if self.damage and not len(self):
                raise RunFileError(self.damage)
        except RunFileError:
            self.close()
            raise

    def refresh(self) -> None:
        """See what the writer has flushed since.

        Raises:
            RunFileError: the file cannot be read now.
        """
        file = self._use()
        with _in_words(self.path), file.lock:
            # The commit record first: what it counts is there when the rows are looked at afterwards.
            commits = file.refreshed(COMMITS)
            whole = _last_whole(commits)
            if whole[0] > self._whole[0] or not self._whole[0]:
                file.refreshed(ROWS)
            if whole[1] > self._whole[1] or not self._whole[1]:
                file.refreshed(EVENTS)
        if self._short and whole != self._whole:
            whole = verified(self, whole)
        self._whole = whole

    def __len__(self) -> int:
        return self._whole[0]

    @property
    def damage(self) -> str:
        """What a reader is to be told of the file; empty where it is as it should be."""
        return f"{self.path} is cut short: what can be trusted ends at row {len(self):,}" if self._short else ""

    @property
    def levels(self) -> tuple[int, ...]:
        """Widths of the bins that the segment has, the widest first."""
        # Of a file that is cut short HDF5 reads zeros for what is missing; bins have no checksum to tell.
        return () if self._short else LEVELS[::-1]

    def rows(self, first: int, last: int) -> Array:
        """Rows first up to last (excluded), as a structured array."""
        return self._read(ROWS, slice(first, last))

    def bins(self, width: int, part: str, first: int, last: int, every: int = 1) -> Array:
        """Bins of a level by their number within the stage, (n, STATISTICS, ...); for the clocks (n,).

        Args:
            width: rows a bin, one of `levels`.
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
        for width in self.levels:
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
        """Every event of the segment, late values left out; only new ones are read."""
        table = self._event_table(self._seen)
        self._seen += len(table)
        self._told += [_event(each) for each in table if each["kind"] != LATE_VALUE.encode()]
        return self._told

    def late_values(self, name: str) -> tuple[Array, Array]:
        """Steps and values of a scalar that came up after the segment was frozen."""
        table = self._event_table(0)
        found = table[(table["kind"] == LATE_VALUE.encode()) & (table["text"] == name.encode())]
        return found["step"], found["value"]

    def late_names(self) -> set[str]:
        """Names of the scalars that came up after the segment was frozen."""
        table = self._event_table(0)
        return {text.decode(errors="replace") for text in table["text"][table["kind"] == LATE_VALUE.encode()]}

    def checked(self) -> Iterator[Commit]:
        """Every commit record with what its checksums say of the rows and events that it stands for.

        Where a record is damaged itself, the rows of the next are those of both, and cannot be told to be good.
        """
        before = (0, 0)
        for record in self.commits():
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
        if self._file is None:
            with _in_words(self.path):
                self._file = shared.acquire(self.path)
            self._short = self._file.short
        return self._file

    def _event_table(self, first: int) -> Array:
        if first >= self._whole[1]:
            return self._read(EVENTS, slice(0, 0))
        return self._read(EVENTS, slice(first, self._whole[1]))

    def _read(self, name: str, where: slice) -> Array:
        file = self._use()
        with _in_words(self.path), file.lock:
            return np.asarray(file.dataset(name)[where])


def verified(segment: SegmentReader, whole: tuple[int, int]) -> tuple[int, int]:
    """Rows and events up to the first that do not fit their checksum, at most so many."""
    rows, events = 0, 0
    for commit in segment.checked():
        if not (commit.whole and commit.rows_good and commit.events_good):
            break
        rows, events = commit.rows, commit.events
    return min(rows, whole[0]), min(events, whole[1])


def _last_whole(commits: Any) -> tuple[int, int]:
    # The newest record may have been torn by a power cut; one before it tells then.
    for at in range(len(commits) - 1, -1, -1):
        record = commits[at]
        if is_whole(record):
            return int(record["rows"]), int(record["events"])
    return 0, 0


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
    except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise RunFileError(f"cannot read {path}: {said}") from error
