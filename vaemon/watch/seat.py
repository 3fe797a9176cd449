"""A run that is watched: its source, who asks it, and how the person looks at it."""

from collections.abc import Callable
from dataclasses import replace

from vaemon.playback import Playback
from vaemon.source.protocol import Source
from vaemon.view.lookout import Lookout, Seen
from vaemon.view.state import RunView
from vaemon.view.status import status
from vaemon.watch.poller import Poller
from vaemon.watch.widgets.picture import Look


class Seat:
    """One of the runs of the dashboard."""

    def __init__(
        self,
        key: int,
        name: str,
        source: Source,
        post: Callable[[RunView], object],
        *,
        hz: float,
        clock: Callable[[], float],
        playback: Playback | None = None,
    ) -> None:
        """Watch what `source` tells; `key` tells the seat from all others, the further arguments are as of `Poller`."""
        self.key = key
        self.name = name
        self.poller = Poller(source, post, hz=hz, clock=clock)
        self.playback = playback
        self.lookout: Lookout | None = None
        """Is shown every view."""
        self.done = False
        """Whether the lookout has seen enough."""
        self.read = RunView()
        """The newest view, as it was read."""
        self.view = RunView()
        """The same with what the lookout adds to it."""
        self.look = Look()
        self.number = 1
        """Which of the views is seen."""
        self.left = 0
        """A number that is larger, the later it was looked at last."""
        self.opened = False
        """Whether it was opened from the list of runs: then it is let go once others have been."""
        self.known = False
        """Whether it was asked how the person looked at the run before."""

    def take(self, view: RunView, now: float) -> Seen:
        """Take a newer view, or the same once more, and tell what the lookout says to it. Raises VaemonError."""
        self.read = view
        newest = view.ahead or view  # whichever stage is looked at, the run is in its newest
        seen = self.lookout.see(newest, status(newest, now)) if self.lookout is not None else Seen(newest)
        self.view = view if seen.view.events is newest.events else replace(view, events=seen.view.events)
        self.done = seen.done
        return seen

    @property
    def address(self) -> str:
        """What reaches the run again; "" before it is known."""
        return self.view.info.address if self.view.info is not None else ""
