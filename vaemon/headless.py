"""A run as text, for scripts, pipes and screen readers. Knows no terminal and no textual."""

import time

from vaemon.batch import Cursor, Want
from vaemon.source.protocol import Source
from vaemon.view.chronicle import chronicle
from vaemon.view.fold import fold, heard
from vaemon.view.state import CHART_CHANNELS, RunView
from vaemon.view.status import status
from vaemon.view.words import STATE_WORDS, counts_line, epochs, eta, number, rate, steps

EVENT_LINES = 8


def frame(source: Source) -> str:
    """One frame: how the run fares, its newest values, its latents, its newest events. Raises SourceLost."""
    view = fold(RunView(), source.poll(Cursor(), Want((), columns=0)))
    view = heard(RunView(), view, time.time())
    return "\n".join(part for part in (_head(view), _values(view), _latents(view), _events(view)) if part)


def _head(view: RunView) -> str:
    fares = status(view, time.time())
    name = view.info.name if view.info and view.info.name else "no run yet"
    parts = [name, fares.words]
    if view.info is not None and view.latest is not None:
        stage = view.info.stage(view.stage)
        parts += [f"stage {view.stage}", epochs(stage, view.latest.epoch), steps(stage, view.latest.step)]
        if not view.info.state.over:
            left = eta(view.latest.step, stage.total_steps if stage else None, view.rate)
            parts += [rate(view.rate), f"{left} left" if left else ""]
        parts.append(f"newest row {fares.age}")
    elif view.info is not None:
        parts.append(f"looked for in {view.info.address}")
    if fares.reason:
        parts.append(fares.reason)
    return " · ".join(part for part in parts if part)


def _values(view: RunView) -> str:
    if view.latest is None:
        return ""
    known = [name for name in CHART_CHANNELS if name in view.latest.smoothed]
    return "  ".join(f"{name} {number(float(view.latest.smoothed[name]))}" for name in known)


def _latents(view: RunView) -> str:
    if not view.latents or view.latest is None:
        return ""
    variance = view.latest.smoothed["mean_variance"]
    lines = [counts_line(view)]
    for index in sorted(range(view.latents), key=lambda i: (view.woke[i] < 0, view.woke[i], variance[i])):
        woke = f"woke at step {view.woke[index]:,}" if view.woke[index] >= 0 else ""
        state = next(word for each, word in STATE_WORDS.items() if each == view.states[index])
        lines.append(f"  z{index:<4} E[σ²] {variance[index]:.3f}  {state:<9}  {woke}".rstrip())
    return "\n".join(lines)


def _events(view: RunView) -> str:
    newest = chronicle(view.events)[:EVENT_LINES]
    return "\n".join(["newest events", *(f"  step {line.step:>9,}  {line.text}" for line in newest)]) if newest else ""
