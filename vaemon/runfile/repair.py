"""Mending what `check` found. Nothing that was recorded is ever destroyed: a file that is replaced is kept aside."""

import os
import shutil
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vaemon.errors import RunFileError
from vaemon.runfile import manifest
from vaemon.runfile.append import SegmentWriter
from vaemon.runfile.check import Checked, Remedy, check_run, check_segment, rows_before
from vaemon.runfile.commits import Commit
from vaemon.runfile.find import list_segments
from vaemon.runfile.segment import SegmentReader
from vaemon.runfile.strangers import open_new
from vaemon.runfile.superblock import renew_superblock

Array = npt.NDArray[Any]

PASSES = 3
"""Where rows had to be left out of a file, those of later files have other numbers, and their bins are made again."""
ASIDE = "damaged"
"""The folder, in that of the run, for files that were replaced or cannot be read."""


def repair_run(folder: Path) -> Iterator[str]:
    """Mend a run that nobody writes; tells what was done, file by file.

    Raises:
        OSError, RunFileError: a file cannot be written.
    """
    for _ in range(PASSES):
        found = [checked for checked in check_run(folder, live=False) if _remedy(checked) is not Remedy.NOTHING]
        if not found:
            return
        for checked in found:
            yield from _REMEDIES[_remedy(checked)](checked)


def _remedy(checked: Checked) -> Remedy:
    return max((finding.remedy for finding in checked.findings), default=Remedy.NOTHING)


def _close(checked: Checked) -> Iterator[str]:
    renew_superblock(checked.file)
    yield f"{checked.file.name}: marked closed; nothing else was touched"


def _rebuild(checked: Checked) -> Iterator[str]:
    path = checked.file
    segment = SegmentReader(path)
    try:
        kept = _keep_aside(path)
        layout = replace(segment.layout, first_row=rows_before(path), lacking=_lacking(segment))
        writer = SegmentWriter(path, layout, live=False)
        try:
            lost = sum(_copy_good(segment, writer))
            writer.close()
        except BaseException:
            writer.abandon()
            raise
    finally:
        segment.close()
    rows = f"{lost:,} rows that fail their checksum were left out" if lost else "all rows are there"
    yield f"{path.name}: written anew, {rows}; the damaged file is kept as {kept.relative_to(path.parent)}"


def _copy_good(segment: SegmentReader, writer: SegmentWriter) -> Iterator[int]:
    """Copy what fits its checksums; the number of rows left out, commit by commit."""
    for commit, rows, good in _good(segment):
        writer.append(rows[good])
        if commit.events_good:
            writer.append_events(segment.event_table()[commit.first_event : commit.events])
        writer.flush()
        yield commit.rows - commit.first_row - int(good.sum())


def _good(segment: SegmentReader) -> Iterator[tuple[Commit, Array, Array]]:
    """Each whole commit, its rows (none where they fail their checksum), and which of these are to be kept."""
    last = -1
    for commit in segment.checked():
        if commit.whole:
            rows = segment.rows(commit.first_row, commit.rows if commit.rows_good else commit.first_row)
            yield commit, rows, rows["step"] > np.maximum.accumulate(np.append(last, rows["step"]))[:-1]
            last = max(last, int(rows["step"].max(initial=-1)))


def _lacking(segment: SegmentReader) -> tuple[tuple[str, int, int], ...]:
    """Which rows lack a channel, as they will be numbered."""
    lacking = segment.layout.lacking
    if not lacking:
        return ()
    kept = np.zeros(max(last for _, _, last in lacking), bool)
    for commit, rows, good in _good(segment):
        kept[commit.first_row : commit.first_row + len(rows)] = good[: max(len(kept) - commit.first_row, 0)]
    before = np.append(0, np.cumsum(kept))
    return tuple((name, int(before[first]), int(before[last])) for name, first, last in lacking)


def _set_aside(checked: Checked) -> Iterator[str]:
    path = checked.file
    if not path.exists():  # left half made, and made anew under that name since
        return
    kept = _keep_aside(path)
    if path.suffix == ".h5" and not path.name.startswith("."):
        # It may be but the first bytes that are damaged: those can be made again.
        trial = path.with_name(f".{path.name}.{os.getpid()}")
        with kept.open("rb") as damaged, open_new(trial) as file:
            shutil.copyfileobj(damaged, file)
        if _is_readable_when_renewed(trial):
            os.replace(trial, path)
            yield f"{path.name}: its first bytes were made anew; the damaged file is kept as {ASIDE}/{kept.name}"
            again = check_segment(path, live=False)
            if any(finding.remedy is Remedy.REBUILD for finding in again.findings):
                yield from _rebuild(again)
            return
        trial.unlink()
    path.unlink()
    yield f"{path.name}: cannot be read, put aside as {ASIDE}/{kept.name}"


def _is_readable_when_renewed(path: Path) -> bool:
    try:
        if path.stat().st_size < 1024:
            return False
        renew_superblock(path)
        segment = SegmentReader(path)
        segment.close()
    except (RunFileError, OSError):
        return False
    return True


def _renew_manifest(checked: Checked) -> Iterator[str]:
    folder = checked.file.parent
    kept = f"; the damaged file is kept as {ASIDE}/{_keep_aside(checked.file).name}" if checked.file.exists() else ""
    born = min(_first_times(folder), default=time.time())
    reason = "run.json was lost; its config is not known"
    manifest.write(folder, manifest.Manifest(folder.name, born, outcome="stopped", reason=reason, ended=time.time()))
    yield f"{checked.file.name}: written anew, without the config{kept}"


def _first_times(folder: Path) -> Iterator[float]:
    for _, path in list_segments(folder):
        try:
            segment = SegmentReader(path)
        except RunFileError:
            continue
        if len(segment):
            yield float(segment.rows(0, 1)["time"][0])
        segment.close()


def _keep_aside(path: Path) -> Path:
    """A second name for a file, in the folder for what is damaged."""
    folder = path.parent / ASIDE
    if folder.is_symlink():
        raise RunFileError(f"{folder} is a link, which is not followed; remove it, and repair again")
    folder.mkdir(exist_ok=True)
    place = next(_free_names(folder / path.name.lstrip(".")))
    try:
        os.link(path, place)
    except OSError:
        shutil.copy2(path, place)
    return place


def _free_names(path: Path) -> Iterator[Path]:
    candidates: Iterable[Path] = (path.with_name(f"{path.name}{suffix}") for suffix in _suffixes())
    return (each for each in candidates if not each.exists())


def _suffixes() -> Iterator[str]:
    yield ""
    number = 2
    while True:
        yield f".{number}"
        number += 1


_REMEDIES = {
    Remedy.CLOSE: _close,
    Remedy.REBUILD: _rebuild,
    Remedy.SET_ASIDE: _set_aside,
    Remedy.RENEW: _renew_manifest,
}
