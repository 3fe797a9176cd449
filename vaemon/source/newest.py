"""What there is to say of the newest rows of a stage: their values, raw and smoothed, and how fast they come."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy.typing as npt

from vaemon import latents
from vaemon.batch import Event, Latest
from vaemon.channels import CLOCKS
from vaemon.runfile.schema import LEVELS
from vaemon.runfile.series import StageRows
from vaemon.source.pauses import pause_in_bins, pause_in_rows

Array = npt.NDArray[Any]

NEWEST_WINDOWS = 5
"""Times the smoothing, in rows, behind the smoothed values; the weight of an older row is below 1 %."""
RATE_ROWS = 125
"""Rows over which the rate is measured."""


class Newest(NamedTuple):
    """What is said."""

    latest: Latest | None
    rate: float
    """Steps a second; 0 where it cannot be told."""
    pause: float
    """The longest time between two rows of late, seconds."""


NOTHING_NEW = Newest(None, 0.0, 0.0)
"""Where nothing was asked."""


class NewestRows:
    """Says it, and keeps it until there are other rows: of a run that is over, for good."""

    def __init__(self) -> None:
        self._told: tuple[object, Newest] | None = None
        self._bins: tuple[object, float] = (None, 0.0)  # which, and the longest pause in them

    def tell(self, rows: StageRows, count: int, written: int, smoothing: float, events: Sequence[Event]) -> Newest:
        """What to say.

        Args:
            rows: the stage's.
            count: how many of them there are to be.
            written: files of the run that were begun.
            smoothing: rows over which values are smoothed.
            events: the run's.
        """
        which = (rows.info, rows.channels, rows.given(count, written), smoothing)
        if self._told is None or self._told[0] != which:
            first = max(0, count - max(int(NEWEST_WINDOWS * smoothing), RATE_ROWS))
            block = rows.read(first, count, rows.channels)
            latest = _latest(block, rows.absent_at(count - 1), smoothing)
            resumed = [event.step for event in events if event.kind == "resume" and event.stage == rows.info.number]
            bins = (rows.info.number, written, count // LEVELS[0], resumed)
            if self._bins[0] != bins:
                self._bins = bins, pause_in_bins(rows, count, resumed)
            pause = max(pause_in_rows(block, resumed), self._bins[1])
            self._told = which, Newest(latest, _rate(block), pause)
        return self._told[1]


def _latest(block: Mapping[str, Array], absent: Collection[str], smoothing: float) -> Latest:
    """What there is to say of the newest rows; channels that the newest has not are no scalars of it."""
    numbers = {name: column for name, column in block.items() if column.ndim == 1 and name not in CLOCKS}
    return Latest(
        step=int(block["step"][-1]),
        epoch=int(block["epoch"][-1]),
        time=float(block["time"][-1]),
        scalars={name: float(column[-1]) for name, column in numbers.items() if name not in absent},
        smoothed={name: latents.smooth(column, smoothing) for name, column in block.items() if name not in CLOCKS},
    )


def _rate(block: Mapping[str, Array]) -> float:
    """Steps a second over the newest rows; 0 where fewer than two rows or no time passed."""
    steps, times = block["step"][-RATE_ROWS:], block["time"][-RATE_ROWS:]
    passed = float(times[-1] - times[0])
    return float(steps[-1] - steps[0]) / passed if passed > 0 else 0.0
