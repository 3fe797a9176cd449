"""Which rows, and which channels, of a run are meant."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

from vaemon.batch import Cursor, Excerpt, RunInfo, StageInfo, Want
from vaemon.channels import CLOCKS, OF_LATENTS
from vaemon.errors import UnknownName, UsageError
from vaemon.source.protocol import Source

MOST = 1 << 16
"""Channels of one kind."""


class Selected(NamedTuple):
    """Rows of a stage and some of its channels."""

    info: RunInfo
    stage: int
    first: int
    """The first row."""
    last: int
    """The row after the last one."""
    steps: tuple[int, int]
    """Those of the first and of the last row."""
    channels: tuple[str, ...]
    """"time" and "epoch" among them where they are meant; the step always is."""

    @property
    def as_begun(self) -> StageInfo:
        """What the stage was set up to be."""
        return next(each for each in self.info.stages if each.number == self.stage)


def select(
    source: Source,
    *,
    stage: int | None = None,
    channels: Sequence[str] = (),
    first: int | None = None,
    last: int | None = None,
) -> Selected:
    """What is meant of a run, as far as it has been recorded.

    Args:
        source: the run's.
        stage: its number; None: the newest.
        channels: by name; none: all.
        first: the first step; None: the first there is.
        last: the last step, included; None: the last there is.

    Raises:
        UnknownName: the run has no such stage or channel.
        UsageError: there are no rows, or none in that range.
        SourceLost: the place does not answer.
    """
    batch = source.poll(Cursor(), Want((), stage=stage, columns=0))
    numbers = [each.number for each in batch.info.stages]
    if stage is not None and stage not in numbers:
        raise UnknownName("stage", str(stage), map(str, numbers))
    if not batch.rows:
        raise UsageError(f"run {batch.info.name!r} has no rows yet ({batch.info.state}); ask once it has")
    begin = row_at(source, batch.stage, batch.rows, first) if first is not None else 0
    end = row_at(source, batch.stage, batch.rows, last + 1) if last is not None else batch.rows
    if begin >= end:
        raise UsageError(f"stage {batch.stage} of run {batch.info.name!r} has no rows in those steps")
    steps = (_step(source, batch.stage, begin), _step(source, batch.stage, end - 1))
    return Selected(batch.info, batch.stage, begin, end, steps, _meant(source, batch.stage, batch.rows, channels))


def _step(source: Source, stage: int, row: int) -> int:
    return int(source.excerpt(Excerpt(stage, row, row + 1, (), columns=1)).step[0])


def _meant(source: Source, stage: int, rows: int, channels: Sequence[str]) -> tuple[str, ...]:
    there = source.excerpt(Excerpt(stage, 0, rows, OF_LATENTS, columns=2, scalars=MOST, latents=MOST, late=True)).mean
    scalars, latents = ([name for name, each in there.items() if each.ndim == dims] for dims in (1, 2))
    known = ["time", "epoch", *scalars, *latents]
    for name in channels:
        if name not in known and name not in CLOCKS:
            raise UnknownName("channel", name, known)
    return tuple(dict.fromkeys(name for name in channels if name != "step")) if channels else tuple(known)


def row_at(source: Source, stage: int, rows: int, step: int) -> int:
    """The first row of a stage of that step or a later one; `rows` where there is none."""
    return bisect_left(range(rows), step, key=lambda row: _step(source, stage, row))
