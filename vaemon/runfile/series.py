"""The segments of one stage as one continuous series of rows."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from vaemon.batch import StageInfo
from vaemon.channels import CHANNELS, CLOCKS
from vaemon.decimate import Pooled, merge, pool
from vaemon.runfile.schema import CLOCK, CLOCKS_PART, LEVELS, SCALARS_PART, STATISTICS, latent_part
from vaemon.runfile.segment import SegmentReader

Array = npt.NDArray[Any]

BLOCK_BYTES = 16 * 1024 * 1024
"""How much is read at a stroke."""


class Piece(NamedTuple):
    """The part of a segment that still counts, and where its rows stand in the stage."""

    segment: SegmentReader
    start: int
    length: int

    @property
    def binned(self) -> int:
        """The row of the stage up to which the segment's bins can be used."""
        # Where an earlier segment cannot be read, rows have other numbers than the writer gave them.
        return self.start + (self.segment.binned if self.segment.layout.first_row == self.start else 0)


class Pool(NamedTuple):
    """Consecutive bins of a stage, of any widths."""

    counts: Array
    """Rows that each stands for, (n,)."""
    clock: Array
    """Step, time and epoch of the last row of each, of type CLOCK, (n,)."""
    channels: dict[str, Pooled]
    absent: dict[str, Array]
    """How many rows of each do not have a channel, of the shape of its figures; only for channels that some lack."""


class Given(NamedTuple):
    """How many rows of a stage somebody was given; by the last of them one knows later whether they still stand."""

    rows: int = 0
    step: int = 0
    time: float = 0.0
    """Of the last of the rows: one that replaces it has another."""
    segments: int = 0
    """Files of the run that were begun then."""


