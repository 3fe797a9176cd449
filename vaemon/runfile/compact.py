"""A run that is over, in less room: the segments of each stage in one file, compressed."""

from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from vaemon.errors import NewerFormat, RunFileError
from vaemon.runfile import manifest
from vaemon.runfile.check import check_segment
from vaemon.runfile.find import list_segments
from vaemon.runfile.merge import merge
from vaemon.runfile.read import RunReader
from vaemon.runfile.segment import SegmentReader

COMPRESSION = {"compression": "gzip", "compression_opts": 1, "shuffle": True}
"""What every HDF5 can read. More effort gains nothing: the last digits of measured numbers are noise."""


@dataclass(frozen=True, slots=True)
class Compacted:
    """What was gained."""

    files_before: int
    files: int
    bytes_before: int
    bytes: int


def compact_run(folder: Path) -> Compacted:
    """Rewrite the segments of a run that nobody writes; each new file is compared with the old ones first.

    Raises:
        RunFileError: a segment does not pass its check, or what was written differs; nothing was replaced then.
        OSError, RuntimeError: there is no room.
    """
    _refuse_newer(folder)
    _refuse_damaged(folder)
    files, size = _extent(folder)
    with RunReader(folder) as run:
        groups = [list(group) for _, group in groupby(run.segments, key=_likeness)]
        for group in groups:
            if len(group) > 1 or not group[0].compressed:
                merge(group, COMPRESSION)
        void = {number for group in groups for segment in group for number in segment.layout.replaces}
    for number, path in list_segments(folder):
        if number in void:
            path.unlink()
    return Compacted(files, _extent(folder)[0], size, _extent(folder)[1])


def _refuse_newer(folder: Path) -> None:
    try:
        manifest.read(folder)
    except NewerFormat:
        raise
    except RunFileError:  # it is not touched, and segments can be read without it
        pass


def _refuse_damaged(folder: Path) -> None:
    # A new file has checksums of its own: what is wrong today would be right from then on, and what readers pass over
    # would be gone.
    for _, path in list_segments(folder):
        for finding in check_segment(path, live=False).findings:
            if not finding.harmless:
                hint = f"; `vaemon check {folder.name} --repair` mends what can be mended" if finding.remedy else ""
                raise RunFileError(
                    f"{folder} was not compacted, nothing was replaced: {path.name}: {finding.text}{hint}"
                )


def _likeness(segment: SegmentReader) -> tuple[int, int]:
    return segment.layout.stage.number, segment.layout.stage.latents


def _extent(folder: Path) -> tuple[int, int]:
    paths = [path for _, path in list_segments(folder)]
    return len(paths), sum(path.stat().st_size for path in paths)
