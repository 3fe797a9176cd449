"""A run as text, for pipes and screen readers: one frame, or a line an update."""

from vaemon.view.alerts import ALERT
from vaemon.view.chronicle import Line, chronicle
from vaemon.view.signs import safe
from vaemon.view.state import CHART_CHANNELS, RunView
from vaemon.view.status import Kind, status
from vaemon.view.words import STATE_WORDS, counts_line, epochs, eta, number, rate, steps, undefined

EVENT_LINES = 8


def frame(view: RunView, now: float) -> str:
    """One frame: how the run fares, its newest values, its latents, its newest events.

    Args:
        view: the run.
        now: seconds since 1970.
    """
    parts = [[_head(view, now)], [_values(view)], _latents(view), _events(view)]
    return "\n".join(safe(line) for part in parts for line in part if line)


def line(view: RunView, now: float) -> str:
    """The run in one line: how it fares, its newest values, its counts."""
    counted = counts_line(view) if view.latents else ""
    return safe(" · ".join(part for part in (_head(view, now), _values(view, " · "), counted) if part))


def news(before: RunView, after: RunView) -> list[str]:
    """The events that came between two views, a line each, the oldest first; of the first view only its alerts."""
    known = set(before.events)
    first = before.info is None
    new = [event for event in after.events if event not in known and (not first or event.kind == ALERT)]
    return [safe(_event(each)) for each in reversed(chronicle(new))]


def _head(view: RunView, now: float) -> str:
    fares = status(view, now)
    name = view.info.title if view.info and view.info.name else "no run yet"
    parts = [name, fares.words]
    if view.info is not None and view.latest is not None:
        stage = view.info.stage(view.stage)
        parts += [f"stage {view.stage}", epochs(stage, view.latest.epoch), steps(stage, view.latest.step)]
        if not view.info.state.over:
            left = eta(view.latest.step, stage.total_steps if stage else None, view.rate)
            parts += [rate(view.rate), f"{left} left" if left else ""]
        if fares.kind not in (Kind.STALLED, Kind.LOST):  # Those words have the age in them.
            parts.append(f"newest row {fares.age}")
    elif view.info is not None:
        parts.append(f"looked for in {view.info.address}")
    if fares.reason:
        parts.append(fares.reason)
    return " · ".join(part for part in parts if part)


def _values(view: RunView, gap: str = "  ") -> str:
    if view.latest is None:
        return ""
    named = dict.fromkeys((*CHART_CHANNELS, *view.latest.scalars))  # the usual ones first
    known = [name for name in named if name in view.latest.smoothed]
    return gap.join(f"{name} {number(float(view.latest.smoothed[name]))}" for name in known)


def _latents(view: RunView) -> list[str]:
    if not view.latents or view.latest is None:
        why = undefined(view.info, "mean_variance")
        return [f"KL to N(0, I), variance law, states of latents: {why}"] if why else []
    variance = view.latest.smoothed["mean_variance"]
    lines = [counts_line(view)]
    for index in sorted(range(view.latents), key=lambda i: (view.woke[i] < 0, view.woke[i], variance[i])):
        woke = f"woke at step {view.woke[index]:,}" if view.woke[index] >= 0 else ""
        state = next(word for each, word in STATE_WORDS.items() if each == view.states[index])
        lines.append(f"  z{index:<4} E[σ²] {variance[index]:.3f}  {state:<9}  {woke}".rstrip())
    return lines


def _events(view: RunView) -> list[str]:
    newest = chronicle(view.events)[:EVENT_LINES]
    return ["newest events", *map(_event, newest)] if newest else []


def _event(told: Line) -> str:
    return f"  step {told.step:>9,}  {told.text}"