class StageRows:
    """The rows of a stage, numbered from 0; those that a resumed run replaced are left out."""

    def __init__(self, segments: Sequence[SegmentReader]) -> None:
        """Lay the segments of ONE stage end to end, in the order they were written."""
        self.segments = tuple(segments)
        self.pieces = _pieces(self.segments)

    @property
    def info(self) -> StageInfo:
        """What the stage was set up to be, as the newest segment has it."""
        return self.segments[-1].layout.stage

    def __len__(self) -> int:
        return sum(piece.length for piece in self.pieces)

    def given(self, rows: int, segments: int) -> Given:
        """What is to be remembered of having given so many rows, of so many files."""
        if not rows:
            return Given(0, 0, 0.0, segments)
        last = self.read(rows - 1, rows, ("step", "time"))
        return Given(rows, int(last["step"][0]), float(last["time"][0]), segments)

    def standing(self, given: Given) -> tuple[int, int | None]:
        """How many of the rows given still stand; where not all do, also the step after which they are void."""
        newer = [segment for segment in self.segments if segment.number >= given.segments]
        # Of files put together the layout does not tell what is new in them; the last row does.
        if given.rows <= len(self) and (not newer or self.given(given.rows, given.segments) == given):
            return given.rows, None
        kept = sum(piece.length for piece in self.pieces if piece.segment not in newer)
        if kept >= given.rows or not newer:  # older files have other rows than they had: mended, or found damaged
            kept, newer = 0, list(self.segments)
        return kept, min(segment.layout.first_step for segment in newer) - 1

    @property
    def channels(self) -> tuple[str, ...]:
        """Every channel that a segment of the stage has, the clocks first."""
        names = dict.fromkeys(CLOCKS)
        for segment in self.segments:
            names |= dict.fromkeys((*segment.layout.scalars, *segment.layout.vectors))
        return tuple(names)

    def read(self, first: int, last: int, names: Sequence[str]) -> dict[str, Array]:
        """Channels over rows first up to last (excluded); NaN where a segment lacks one."""
        parts: list[dict[str, Array]] = []
        for piece, begin, end in self._covered(first, last):
            rows = piece.segment.rows(begin - piece.start, end - piece.start)
            parts.append({name: self._column(piece.segment, rows, name) for name in names})
        if not parts:
            return {name: np.zeros((0, *self._shape(name))) for name in names}
        return {name: np.concatenate([part[name] for part in parts]) for name in names}

    def pooled(self, first: int, last: int, width: int, names: Sequence[str], means: Collection[str] = ()) -> Pool:
        """Rows first up to last (excluded) pooled by columns of `width` rows, from the pyramid where that serves.

        A column begins at a multiple of `width`; the first and the last hold only those of their rows that were
        asked for.

        Args:
            first: a row of the stage.
            last: a row of the stage.
            width: rows a column, a power of two.
            names: channels, clocks excluded.
            means: those of them of which only the mean is wanted: for low and high it then stands, too.
        """
        parts = []
        starts = []
        for piece, begin, end in self._covered(first, last):
            for level, low, high in _tiles(begin, end, piece.binned, width):
                part = self._bins(piece, level, low, high, width, names, means)
                starts.append(low + np.concatenate([[0], np.cumsum(part.counts)[:-1]]))
                parts.append(self._told_apart(part, piece, starts[-1], names))
        if not parts:
            none = {name: self._nothing(name, 0) for name in names}
            return Pool(np.zeros(0, np.int64), np.zeros(0, CLOCK), none, {})
        counts = np.concatenate([part.counts for part in parts])
        columns = np.concatenate(starts) // width
        ends = np.flatnonzero(np.append(np.diff(columns) != 0, True))
        figures = {name: _joined([part.channels[name] for part in parts]) for name in names}
        absent = joined_absent(parts)
        channels = {name: merge(each, counts, columns, absent.get(name)) for name, each in figures.items()}
        totals = np.diff(np.cumsum(counts)[ends], prepend=0)
        begins = np.concatenate([[0], ends[:-1] + 1])
        lacking = {name: np.add.reduceat(each, begins, axis=0) for name, each in absent.items()}
        return Pool(totals, np.concatenate([part.clock for part in parts])[ends], channels, lacking)

    def absent_at(self, row: int) -> set[str]:
        """The channels of the stage that a row does not have."""
        one = np.ones(1, np.int64)
        (piece,) = [piece for piece, _, _ in self._covered(row, row + 1)]
        absent = {name: self._absent(piece, row * one, one, name) for name in self.channels}
        return {name for name, rows in absent.items() if rows is not None and rows.all()}

    def blocks(self, first: int, last: int, width: int = 1) -> Iterator[tuple[int, int]]:
        """Ranges that cover first up to last, of a size that is read at a stroke, cut at multiples of `width`."""
        level = max((level for level in (1, *LEVELS) if level <= width), default=1)
        itemsize = max(segment.layout.row.itemsize for segment in self.segments)
        size = max(1, BLOCK_BYTES // itemsize) * level
        size = max(width, size // width * width)
        begin = first
        while begin < last:
            end = min(begin // width * width + size, last)
            yield begin, end
            begin = end

    def clocks(self, first: int, last: int) -> Iterator[Array]:
        """Clocks of bins number `first` up to `last` (excluded) of the lowest level, of type CLOCK, file by file.

        Only bins that can be read as such: where a file begins or ends within one, it is left out.
        """
        for piece in self.pieces:
            end = min(piece.binned, piece.start + piece.length)
            low, high = max(-(-piece.start // LEVELS[0]), first), min(end // LEVELS[0], last)
            if low < high:
                yield piece.segment.bins(LEVELS[0], CLOCKS_PART, low, high)

    def row_of(self, step: int) -> int:
        """How many rows have a step below `step`."""
        for piece in reversed(self.pieces):
            if piece.length and int(piece.segment.steps(0, 1)[0]) <= step:
                return piece.start + min(piece.segment.row_of(step), piece.length)
        return 0

    def _covered(self, first: int, last: int) -> Iterator[tuple[Piece, int, int]]:
        for piece in self.pieces:
            begin, end = max(first, piece.start), min(last, piece.start + piece.length)
            if begin < end:
                yield piece, begin, end

    def _bins(
        self, piece: Piece, level: int, low: int, high: int, width: int, names: Sequence[str], means: Collection[str]
    ) -> Pool:
        if level == 1:
            return self._pooled_rows(piece, low, high, width, names)
        bins = _BinReader(piece.segment, level, low // level, high // level)
        found = {name: self._pooled_bins(bins, name, name in means) for name in names}
        return Pool(np.full(bins.last - bins.first, level), bins.clock(), found, {})

    def _told_apart(self, part: Pool, piece: Piece, starts: Array, names: Sequence[str]) -> Pool:
        """Bins of a piece, in which rows without a channel were counted as bad, with these counted by themselves."""
        absent = {name: self._absent(piece, starts, part.counts, name) for name in names}
        known = {name: rows for name, rows in absent.items() if rows is not None}
        channels = {
            name: each._replace(bad=each.bad - known[name]) if name in known else each
            for name, each in part.channels.items()
        }
        return part._replace(channels=channels, absent=known)

    def _absent(self, piece: Piece, starts: Array, counts: Array, name: str) -> Array | None:
        """How many of the rows of each bin do not have a channel; None where all have it."""
        layout, shape, begins = piece.segment.layout, self._shape(name), starts - piece.start
        lacking, rows = layout.lacks(name), np.zeros(len(starts), np.int64)
        if not lacking and (name not in layout.vectors or layout.stage.latents >= shape[0]):
            return None
        for first, last in lacking:
            rows += np.maximum(np.minimum(begins + counts, last) - np.maximum(begins, first), 0)
        absent = np.broadcast_to(rows.reshape(-1, *(1,) * len(shape)), (len(rows), *shape)).copy()
        if name in layout.vectors:  # the number of latents changed within the stage
            absent[:, layout.stage.latents :] = counts[:, None]
        return absent if absent.any() else None

    def _pooled_bins(self, bins: "_BinReader", name: str, only_mean: bool) -> Pooled:
        layout = bins.segment.layout
        if name in layout.scalars:
            return bins.scalar(name)
        if name not in layout.vectors:
            return self._nothing(name, bins.last - bins.first, bins.level)
        mean, low, high, bad = bins.latent(name, only_mean)
        mean, low, high = (self._fitted(each, name) for each in (mean, low, high))
        return Pooled(mean, low, high, self._fitted(bad, name, bins.level))

    def _pooled_rows(self, piece: Piece, first: int, last: int, width: int, names: Sequence[str]) -> Pool:
        """Rows as bins that end at multiples of `width`: whole ones in the middle, parts of one at the ends."""
        rows = piece.segment.rows(first - piece.start, last - piece.start)
        head = min(-first % width, len(rows))
        tail = head + (len(rows) - head) // width * width
        cuts = [
            (begin, end, size)
            for begin, end, size in ((0, head, head), (head, tail, width), (tail, len(rows), len(rows) - tail))
            if begin < end
        ]
        counts = np.concatenate([np.full((end - begin) // size, size) for begin, end, size in cuts])
        clock = np.zeros(len(counts), CLOCK)
        for name in CLOCKS:
            clock[name] = rows[name][np.cumsum(counts) - 1]
        columns = {name: self._column(piece.segment, rows, name) for name in names}
        channels = {
            name: _joined([pool(column[begin:end], size) for begin, end, size in cuts])
            for name, column in columns.items()
        }
        return Pool(counts, clock, channels, {})

    def _nothing(self, name: str, count: int, level: int = 1) -> Pooled:
        shape = (count, *self._shape(name))
        unknown = np.full(shape, np.nan)
        return Pooled(unknown, unknown, unknown, np.full(shape, level))

    def _column(self, segment: SegmentReader, rows: Array, name: str) -> Array:
        layout = segment.layout
        if name not in CLOCKS and name not in layout.scalars and name not in layout.vectors:
            return np.full((len(rows), *self._shape(name)), np.nan)
        return self._fitted(layout.column(rows, name), name)

    def _fitted(self, found: Array, name: str, unknown: float = np.nan) -> Array:
        shape = self._shape(name)
        if found.shape[1:] == shape:
            return found
        # The number of latents changed within the stage: what is not there is unknown.
        fitted = np.full((len(found), *shape), unknown, found.dtype)
        common = min(shape[0], found.shape[1])
        fitted[:, :common] = found[:, :common]
        return fitted

    def _shape(self, name: str) -> tuple[int, ...]:
        listed = CHANNELS.get(name)
        vector = any(name in segment.layout.vectors for segment in self.segments)
        return (self.info.latents,) if vector or (listed is not None and listed.kind == "latent") else ()


class _BinReader:
    """Consecutive bins of one level of one segment; the scalars, which lie side by side, are read once."""

    def __init__(self, segment: SegmentReader, level: int, first: int, last: int) -> None:
        self.segment = segment
        self.level = level
        self.first = first
        self.last = last
        self._scalars: Array | None = None

    def clock(self) -> Array:
        return self.segment.bins(self.level, CLOCKS_PART, self.first, self.last)

    def scalar(self, name: str) -> Pooled:
        if self._scalars is None:
            self._scalars = self.segment.bins(self.level, SCALARS_PART, self.first, self.last)
        return Pooled(*self._scalars[:, :, self.segment.layout.scalars.index(name)].T)

    def latent(self, name: str, only_mean: bool) -> Pooled:
        # Of the mean, the count of what is not finite is wanted too: it is its weight.
        every = len(STATISTICS) - 1 if only_mean else 1
        found = self.segment.bins(self.level, latent_part(name), self.first, self.last, every)
        return Pooled(*(found[:, i] for i in ((0, 0, 0, 1) if only_mean else (0, 1, 2, 3))))


def _tiles(begin: int, end: int, binned: int, width: int) -> Iterator[tuple[int, int, int]]:
    """Cover rows begin up to end by bins as wide as fit, at most `width`: (rows a bin, first row, last row)."""
    middle = min(max(begin, binned), end)
    yield from _cover(begin, middle, [level for level in LEVELS[::-1] if level <= width])
    yield from _cover(middle, end, [])


def _cover(begin: int, end: int, levels: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    if not levels:
        if begin < end:
            yield 1, begin, end
        return
    level, *narrower = levels
    low, high = -(-begin // level) * level, end // level * level
    if low >= high:
        yield from _cover(begin, end, narrower)
        return
    yield from _cover(begin, low, narrower)
    yield level, low, high
    yield from _cover(high, end, narrower)


def joined_absent(parts: Sequence[Pool]) -> dict[str, Array]:
    """How many rows of the bins of several pools do not have a channel; of the channels that some lack."""
    names = dict.fromkeys(name for part in parts for name in part.absent)
    return {
        name: np.concatenate(
            [part.absent.get(name, np.zeros(part.channels[name].bad.shape, np.int64)) for part in parts]
        )
        for name in names
    }


def _joined(parts: Sequence[Pooled]) -> Pooled:
    if len(parts) == 1:
        return parts[0]
    return Pooled(*(np.concatenate(each) for each in zip(*parts, strict=True)))


def _pieces(segments: Sequence[SegmentReader]) -> tuple[Piece, ...]:
    counts: list[int] = []
    void_from = None  # the earliest step that some later segment begins at
    for segment in reversed(segments):
        counts.append(len(segment) if void_from is None else segment.rows_below(void_from))
        begins = segment.layout.first_step
        void_from = begins if void_from is None else min(void_from, begins)
    pieces, start = [], 0
    for segment, count in zip(segments, reversed(counts), strict=True):
        pieces.append(Piece(segment, start, count))
        start += count
    return tuple(pieces)
