"""What every widget of a run's screen is given: the run, and how it is looked at. Values only."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from vaemon.batch import Array, Columns
from vaemon.view.facts import looks_back
from vaemon.view.order import Order
from vaemon.view.state import RunView
from vaemon.view.status import Kind, Status
from vaemon.watch.render.axis import TimeAxis
from vaemon.watch.render.span import TimeSpan
from vaemon.watch.widgets.window import Window


@dataclass(frozen=True, slots=True)
class Look:
    """How a person looks at a run: what the keys change."""

    order: Order = Order.WAKE
    axis: TimeAxis = TimeAxis.STEP
    log_time: bool = False
    """Whether the time axis is logarithmic; `log`: whether the values are."""
    log: bool = False
    weight: float = 0.0
    """Of what came before, a recorded row, in the lines of charts (`render.smooth`); 0: they are not smoothed."""
    folded: bool = False
    """Whether strips of the wall stand for several latents, so that all are in sight."""
    paused: bool = False
    at: int | None = None
    """Row of the stage under the crosshair; None: the newest."""
    window: Window | None = None
    """The rows of the stage in sight; None: all."""
    latent: int | None = None
    """The latent that a person has chosen."""
    stage: int = 0
    """The stage that is looked at; 0: none yet."""
    pinned: Mapping[int, frozenset[int]] = field(default_factory=dict)
    """Latents that come first and stand out, by stage: a number means another latent in each."""
    filters: Mapping[str, str] = field(default_factory=dict)
    """What each list ("latents", "events", "runs") is to be narrowed to."""

    @property
    def pins(self) -> frozenset[int]:
        """Those of the stage that is looked at."""
        return self.pinned.get(self.stage, frozenset())

    def of_stage(self, stage: int) -> "Look":
        """The look at a stage, which may be that of before; 0: at none yet, and as it was."""
        if not stage:
            return self
        return replace(self if self.stage in (0, stage) else self.of_other_rows(), stage=stage)

    def of_other_rows(self) -> "Look":
        """The look as it is taken to another stage, where there are neither the same rows nor the same latents."""
        return replace(self, at=None, window=None, latent=None)


@dataclass(frozen=True, slots=True)
class Playing:
    """How a replay goes on."""

    speed: float
    """Seconds of the run in a second."""
    held: bool
    """Whether it stands still."""
    share: float
    """How far it has come, 0 to 1."""


@dataclass(frozen=True, eq=False, slots=True)
class Beside:
    """One of many runs, that shown among them."""

    name: str
    """What tells it from the others."""
    address: str
    """What reaches it; "" before it is known."""
    view: RunView
    status: Status
    watched: bool = True
    """Whether it is one of those that are watched; else it was read at a glance."""
    shown: bool = False
    """Whether it is the one that the other views show."""
    changed: float = 0.0
    """When anything of it was last written, where no row of it is known; 0 otherwise."""


@dataclass(frozen=True, eq=False, slots=True)
class Picture:
    """One frame, before it is drawn."""

    view: RunView = field(default_factory=RunView)
    status: Status = field(default_factory=lambda: Status(Kind.OPENING, Kind.OPENING))
    look: Look = field(default_factory=Look)
    order: Array = field(default_factory=lambda: np.zeros(0, np.int64))
    """The latents in the order in which they are listed, those filtered out left out."""
    title: str = ""
    """The name of the run until it tells its own."""
    newest: RunView | None = None
    """The newest view, where the picture is paused at an older one."""
    span: TimeSpan | None = None
    """The time axis that all panels share; None: each has its own."""
    number: int = 1
    """Which of the views is seen."""
    playing: Playing | None = None
    """How a replay goes on; None where the run is seen as it is."""
    runs: tuple[str, ...] = ()
    """The names of the runs that are watched, where there are several."""
    beside: tuple[Beside, ...] = ()
    """Those that are compared, or listed; empty where neither is seen."""
    notice: str = ""
    """Something to be said at the bottom: that the screen is about to close."""

    @property
    def chosen(self) -> int:
        """The latent that a person has chosen, else the first in the list; -1 while there is none."""
        if self.look.latent is not None and 0 <= self.look.latent < self.view.latents:
            return self.look.latent
        return int(self.order[0]) if len(self.order) else -1

    def further(self, by: int) -> int:
        """The latent `by` places further down the list than the chosen one, at most its last; -1 where it is empty."""
        if not len(self.order):
            return -1
        places = np.flatnonzero(self.order == self.chosen)
        place = int(places[0]) + by if len(places) else 0
        return int(self.order[min(max(place, 0), len(self.order) - 1)])

    @property
    def columns(self) -> Columns:
        """The columns in sight; those of a closer look at once in the grain of the whole, until they are here."""
        window, near = self.look.window, self.view.near
        if window is None:
            return self.view.columns
        there = near is not None and len(near) and near.first * near.width == window.first
        return near if there and near is not None else self.view.columns.cut(window.first, window.last)

    @property
    def before(self) -> Columns:
        """Those of the whole that end before the columns in sight begin: what a smoothed line goes on from."""
        whole, begin = self.view.columns, self.columns.first * self.columns.width
        return whole.cut(0, min(begin // whole.width, len(whole)) * whole.width)

    @property
    def origin(self) -> object:
        """What the columns in sight are of: where it is the same as before, columns seen before are as they were."""
        info, columns = self.view.info, self.columns
        address = info.address if info is not None else ""
        return address, self.view.stage, self.view.cursor.segments, columns.first, columns.width

    @property
    def name(self) -> str:
        """The name of the run; of several, one that tells it from the others."""
        if self.runs and self.title:
            return self.title
        return (self.view.info.title if self.view.info is not None else "") or self.title

    @property
    def looks_back(self) -> bool:
        """Whether a run that goes on is not seen at its newest: an older stage, rows of before, a crosshair on them."""
        window = self.look.window
        closely = self.look.at is not None or (window is not None and not window.follows)
        return not self.over and self.view.latest is not None and (closely or looks_back(self.view))

    @property
    def over(self) -> bool:
        """Whether the run grows no more."""
        return self.view.info is not None and self.view.info.state.over


def other_stage(view: RunView) -> int | None:
    """The number of the stage after the one shown, round and round; None where there is no other."""
    numbers = sorted(stage.number for stage in view.info.stages) if view.info is not None else []
    if len(numbers) < 2:
        return None
    later = [number for number in numbers if number > view.stage]
    return later[0] if later else numbers[0]
