"""Several segments put together into one that reads the same.

The new file takes the place of the last of them, at one stroke, and names the others, which readers then pass over
whether they are still there or not; so nothing is lost or read twice, wherever this is cut off.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vaemon.errors import RunFileError
from vaemon.runfile.append import SegmentWriter
from vaemon.runfile.check import check_segment
from vaemon.runfile.find import list_segments
from vaemon.runfile.schema import Layout, blank
from vaemon.runfile.segment import SegmentReader
from vaemon.runfile.series import StageRows
from vaemon.runfile.standing import replaces

Array = npt.NDArray[Any]

FEWEST = 8
"""So many small segments are put together."""
LARGEST = 64 * 1024 * 1024
"""Bytes of a segment that is left alone from then on."""
STROKE = 8192
"""Rows copied between two commit records."""


def merge_small(folder: Path) -> None:
    """Put the newest segments of a run together where they have become many, so that files stay few.

    Each row is copied some log(rows) times in all. To be called by the writer, between two segments.
    """
    newest: list[tuple[int, Path]] = []
    total = 0
    for number, path in reversed(list_segments(folder)):
        size = path.stat().st_size
        if newest and (size > 4 * total or total + size > LARGEST):
            break
        newest.insert(0, (number, path))
        total += size
    if len(newest) < FEWEST:
        return
    segments = [SegmentReader(path, number) for number, path in newest]
    try:
        alike = _alike(segments)
        if len(alike) >= FEWEST:
            merge(alike)
    finally:
        for segment in segments:
            segment.close()


def _alike(segments: Sequence[SegmentReader]) -> list[SegmentReader]:
    """The newest that may become one; those without rows go with any."""
    found: list[SegmentReader] = []
    for segment in reversed(segments):
        kinds = {(each.layout.stage.number, each.layout.stage.latents) for each in with_rows([segment, *found])}
        if len(kinds) > 1 or not _is_good(segment):
            break
        found.insert(0, segment)
    return found if with_rows(found) else []


def _is_good(segment: SegmentReader) -> bool:
    # What fails its checksum is left where it is: in a new file it would have one that fits.
    return all(each.whole and each.rows_good and each.events_good for each in segment.checked())


def merge(segments: Sequence[SegmentReader], compression: dict[str, Any] | None = None) -> Path:
    """Put consecutive segments of one stage, with equally many latents, together; the others are removed.

    Args:
        segments: at least one with rows; of those without, the events are kept.
        compression: of the new file, as SegmentWriter takes it.

    Returns:
        The file that holds them all.
    """
    writer = SegmentWriter(segments[-1].path, merged_layout(segments), live=False, compression=compression)
    try:
        copy(segments, writer)
        writer.finish()
        verify(segments, writer.temporary)
        writer.publish()
    except BaseException:
        writer.abandon()
        raise
    for segment in segments[:-1]:
        segment.path.unlink(missing_ok=True)
    return writer.path


def verify(segments: Sequence[SegmentReader], path: Path) -> None:
    """Compare a new file with those that it was made from, bit for bit. Raises RunFileError where it differs."""
    found = SegmentReader(path)
    try:
        rows = StageRows(with_rows(segments))
        wrong = [each.text for each in check_segment(path, live=False).findings if not each.harmless]
        for begin in range(0, len(rows), STROKE):
            end = min(begin + STROKE, len(rows))
            have, made = _table(rows, found.layout, begin, end), found.rows(begin, end)
            if have.tobytes() != made.tobytes():
                wrong.append(f"rows {begin:,} to {end:,} differ")
        if wrong or len(rows) != len(found) or _events(segments).tobytes() != found.event_table().tobytes():
            said = "; ".join(wrong) or "rows or events are missing"
            raise RunFileError(f"{path} is not what was to be written ({said}); the run was left as it is")
    finally:
        found.close()


def merged_layout(segments: Sequence[SegmentReader]) -> Layout:
    """The layout of a segment that takes the place of several."""
    layouts = [segment.layout for segment in with_rows(segments)]
    replaced = {number for segment in segments for number in segment.layout.replaces}
    replaced |= {segment.number for segment in segments[:-1]}
    return replace(
        layouts[-1],
        first_step=min(layout.first_step for layout in layouts),
        first_row=min(layout.first_row for layout in layouts),
        scalars=tuple(dict.fromkeys(name for layout in layouts for name in layout.scalars)),
        vectors=tuple(dict.fromkeys(name for layout in layouts for name in layout.vectors)),
        replaces=tuple(sorted(replaced)),
        lacking=_lacking(segments),
    )


def _lacking(segments: Sequence[SegmentReader]) -> tuple[tuple[str, int, int], ...]:
    """What rows of several segments, laid end to end, do not have, as a layout tells it."""
    rows = StageRows(with_rows(segments))
    found: list[tuple[str, int, int]] = []
    for name in rows.channels:
        for piece in rows.pieces:
            for first, last in piece.segment.layout.lacks(name):
                begin, end = piece.start + min(first, piece.length), piece.start + min(last, piece.length)
                if found and found[-1][0] == name and found[-1][2] == begin:
                    begin = found.pop()[1]
                if begin < end:
                    found.append((name, begin, end))
    return tuple(found)


def with_rows(segments: Sequence[SegmentReader]) -> list[SegmentReader]:
    """Those that have any: one that has but events, or whose writer died before its first row, makes nothing void."""
    return [segment for segment in segments if len(segment)]


def copy(segments: Sequence[SegmentReader], writer: SegmentWriter) -> None:
    """Append all rows and events of the segments that count to another."""
    rows = StageRows(with_rows(segments))
    for begin in range(0, len(rows), STROKE):
        writer.append(_table(rows, writer.layout, begin, min(begin + STROKE, len(rows))))
        writer.flush()
    writer.append_events(_events(segments))
    writer.flush()


def _table(rows: StageRows, layout: Layout, begin: int, end: int) -> Array:
    names = ("step", "time", "epoch", *layout.scalars, *layout.vectors)
    columns = rows.read(begin, end, names)
    table = blank(layout, end - begin)
    for name in names:
        layout.column(table, name)[:] = columns[name]
    return table


def _events(segments: Sequence[SegmentReader]) -> Array:
    parts = []
    for i, segment in enumerate(segments):
        later = [each.layout for each in with_rows(segments[i + 1 :])]
        table = segment.event_table()
        kept = [not any(replaces(layout, int(e["stage"]), int(e["step"])) for layout in later) for e in table]
        parts.append(table[np.array(kept, bool)])
    return np.concatenate(parts)
