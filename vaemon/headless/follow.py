"""Asks a source again and again, and hands on what is new, until the run is over or enough has been seen."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from vaemon.batch import Want
from vaemon.errors import NeedsPerson, SourceLost, VaemonError
from vaemon.source.protocol import Source
from vaemon.view.fold import fold, heard, source_lost
from vaemon.view.lookout import Lookout, Seen
from vaemon.view.state import RunView
from vaemon.view.status import Status, status
from vaemon.view.words import duration

PATIENCE = 5.0
"""Seconds that a source may not answer before it is given up."""
_CLOCKS = Want((), columns=64)
"""Enough columns to tell the usual time between two rows."""


@dataclass(frozen=True, eq=False, slots=True)
class Update:
    """A moment at which there was something new, and the last one."""

    before: RunView
    """The view of the update before this one."""
    view: RunView
    seen: Seen
    now: float
    """Seconds since 1970."""
    new: bool = True
    """Whether there is anything new to tell; the last update may have nothing."""


def updates(
    source: Source,
    lookout: Lookout,
    *,
    hz: float = 1.0,
    patience: float = PATIENCE,
    clock: Callable[[], float] = time.time,
    wait: Callable[[float], object] = time.sleep,
) -> Iterator[Update]:
    """Every update of the run; the last one is of the run that is over, or of what the lookout was content with.

    Args:
        source: where the run is read from.
        lookout: is shown every view.
        hz: questions a second.
        patience: seconds that the source may not answer.
        clock: the time, seconds since 1970.
        wait: lets so many seconds pass.

    Raises:
        SourceLost: the source has not answered for so long.
        VaemonError: the lookout cannot go on.
    """
    view, before, told, answered = RunView(), RunView(), None, clock()
    while True:
        view = ask(source, view, clock())
        now = clock()
        answered = answered if view.lost else now
        fares = status(view, now)
        seen = lookout.see(view, fares)
        ends = seen.done or (_over(view) and not view.lost)
        new = bool(seen.alerts or seen.troubles) or _tells(view, fares) != told
        if ends or (new and not view.loading):
            yield Update(before, seen.view, seen, now, new)
            before, told = seen.view, _tells(view, fares)
        if ends:
            return
        if view.lost and now - answered >= patience:
            raise SourceLost(
                f"{_name(view)} has not answered for {duration(patience)}: {view.lost}; was it moved, or removed?"
            )
        wait(0.0 if view.loading else 1.0 / hz)


def now_of(source: Source, clock: Callable[[], float] = time.time) -> RunView:
    """The run as it is now. Raises SourceLost."""
    view = ask(source, RunView(), clock())
    while view.loading and not view.lost:
        view = ask(source, view, clock())
    if view.lost:
        raise SourceLost(view.lost)
    return view


def ask(source: Source, view: RunView, now: float) -> RunView:
    """The view after one question at the moment `now`. Raises NeedsPerson: nobody would be there to help."""
    try:
        batch = source.poll(view.cursor, _CLOCKS)
    except NeedsPerson:
        raise
    except (VaemonError, OSError, RuntimeError) as error:
        return source_lost(view, str(error) or type(error).__name__)
    return heard(view, fold(view, batch), now)


def _over(view: RunView) -> bool:
    return view.info is not None and view.info.state.over and not view.loading


def _name(view: RunView) -> str:
    return view.info.title if view.info is not None and view.info.name else "the run"


def _tells(view: RunView, fares: Status) -> tuple[object, ...]:
    """All that makes an update; a run that only grows old tells nothing."""
    info, latest = view.info, view.latest
    run = (info.name, info.state, info.reason) if info is not None else None
    newest = (latest.step, latest.time) if latest is not None else None
    return run, fares.kind, view.stage, view.rows, newest, len(view.events), view.lost
