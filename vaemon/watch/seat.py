"""A run that is watched: its source, who asks it, and how the person looks at it."""

from collections.abc import Callable

from vaemon.playback import Playback
from vaemon.source.protocol import Source
from vaemon.view.state import RunView
from vaemon.watch.poller import Poller
from vaemon.watch.widgets.picture import Look


class Seat:
    """One of the runs of the dashboard."""

    def __init__(
        self,
        name: str,
        source: Source,
        post: Callable[[RunView], object],
        *,
        hz: float,
        clock: Callable[[], float],
        playback: Playback | None = None,
    ) -> None:
        """Watch what `source` tells; arguments as of `Poller`."""
        self.name = name
        self.poller = Poller(source, post, hz=hz, clock=clock)
        self.playback = playback
        self.view = RunView()
        self.look = Look()
        self.number = 1
        """Which of the views is seen."""
        self.known = False
        """Whether it was asked how the person looked at the run before."""

    @property
    def address(self) -> str:
        """What reaches the run again; "" before it is known."""
        return self.view.info.address if self.view.info is not None else ""
