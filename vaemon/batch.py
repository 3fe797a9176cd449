"""What flows from a source to a screen or an analysis: values only, frozen, owned by the receiver.

Knows nothing of files, wires or screens. The classes with arrays compare by identity (`eq=False`), for
comparing arrays by `==` has no single truth.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from vaemon.runstate import RunState
from vaemon.thresholds import DEFAULT, Thresholds

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class StageInfo:
    """What one stage of a run was set up to be."""

    number: int
    """1: the images' VAE. 2: the second-stage VAE, on the latents of the first."""
    latents: int
    total_steps: int | None = None
    """Steps planned, for the ETA; None where nobody knows."""
    steps_per_epoch: int | None = None


@dataclass(frozen=True, eq=False, slots=True)
class RunInfo:
    """Who a run is, and how it fares."""

    name: str
    address: str
    """What reaches it again: a path, or host:path."""
    state: RunState
    reason: str = ""
    """Why it ended, in words; empty while it goes on or where it ended as planned."""
    created: float = 0.0
    """Seconds since 1970; 0 where nothing has been recorded yet."""
    host: str = ""
    pid: int = 0
    config: Mapping[str, Any] = field(default_factory=dict)
    stages: tuple[StageInfo, ...] = ()
    thresholds: Thresholds = DEFAULT
    """Those in force: by which its events were found, and its latents are to be judged."""
    place: str = ""
    """The machine it is asked of, as that was addressed; empty: this one."""

    @property
    def title(self) -> str:
        """The name, with the machine's before it where that is another: "gpu1:run42"; empty before it has one."""
        return f"{self.place}:{self.name}" if self.place and self.name else self.name

    def stage(self, number: int) -> StageInfo | None:
        """The stage of that number, or None where it has not begun."""
        return next((each for each in self.stages if each.number == number), None)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened at a step."""

    step: int
    time: float
    stage: int
    kind: str
    """Found in the rows: "wake", "sleep", "collapse", "ignored", "restored" (`vaemon.findings`). Told: "stage",
    "checkpoint", "evaluation", "resume", "stop", "nan", "drop", "error", "recovered", "note"."""
    latent: int = -1
    """The latent it happened to, counted from 0; -1 where it concerns none."""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Want:
    """What a screen asks a source for."""

    channels: tuple[str, ...]
    """Channels wanted as columns; those that the run lacks are left out of the answer."""
    stage: int | None = None
    """None: the newest stage."""
    columns: int = 512
    """At most so many columns over the whole stage."""
    seconds: float = 0.5
    """Stop reading after so long, and go on at the next poll."""
    end: int | None = None
    """Answer as if the stage had only so many rows, at least 1; None: all there are. What a replay asks for."""
    scalars: int = 0
    """So many further scalar channels, too, at most: those that a training has of its own."""
    newest: bool = True
    """Whether the newest row is to be told of, its rate and pauses. Without it and without columns, no row is read."""
    coarse: bool = False
    """Whether numbers may be rounded to what a screen can show, where they have far to go (`wire.coarse`)."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A question for a range of rows of a stage, to be seen more closely than the whole of it."""

    stage: int
    first: int
    last: int
    """The row after the last one wanted."""
    channels: tuple[str, ...]
    """Those that the run lacks are left out of the answer."""
    columns: int = 512
    """At most so many; where the rows are no more than that, each has a column of its own."""
    width: int = 0
    """Rows a column, a power of two, whatever their number; 0: by `columns`."""
    latent: int | None = None
    """Only this one of each latent channel, as a scalar with low and high; None: the means of all."""
    scalars: int = 0
    """So many further scalar channels, too, at most."""
    latents: int = 0
    """So many further latent channels, too, at most."""
    coarse: bool = False
    """As of `Want`."""
    late: bool = False
    """Whether scalars that are in no row, for they come up too seldom, are among the channels, too: it takes a look at
    all events."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a reader has come; the start is `Cursor()`. Only a source makes others."""

    stage: int = 0
    segments: int = 0
    """Files of the run that were begun; more of them later means that rows may have been replaced."""
    rows: int = 0
    """Rows of the stage that stand in columns already delivered."""
    width: int = 1
    """Rows a column."""
    events: int = 0
    step: int = 0
    time: float = 0.0
    """Of the last of those rows: one that replaces it has others."""


