"""When a person is to be told of something: rules, and the passage from one view of a run to the next.

A rule tells once when it becomes true, and is armed again once it has been false for as many rows as a latent's passage
must last (`Thresholds.hold`). No clock and no memory in here: what has been told is a value that comes in and goes out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from vaemon.batch import Event
from vaemon.errors import UsageError, nearest
from vaemon.findings import FOUND
from vaemon.view.chronicle import chronicle
from vaemon.view.conditions import Condition, parse_condition
from vaemon.view.facts import TRUTHS, facts, looks_back, not_finite
from vaemon.view.state import RunView
from vaemon.view.status import Status
from vaemon.view.words import number

EVENTS = (*FOUND, "stage", "checkpoint", "resume", "drop", "error", "recovered", "nan")
"""The kinds of events that are rules by themselves."""
ALERT = "alert"
"""The kind of event that an alert is shown as."""

_OTHER_WORDS = {"stall": "stalled", "crash": "crashed", "fail": "failed", "finish": "finished", "collapsed": "collapse"}
_MOST_TOLD = 4


@dataclass(frozen=True, slots=True)
class Rule:
    """What is to be told of: a condition that becomes true, events of a kind, or either."""

    text: str
    """As it was written."""
    condition: Condition | None = None
    event: str = ""


@dataclass(frozen=True, slots=True)
class Alert:
    """Something to be told."""

    rule: str
    text: str
    step: int
    stage: int
    time: float
    """Of the newest row, seconds since 1970; 0 before any."""
    after: int
    """Events of the run that came before it."""


@dataclass(frozen=True, slots=True)
class Told:
    """What has been told so far."""

    events: tuple[Event, ...] | None = None
    """Those seen; None before the first view: what happened before is no news."""
    held: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """By rule, where it was last true: stage and row; a rule that is not here is armed."""


def parse_rule(text: str, asked: str = "--alert") -> Rule:
    """A rule as it is written: a condition, or a word. Raises UsageError."""
    word = text.strip()
    word = _OTHER_WORDS.get(word, word)
    near = nearest(word, (*EVENTS, *TRUTHS, *_OTHER_WORDS))
    if word.isalpha() and near is not None and near != word:
        raise UsageError(f"{asked} {text!r}: there is no such rule; did you mean {near!r}?")
    condition = parse_condition(word, asked) if word not in EVENTS or word in TRUTHS else None
    return Rule(text, condition, word if word in EVENTS else "")


def look(told: Told, rules: Sequence[Rule], view: RunView, fares: Status) -> tuple[Told, list[Alert]]:
    """What has to be told now, and what has then been told."""
    if view.info is None:
        return told, []
    new = _new_events(told.events, view.events)
    known, held, alerts = facts(view, fares), dict(told.held), []
    at = (view.stage, view.rows)
    for rule in rules:
        happened = [event for event in new if event.kind == rule.event]
        true = rule.condition is not None and rule.condition.holds(known)
        if true and rule.text not in held:
            alerts.append(_alert(rule, _reason(rule, known, view, fares), view))
        elif happened and not true:
            alerts.append(replace(_alert(rule, _happened(happened), view), step=happened[-1].step))
        if true:
            held[rule.text] = at
        elif _armed_again(held.get(rule.text), at, view):
            held.pop(rule.text, None)
    # A source that is lost just as another stage was asked for leaves a view without events.
    return Told(view.events or told.events or (), held), alerts


def among_events(view: RunView, alerts: Sequence[Alert]) -> RunView:
    """The view with the alerts among its events."""
    if not alerts:
        return view
    events = list(view.events)
    for before, alert in enumerate(sorted(alerts, key=lambda each: each.after)):
        told = Event(alert.step, alert.time, alert.stage, ALERT, text=alert.text)
        events.insert(alert.after + before, told)
    return replace(view, events=tuple(events))


def _armed_again(held: tuple[int, int] | None, at: tuple[int, int], view: RunView) -> bool:
    if held is None or looks_back(view):
        return False
    return held[0] != at[0] or abs(at[1] - held[1]) >= view.thresholds.hold


def _new_events(before: tuple[Event, ...] | None, now: tuple[Event, ...]) -> tuple[Event, ...]:
    if before is None or now is before:
        return ()
    if now[: len(before)] == before:
        return now[len(before) :]
    # A resumed run has lost some of its events; those after the newest one seen are new.
    newest = max((event.time for event in before), default=0.0)
    return tuple(event for event in now if event.time > newest)


def _alert(rule: Rule, text: str, view: RunView) -> Alert:
    latest = view.latest
    step, time = (latest.step, latest.time) if latest is not None else (0, 0.0)
    return Alert(rule.text, text, step, view.stage, time, len(view.events))


def _happened(events: Sequence[Event]) -> str:
    texts = [line.text for line in reversed(chronicle(events))]
    more = len(texts) - _MOST_TOLD
    return "; ".join(texts[:_MOST_TOLD]) + (f"; and {more} more" if more > 0 else "")


def _reason(rule: Rule, known: Mapping[str, float], view: RunView, fares: Status) -> str:
    """The values that make the condition true, in words."""
    assert rule.condition is not None
    names = dict.fromkeys(each.name for each in rule.condition.reasons(known))
    values = "; ".join(_value(name, known, view, fares) for name in names)
    return values if all(name in TRUTHS for name in names) else f"{' '.join(rule.text.split())}: {values}"


def _value(name: str, known: Mapping[str, float], view: RunView, fares: Status) -> str:
    if name in TRUTHS:
        return _truth(name, view, fares)
    value = known[name]
    return f"{name} {value:,.0f}" if value.is_integer() else f"{name} {number(value)}"


def _truth(name: str, view: RunView, fares: Status) -> str:
    if name == "nan":
        return f"{', '.join(not_finite(view))} not finite"
    if name in ("collapse", "ignored"):
        return view.alarm
    return f"{fares.words}: {fares.reason}" if fares.reason else fares.words
