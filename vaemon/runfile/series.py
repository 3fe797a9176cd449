"""The segments of one stage as one continuous series of rows."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from vaemon.batch import StageInfo
from vaemon.channels import CHANNELS, CLOCKS
from vaemon.runfile.segment import SegmentReader

Array = npt.NDArray[Any]

BLOCK_BYTES = 16 * 1024 * 1024
"""How much is read at a stroke."""


class Piece(NamedTuple):
    """The part of a segment that still counts, and where its rows stand in the stage."""

    segment: SegmentReader
    start: int
    length: int


class StageRows:
    """The rows of a stage, numbered from 0; those that a resumed run replaced are left out."""

    def __init__(self, segments: Sequence[SegmentReader]) -> None:
        """Lay the segments of ONE stage end to end, in the order they were written; each has rows."""
        self.segments = tuple(segments)
        self.pieces = _pieces(self.segments)

    @property
    def info(self) -> StageInfo:
        """What the stage was set up to be, as the newest segment has it."""
        return self.segments[-1].layout.stage

    def __len__(self) -> int:
        last = self.pieces[-1]
        return last.start + last.length

    def kept(self, newer: Collection[SegmentReader]) -> int:
        """Rows that stand in other segments than `newer`."""
        return sum(piece.length for piece in self.pieces if piece.segment not in newer)

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
        for piece in self.pieces:
            begin, end = max(first, piece.start), min(last, piece.start + piece.length)
            if begin < end:
                rows = piece.segment.rows(begin - piece.start, end - piece.start)
                parts.append({name: self._column(rows, name) for name in names})
        if not parts:
            return {name: np.zeros((0, *self._shape(name))) for name in names}
        return {name: np.concatenate([part[name] for part in parts]) for name in names}

    def blocks(self, first: int, last: int, multiple: int = 1) -> Iterator[tuple[int, int]]:
        """Ranges that cover first up to last, of a size that is read at a stroke, cut at multiples of `multiple`."""
        size = max(1, BLOCK_BYTES // max(segment.layout.row.itemsize for segment in self.segments))
        size = max(multiple, size // multiple * multiple)
        for begin in range(first, last, size):
            yield begin, min(begin + size, last)

    def row_of(self, step: int) -> int:
        """How many rows have a step below `step`."""
        for piece in reversed(self.pieces):
            if piece.length and int(piece.segment.steps(0, 1)[0]) <= step:
                return piece.start + min(piece.segment.row_of(step), piece.length)
        return 0

    def _column(self, rows: Array, name: str) -> Array:
        shape = self._shape(name)
        if name not in (rows.dtype.names or ()):
            return np.full((len(rows), *shape), np.nan)
        found = np.asarray(rows[name])
        if found.shape[1:] == shape:
            return found
        # The number of latents changed within the stage: what is not there is unknown.
        fitted = np.full((len(rows), *shape), np.nan, found.dtype)
        common = min(shape[0], found.shape[1])
        fitted[:, :common] = found[:, :common]
        return fitted

    def _shape(self, name: str) -> tuple[int, ...]:
        listed = CHANNELS.get(name)
        vector = any(name in segment.layout.vectors for segment in self.segments)
        return (self.info.latents,) if vector or (listed is not None and listed.kind == "latent") else ()


def _pieces(segments: Sequence[SegmentReader]) -> tuple[Piece, ...]:
    counts: list[int] = []
    void_from = None  # the earliest step that some later segment begins at
    for segment in reversed(segments):
        counts.append(len(segment) if void_from is None else segment.row_of(void_from))
        begins = segment.layout.first_step
        void_from = begins if void_from is None else min(void_from, begins)
    pieces, start = [], 0
    for segment, count in zip(segments, reversed(counts), strict=True):
        pieces.append(Piece(segment, start, count))
        start += count
    return tuple(pieces)