@dataclass(frozen=True, eq=False, slots=True)
class Columns:
    """Consecutive finished columns of a growing time axis.

    Column j of width w stands for rows j*w up to (j+1)*w of its stage; w is a power of two, so that
    neighbours merge exactly when the axis grows.
    """

    first: int = 0
    """Index of the first column here."""
    width: int = 1
    step: Array = field(default_factory=lambda: np.zeros(0, np.int64))
    """Last step in each column, shape (n,)."""
    time: Array = field(default_factory=lambda: np.zeros(0, np.float64))
    """Wall time of the last row in each column, shape (n,)."""
    epoch: Array = field(default_factory=lambda: np.zeros(0, np.int32))
    mean: Mapping[str, Array] = field(default_factory=dict)
    """Mean of the finite values, (n,) for a scalar, (n, k) for a latent channel; NaN where none is finite."""
    low: Mapping[str, Array] = field(default_factory=dict)
    """Smallest finite value, scalars only."""
    high: Mapping[str, Array] = field(default_factory=dict)
    bad: Mapping[str, Array] = field(default_factory=dict)
    """How many values were NaN or infinite, scalars only."""
    absent: Mapping[str, Array] = field(default_factory=dict)
    """How many rows do not have the channel, for it came later, say: no values, and not bad ones. (n,) or (n, k); only
    channels that some row lacks."""

    def __len__(self) -> int:
        return len(self.step)

    def place(self, row: int) -> int:
        """The index here of the column that a row of the stage stands in, or of the nearest one; there must be one."""
        return min(max(row // self.width - self.first, 0), len(self) - 1)

    def cut(self, first: int, last: int) -> "Columns":
        """Those columns that hold any of the rows `first` up to `last` (excluded)."""
        here = slice(max(first // self.width - self.first, 0), max(-(-last // self.width) - self.first, 0))
        return Columns(
            first=self.first + min(here.start, len(self)),
            width=self.width,
            step=self.step[here],
            time=self.time[here],
            epoch=self.epoch[here],
            mean={name: each[here] for name, each in self.mean.items()},
            low={name: each[here] for name, each in self.low.items()},
            high={name: each[here] for name, each in self.high.items()},
            bad={name: each[here] for name, each in self.bad.items()},
            absent={name: each[here] for name, each in self.absent.items()},
        )

    @property
    def rows(self) -> int:
        """Rows of the stage that these columns reach to."""
        return (self.first + len(self)) * self.width


@dataclass(frozen=True, eq=False, slots=True)
class Latest:
    """The newest row, raw and smoothed."""

    step: int
    epoch: int
    time: float
    scalars: Mapping[str, float]
    """Every scalar of the newest row, as recorded."""
    smoothed: Mapping[str, Array]
    """Every channel smoothed over about 25 steps (latents.smooth): () for a scalar, (k,) for a latent channel."""


@dataclass(frozen=True, eq=False, slots=True)
class Batch:
    """A source's answer to a poll: what is new since the cursor."""

    info: RunInfo
    cursor: Cursor
    """To be given to the next poll."""
    stage: int = 0
    rows: int = 0
    """Rows of the stage so far, those not yet in a finished column included."""
    columns: Columns = field(default_factory=Columns)
    latest: Latest | None = None
    events: tuple[Event, ...] = ()
    """Events since the cursor; all there are where `events_anew` is set."""
    events_anew: bool = False
    rewound_to: int | None = None
    """A resumed run replaces what came after this step: columns from `columns.first` on are void."""
    rate: float = 0.0
    """Steps a second, over the newest rows; 0 where it cannot be told."""
    pause: float = 0.0
    """The longest time between two rows of late, seconds, for an evaluation, say; 0 where it cannot be told."""
    more: bool = False
    """Whether the time ran out before everything new was read."""


@dataclass(frozen=True, eq=False, slots=True)
class Listed:
    """One of the runs of a directory, at a glance."""

    name: str
    address: str
    """What reaches it again."""
    changed: float
    """When anything of it was last written, seconds since 1970."""
    batch: Batch | None = None
    """The newest row, without columns; None where it was not read yet, or cannot be."""
    reason: str = ""
    """Why it cannot be read; empty where it can, or was not tried yet."""


@dataclass(frozen=True, slots=True)
class Window:
    """A range of steps of one stage, both ends included; None is open."""

    stage: int | None = None
    """None: the newest stage."""
    first: int | None = None
    last: int | None = None


@dataclass(frozen=True, eq=False, slots=True)
class Series:
    """One channel over a window, exact or decimated."""

    channel: str
    step: Array
    """Last step that each point stands for, shape (n,)."""
    mean: Array
    """(n,) or (n, k)."""
    low: Array
    high: Array
    exact: bool
    """Whether every point is a recorded row."""


@dataclass(frozen=True, slots=True)
class ImageSet:
    """Some images that were recorded together."""

    stage: int
    step: int
    kind: str
    """What they are, in words: "inputs", "reconstructions", "GEN-1", "GEN-2", …."""
    count: int
    height: int
    """Pixels."""
    width: int
    channels: int
    """1: grey. 3: red, green, blue."""
    time: float = 0.0
    """When they were written, seconds since 1970; another set that takes the place of this one has another."""
