"""Whether a run's files are as they were written, looked at down to every checksum and every bin."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vaemon.errors import RunFileError
from vaemon.runfile import manifest
from vaemon.runfile.find import leftovers, list_segments, unreadable
from vaemon.runfile.images import ImageFolder
from vaemon.runfile.pyramid import PyramidBuilder
from vaemon.runfile.read import RunReader
from vaemon.runfile.segment import SegmentReader
from vaemon.runfile.series import StageRows
from vaemon.runfile.superblock import read_superblock

Array = npt.NDArray[Any]

STROKE = 8192
"""Rows looked at together."""


class Remedy(IntEnum):
    """What a repair would do about a finding; of several for one file the greatest is done."""

    NOTHING = 0
    """It is harmless, or the run is live and sees to it."""
    CLOSE = 1
    """Mark the file as closed, in place."""
    REBUILD = 2
    """Write what is good of it into a new file; the damaged one is kept."""
    SET_ASIDE = 3
    """Put it into the run's folder for what is damaged."""
    RENEW = 4
    """Write run.json anew."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about one file of a run."""

    file: Path
    text: str
    remedy: Remedy
    harmless: bool = False
    """Whether readers get all that was committed all the same."""


@dataclass(frozen=True, slots=True)
class Checked:
    """One file, and all there is to say of it."""

    file: Path
    rows: int
    commits: int
    findings: tuple[Finding, ...]


def check_run(folder: Path, *, live: bool) -> Iterator[Checked]:
    """Look at every file of a run; `live`: a writer has it, so what is unfinished is no fault.

    Raises:
        RunFileError: the folder cannot be looked into.
    """
    try:
        segments, unnamed = list_segments(folder), leftovers(folder)
    except OSError as error:
        raise unreadable(folder, error) from error
    yield Checked(folder / manifest.FILE, 0, 0, tuple(_check_manifest(folder)))
    for number, path in segments:
        yield check_segment(path, live=live and number == segments[-1][0])
    yield from _check_images(folder)
    if not live:
        for path in unnamed:
            yield Checked(path, 0, 0, (Finding(path, "a file that never got its name", Remedy.SET_ASIDE, True),))


def _check_manifest(folder: Path) -> Iterator[Finding]:
    try:
        manifest.read(folder)
    except RunFileError as error:
        yield Finding(folder / manifest.FILE, str(error), Remedy.RENEW)


def _check_images(folder: Path) -> Iterator[Checked]:
    images = ImageFolder(folder)
    try:
        there = images.list()
    except OSError as error:
        raise unreadable(images.folder, error) from error
    if there:
        yield Checked(images.folder, 0, 0, ())
    for path, why in sorted(images.refused.items()):
        yield Checked(path, 0, 0, (Finding(path, why, Remedy.SET_ASIDE),))


def check_segment(path: Path, *, live: bool) -> Checked:
    """Look at one segment."""
    findings: list[Finding] = []
    rows = commits = 0
    try:
        flags = read_superblock(path).flags
        if flags and not live:
            text = "its writer died before it closed it; it reads as it is, by others too once it is marked closed"
            findings.append(Finding(path, text, Remedy.CLOSE, harmless=True))
        segment = SegmentReader(path)
        try:
            rows, commits = len(segment), len(segment.commits())
            findings += _check_commits(segment)
            findings += _check_order(segment)
            findings += check_pyramid(segment) if not segment.damage else ()
            findings += _check_place(segment)
        finally:
            segment.close()
    except RunFileError as error:
        findings.append(Finding(path, str(error), Remedy.REBUILD if rows else Remedy.SET_ASIDE))
    return Checked(path, rows, commits, tuple(findings))


def _check_commits(segment: SegmentReader) -> Iterator[Finding]:
    if segment.damage:
        yield Finding(segment.path, "it is cut short", Remedy.REBUILD)
    for commit in segment.checked():
        if not commit.whole:
            yield Finding(segment.path, f"a commit record after row {commit.rows:,} is damaged", Remedy.REBUILD)
        if not commit.rows_good:
            text = f"rows {commit.first_row:,} to {commit.rows - 1:,} do not fit their checksum"
            yield Finding(segment.path, text, Remedy.REBUILD)
        if not commit.events_good:
            text = f"events {commit.first_event:,} to {commit.events - 1:,} do not fit their checksum"
            yield Finding(segment.path, text, Remedy.REBUILD)
    beyond = segment.uncommitted()
    if beyond and not segment.damage:
        text = f"{beyond:,} rows after the last commit record: a write was cut off; readers pass over them"
        yield Finding(segment.path, text, Remedy.NOTHING, harmless=True)


def _check_order(segment: SegmentReader) -> Iterator[Finding]:
    last = -1
    for begin in range(0, len(segment), STROKE):
        steps = np.append(last, segment.steps(begin, min(begin + STROKE, len(segment))))
        wrong = np.flatnonzero(np.diff(steps) <= 0)
        if len(wrong):
            row = begin + int(wrong[0])
            yield Finding(segment.path, f"the step of row {row:,} is not above that before it", Remedy.REBUILD)
            return
        last = int(steps[-1])


def check_pyramid(segment: SegmentReader) -> Iterator[Finding]:
    """Make the bins again from the rows, and compare them bit for bit."""
    builder = PyramidBuilder(segment.layout)
    made: dict[int, int] = {}
    for begin in range(0, len(segment), STROKE):
        for width, bins in builder.add(segment.rows(begin, min(begin + STROKE, len(segment)))).items():
            offset = -(-segment.layout.first_row // width) + made.get(width, 0)
            made[width] = made.get(width, 0) + len(bins)
            for name, values in bins.datasets():
                if not _same(values, segment.bins(width, name, offset, offset + len(bins))):
                    yield Finding(segment.path, f"bins of {width:,} rows do not fit their rows", Remedy.REBUILD)
                    return


def _check_place(segment: SegmentReader) -> Iterator[Finding]:
    before = rows_before(segment.path)
    if len(segment) and before != segment.layout.first_row:
        text = f"{before:,} rows stand before it where there were {segment.layout.first_row:,}: its bins are of no use"
        yield Finding(segment.path, text, Remedy.REBUILD, harmless=True)


def rows_before(path: Path) -> int:
    """How many rows of its stage stand before the first of a segment; what cannot be read is not counted."""
    with RunReader(path.parent) as run:
        for number in (info.number for info in run.stages):
            rows = run.stage(number)
            for piece in rows.pieces if rows is not None else ():
                if piece.segment.path == path:
                    # A segment that goes further back than this one makes no difference to its place.
                    earlier = [each for each in rows.segments if each.number < piece.segment.number] if rows else []
                    return len(StageRows([*earlier, piece.segment])) - len(piece.segment)
    return 0


def _same(a: Array, b: Array) -> bool:
    # NaN and all, and faster than comparing field by field.
    return a.shape == b.shape and a.tobytes() == b.tobytes()
