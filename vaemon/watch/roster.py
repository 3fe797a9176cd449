"""The runs of the dashboard together: those that are watched, and those that a directory lists."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from vaemon.batch import Listed
from vaemon.errors import VaemonError
from vaemon.source.protocol import Directory
from vaemon.view.fold import fold, heard
from vaemon.view.state import RunView
from vaemon.view.status import Kind, Status, status
from vaemon.watch.asked import Asked
from vaemon.watch.messages import RunsListed
from vaemon.watch.names import COMPARE, RUNS
from vaemon.watch.seat import Seat
from vaemon.watch.widgets.picture import Beside

LISTING = 0.3
"""Seconds for which runs are read to be listed."""


class Roster:
    """What the views that tell of several runs are made from."""

    def __init__(self, seats: Sequence[Seat], directory: Directory | None, clock: Callable[[], float]) -> None:
        """Tell of runs.

        Args:
            seats: the runs that are watched; there may be more later.
            directory: where more are; None: there are no others.
            clock: the time, seconds since 1970.
        """
        self._seats = seats
        self._directory = directory
        self._clock = clock
        self._listed: tuple[Listed, ...] = ()
        self._views: dict[str, tuple[Listed, RunView]] = {}
        self.is_whole = True
        """Whether every run that is listed has been read."""

    def ask(self) -> RunsListed:
        """Ask the directory, from whatever thread."""
        try:
            return RunsListed(self._directory.runs(LISTING) if self._directory is not None else ())
        except (VaemonError, OSError) as error:
            return RunsListed((), str(error))

    def take(self, told: RunsListed) -> None:
        """Know which runs there are; what was known is kept where the directory does not answer."""
        if told.why:
            return
        held, self._views = self._views, {}
        for each in told.listed:
            before = held.get(each.address)
            self._views[each.address] = before if before and before[0] is each else (each, self._view_of(each))
        self._listed = tuple(told.listed)
        self.is_whole = all(each.batch is not None or each.reason for each in told.listed)

    def align(self, shown: Seat, *, compares: bool) -> None:
        """Ask the other runs for the stage of the one shown where they are compared, else for their newest."""
        for seat in self._seats:
            if seat is not shown and (info := seat.view.info) is not None:
                newest = max((stage.number for stage in info.stages), default=0)
                stage = shown.view.stage if compares else 0
                seat.poller.ask_for(Asked(stage if stage not in (0, newest) else None))

    def place_of(self, name: str, address: str) -> int | None:
        """The place of a run among those watched, by its address, or by its name while it has none."""
        found = (seat.address == address if address else seat.name == name for seat in self._seats)
        return next((place for place, fits in enumerate(found) if fits), None)

    def name_for(self, name: str, address: str) -> str:
        """What a further run is called: its name, or its address where another has that name."""
        return address if any(seat.name == name for seat in self._seats) else name

    def _view_of(self, listed: Listed) -> RunView:
        if listed.batch is None:
            return RunView()
        view = heard(RunView(), fold(RunView(), listed.batch), self._clock())
        return replace(view, events=())  # they have told the states, and a long run has many

    def tell(self, number: int, shown: Seat) -> tuple[Beside, ...]:
        """The runs that the view of that number tells of: those watched, and in a list of runs all others, too."""
        if number not in (COMPARE, RUNS):
            return ()
        now = self._clock()
        watched = [self._watched(seat, seat is shown, now) for seat in self._seats]
        if number != RUNS:
            return tuple(watched)
        here = {each.address for each in watched}
        others = [self._other(each, now) for each in self._listed if each.address not in here]
        return tuple(sorted((*watched, *others), key=_place))

    def _watched(self, seat: Seat, shown: bool, now: float) -> Beside:
        name = seat.name or (seat.view.info.title if seat.view.info is not None else "")
        return Beside(name, seat.address, seat.view, status(seat.view, now), shown=shown)

    def _other(self, listed: Listed, now: float) -> Beside:
        view = self._views[listed.address][1]
        fares = status(view, now)
        if listed.reason:
            fares = Status(Kind.LOST, "unreadable", "", listed.reason)
        name = view.info.title if view.info is not None and view.info.place else listed.name
        return Beside(name, listed.address, view, fares, watched=False, changed=listed.changed)


def _place(run: Beside) -> tuple[bool, float, str]:
    """Live runs first, for their newest rows would make them change places; then by the newest row."""
    view = run.view
    if run.status.kind in (Kind.WAITING, Kind.RUNNING, Kind.STALLED) and view.info is not None:
        return False, -view.info.created, run.name
    return True, -(view.latest.time if view.latest is not None else run.changed), run.name
