"""Whoever looks at every view of a run beside the person: for alerts, or for the moment to close."""

from dataclasses import dataclass
from typing import Protocol

from vaemon.view.alerts import Alert
from vaemon.view.state import RunView
from vaemon.view.status import Status


@dataclass(frozen=True, eq=False, slots=True)
class Seen:
    """What a lookout has to say to a view."""

    view: RunView
    """The view, with all alerts so far among its events."""
    alerts: tuple[Alert, ...] = ()
    """New ones."""
    troubles: tuple[str, ...] = ()
    """What failed in the telling of alerts, each said once."""
    escapes: str = ""
    """For the terminal: a bell, a notification."""
    done: bool = False
    """Whether there is nothing more to look out for."""


class Lookout(Protocol):
    """Is shown every new view, and the same one again now and then, for a run may stall."""

    def see(self, view: RunView, fares: Status) -> Seen:
        """What there is to say now.

        Raises:
            VaemonError: it cannot go on, for what is looked for is not in this run.
        """
        ...
