"""What every widget of a run's screen is given: the run, and how it is looked at. Values only."""

from dataclasses import dataclass, field

from vaemon.view.order import Order
from vaemon.view.state import RunView
from vaemon.view.status import Kind, Status
from vaemon.watch.render.axis import TimeAxis
from vaemon.watch.render.span import TimeSpan


@dataclass(frozen=True, slots=True)
class Look:
    """How a person looks at a run: what the keys change."""

    order: Order = Order.WAKE
    axis: TimeAxis = TimeAxis.STEP
    log: bool = False
    smoothed: bool = False
    paused: bool = False
    at: int | None = None
    """Row of the stage under the crosshair; None: the newest."""


@dataclass(frozen=True, eq=False, slots=True)
class Picture:
    """One frame, before it is drawn."""

    view: RunView = field(default_factory=RunView)
    status: Status = field(default_factory=lambda: Status(Kind.OPENING, Kind.OPENING))
    look: Look = field(default_factory=Look)
    title: str = ""
    """The name of the run until it tells its own."""
    newest: RunView | None = None
    """The newest view, where the picture is paused at an older one."""
    span: TimeSpan | None = None
    """The time axis that all panels share; None: each has its own."""
    notice: str = ""
    """Something to be said at the bottom: that the screen is about to close."""

    @property
    def name(self) -> str:
        """The name of the run."""
        return (self.view.info.name if self.view.info is not None else "") or self.title

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
