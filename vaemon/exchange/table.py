"""Every recorded row of some channels, block by block: what a CSV file is made from."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from vaemon.batch import Array, Columns, Excerpt, Series, StageInfo, Window
from vaemon.channels import CLOCKS, channel
from vaemon.decimate import pool_between
from vaemon.errors import VaemonError

AT_ONCE = 8192
"""Rows asked for at a time, at most."""
PROBE = 64
"""Rows asked for at first, to learn how many numbers a row has."""
MOST_NUMBERS = 4_000_000
"""Numbers asked for at a time, at most: a far end sends no answer of more than 64 MiB."""


class Excerpts(Protocol):
    """What of a source is needed here."""

    def excerpt(self, asked: Excerpt) -> Columns:
        """A range of rows of a stage."""
        ...

    def series(self, channel: str, window: Window, points: int) -> Series:
        """One channel over a window."""
        ...


def blocks(
    source: Excerpts,
    stage: int,
    rows: int,
    channels: Sequence[str],
    *,
    latent: int | None = None,
    begin: int = 0,
    at_once: int = AT_ONCE,
) -> Iterator[dict[str, Array]]:
    """The rows of a stage, "step" and the channels of each block of them.

    Args:
        source: asked once a block, in the thread that takes the blocks.
        stage: its number.
        rows: up to which of its rows; a stage that grows may have more by the end.
        channels: by name, "time" and "epoch" may be among them; those that the run lacks are left out.
        latent: only this one of each latent channel, as a scalar "mean_variance[17]"; None: all.
        begin: the first row.
        at_once: rows a block.

    Raises:
        SourceLost: the place does not answer now.
        VaemonError: a resumed run has replaced rows meanwhile.
    """
    for found in excerpts(source, stage, rows, channels, begin=begin, at_once=at_once):
        yield {"step": found.step} | dict(_only(*each, latent) for each in stored(found, channels).items())


def excerpts(
    source: Excerpts, stage: int, rows: int, channels: Sequence[str], *, begin: int = 0, at_once: int = AT_ONCE
) -> Iterator[Columns]:
    """The rows of a stage as a source tells them: columns of one row each, those without a channel told apart.

    Arguments and errors as of `blocks`.
    """
    reached, last, size = -1, begin, min(at_once, PROBE)
    while (first := last) < rows:
        last = min(first + size, rows)
        found = source.excerpt(Excerpt(stage, first, last, tuple(channels), columns=last - first, late=True))
        if len(found) != last - first or found.step[0] <= reached:
            raise _replaced(stage)
        reached = int(found.step[-1])
        size = max(min(at_once, MOST_NUMBERS * len(found) // _numbers(found)), 1)
        yield _exact(source, stage, found)


def _exact(source: Excerpts, stage: int, found: Columns) -> Columns:
    """Rows with what their columns do not tell: those are means of what is finite in the rows.

    Infinite values, that is, and those of a scalar from before it had a place in the rows.
    """
    mean = dict(found.mean)
    window = Window(stage, int(found.step[0]), int(found.step[-1]))
    for name, values in found.mean.items():
        if np.isnan(values).any():
            series = source.series(name, window, len(found))
            if np.array_equal(series.step, found.step):
                mean[name] = series.mean
            elif values.ndim == 1 and np.array_equal(
                series.step, found.step[found.absent.get(name, 0 * found.step) == 0]
            ):
                # A scalar that is in no row has steps of its own.
                mean[name] = values.astype(np.float64)
                mean[name][np.isin(found.step, series.step)] = series.mean
            else:
                raise _replaced(stage)
    return replace(found, mean=mean)


def _replaced(stage: int | None) -> VaemonError:
    return VaemonError(f"rows of stage {stage} were replaced while they were read; try again")


def stored(found: Columns, channels: Sequence[str]) -> dict[str, Array]:
    """Those of the channels that there are, "time" and "epoch" among them, as precise as they were recorded."""
    clocks = {"time": found.time, "epoch": found.epoch}
    known = ((name, clocks.get(name, found.mean.get(name))) for name in channels)
    return {name: _stored(name, each) for name, each in known if each is not None}


def pooled(
    source: Excerpts, stage: StageInfo, first: int, last: int, channels: Sequence[str], points: int
) -> dict[str, Array]:
    """A range of steps in at most so many points.

    Args:
        source: asked once a channel, or, of channels of many latents, once for so many points as are sent at once.
        stage: which.
        first: the first step.
        last: the last step, included.
        channels: by name, "time" and "epoch" may be among them.
        points: how many, at most.

    Returns:
        "step", the last that each point stands for, and the channels: the mean of each, with "NAME.low" and
        "NAME.high"; of time and epoch, the last.

    Raises:
        SourceLost: the place does not answer now.
        VaemonError: a resumed run has replaced rows meanwhile.
    """
    step = source.series("time", Window(stage.number, first, last), points).step
    size = max(MOST_NUMBERS // (3 * max(stage.latents, 1)), 1)
    ends = [step[begin : begin + size] for begin in range(0, len(step), size)]
    firsts = [first, *(int(each[-1]) + 1 for each in ends[:-1])]
    table: dict[str, Array] = {"step": step}
    for name in channels:
        pieces = [
            _piece(source, name, Window(stage.number, begin, int(each[-1])), each)
            for begin, each in zip(firsts, ends, strict=True)
        ]
        mean, low, high = (np.concatenate(each) for each in zip(*pieces, strict=True))
        table[name] = mean
        if name not in CLOCKS:
            table |= {f"{name}.low": low, f"{name}.high": high}
    return table


def _piece(source: Excerpts, name: str, window: Window, ends: Array) -> tuple[Array, Array, Array]:
    """Mean, low and high of a channel at the points that end at those steps."""
    found = source.series(name, window, len(ends))
    if np.array_equal(found.step, ends):
        return found.mean, found.low, found.high
    if not found.exact or found.mean.ndim > 1:
        raise _replaced(window.stage)
    seldom, _ = pool_between(found.mean, found.step, ends)  # a scalar that is in no row has steps of its own
    return seldom.mean, seldom.low, seldom.high


def _numbers(columns: Columns) -> int:
    """How many there are in all."""
    channels = (columns.mean, columns.low, columns.high, columns.bad, columns.absent)
    return 3 * len(columns) + sum(each.size for part in channels for each in part.values())


def _only(name: str, values: Array, latent: int | None) -> tuple[str, Array]:
    return (name, values) if latent is None or values.ndim == 1 else (f"{name}[{latent}]", values[:, latent])


def _stored(name: str, values: Array) -> Array:
    # As precise as it was recorded, no more: 0.1 is not 0.10000000149.
    with np.errstate(over="ignore"):  # what float32 cannot hold is infinite, as where it is recorded
        return values.astype(channel(name, "scalar" if values.ndim == 1 else "latent").dtype)
