"""Looks at every view of a run for what was asked: alerts, a condition to wait for, a time that is up."""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from vaemon.batch import Event
from vaemon.commands.hooks import Hooks, Occasion
from vaemon.view.alerts import Alert, Rule, Told, among_events, look
from vaemon.view.conditions import Condition
from vaemon.view.facts import facts, looks_back
from vaemon.view.lookout import Seen
from vaemon.view.signs import safe
from vaemon.view.state import RunView
from vaemon.view.status import Status

NOT_MET = 4
"""The exit code where the condition was not met, or an alert was to end it."""


class Sentry:
    """A lookout for one run; what it has seen becomes the exit code."""

    def __init__(
        self,
        *,
        until: Condition | None = None,
        timeout: float | None = None,
        rules: Sequence[Rule] = (),
        ends_on_alert: bool = False,
        bell: bool = False,
        notify: bool = False,
        hooks: Hooks | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Look out.

        Args:
            until: done once this holds, or once the run is over.
            timeout: done after so many seconds.
            rules: what to alert for.
            ends_on_alert: done at the first alert.
            bell: whether an alert rings the terminal's bell.
            notify: whether an alert asks the terminal for a notification on the desktop.
            hooks: what else an alert sets off.
            clock: seconds since whenever.
        """
        self._until = until
        self._rules = tuple(rules)
        self._ends_on_alert = ends_on_alert
        self._bell = bell
        self._notify = notify
        self._hooks = hooks or Hooks({})
        self._clock = clock
        self._deadline = None if timeout is None else clock() + timeout
        self._told = Told()
        self._alerts: list[Alert] = []
        self._checked = False
        self._shown: tuple[tuple[Event, ...], int, tuple[Event, ...]] = ((), 0, ())
        self._code: int | None = None

    def another(self) -> "Sentry":
        """One like it, for another run; what alerts set off they share, and this one closes it."""
        other = Sentry(
            until=self._until,
            rules=self._rules,
            ends_on_alert=self._ends_on_alert,
            bell=self._bell,
            notify=self._notify,
            hooks=self._hooks,
            clock=self._clock,
        )
        other._deadline = self._deadline
        return other

    @property
    def waits(self) -> bool:
        """Whether it wants to see more than one view."""
        return self._until is not None or self._ends_on_alert

    @property
    def watches(self) -> bool:
        """Whether it looks for alerts."""
        return bool(self._rules)

    @property
    def code(self) -> int:
        """The exit code, by what has been seen so far."""
        if self._code is not None:
            return self._code
        return NOT_MET if self._until is not None else 0

    def see(self, view: RunView, fares: Status) -> Seen:
        """What there is to say now. Raises UnknownName once it can be told that a rule asks for what is not there."""
        known = facts(view, fares)
        self._check(view, known)
        self._told, alerts = look(self._told, self._rules, view, fares)
        self._alerts += alerts
        name = view.info.name if view.info is not None else ""
        for alert in alerts:
            self._hooks.tell(Occasion(name, alert))
        self._decide(view, known, bool(alerts))
        return Seen(
            view=self._among_events(view),
            alerts=tuple(alerts),
            troubles=tuple(self._hooks.troubles()),
            escapes="".join(self._escapes(name, alert) for alert in alerts),
            done=self._code is not None,
        )

    def close(self) -> list[str]:
        """Let alerts that are on their way get there, and tell what has failed."""
        self._hooks.close()
        return self._hooks.troubles()

    def _check(self, view: RunView, known: dict[str, float]) -> None:
        if self._checked or view.latest is None or looks_back(view):
            return
        self._checked = True
        if self._until is not None:
            self._until.check(known, "--until")
        for rule in self._rules:
            if rule.condition is not None:
                rule.condition.check(known, "--alert")

    def _decide(self, view: RunView, known: dict[str, float], alerted: bool) -> None:
        if self._code is not None:
            return
        over = view.info is not None and view.info.state.over and not view.loading
        if alerted and self._ends_on_alert:
            self._code = NOT_MET
        elif self._until is not None and self._until.holds(_so_far(view, known)):
            self._code = 0
        elif over and self.waits:
            self._code = NOT_MET if self._until is not None else 0
        elif self._deadline is not None and self._clock() >= self._deadline:
            self._code = NOT_MET

    def _among_events(self, view: RunView) -> RunView:
        if not self._alerts:
            return view
        # Most views bring no event; theirs are then to be the very same ones, by which whoever reads them knows it.
        events, alerts, shown = self._shown
        if events is not view.events or alerts != len(self._alerts):
            shown = among_events(view, self._alerts).events
            self._shown = view.events, len(self._alerts), shown
        return replace(view, events=shown)

    def _escapes(self, name: str, alert: Alert) -> str:
        text = safe(f"vaemon {name}: {alert.text}").replace(";", ",")
        asked = f"\x1b]9;{text}\x07", f"\x1b]777;notify;vaemon;{text}\x07"
        return ("".join(map(_through_tmux, asked)) if self._notify else "") + ("\x07" if self._bell else "")


def _so_far(view: RunView, known: dict[str, float]) -> dict[str, float]:
    """What is known, with a value that was not finite in a row between two looks."""
    bad = any(event.kind == "nan" for event in view.events)
    return {**known, "nan": 1.0} if bad and "nan" in known else known


def _through_tmux(sequence: str) -> str:
    """The sequence, wrapped where tmux would else keep it to itself; it needs `allow-passthrough` there."""
    return "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\" if "TMUX" in os.environ else sequence
