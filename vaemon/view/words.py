"""Numbers and facts in words: durations, rates, values, counts. Pure; knows no screen."""

import math

import numpy as np

from vaemon.batch import RunInfo, StageInfo
from vaemon.channels import not_defined
from vaemon.latents import Failure, LatentState
from vaemon.view.state import RunView

NOTHING = "–"
"""What stands for a number that there is not."""

STATE_WORDS = {
    LatentState.ACTIVE: "active",
    LatentState.WAKING: "waking",
    LatentState.LIMBO: "limbo",
    LatentState.COLLAPSED: "collapsed",
}

FAILURES = {Failure.COLLAPSE: "posterior collapse", Failure.IGNORED: "prior ignored"}

_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


def duration(seconds: float) -> str:
    """A span of time in its two largest units: "42 s", "3 min 20 s", "2 h 5 min", "4 d 1 h"."""
    if not math.isfinite(seconds):
        return NOTHING
    left = max(round(seconds), 0)
    parts: list[tuple[int, str]] = []
    for unit, size in _UNITS:
        if left >= size or parts or unit == "s":
            parts.append((left // size, unit))
            left %= size
    first, *rest = parts
    words = f"{first[0]} {first[1]}"
    return words + (f" {rest[0][0]} {rest[0][1]}" if rest and rest[0][0] else "")


def age(seconds: float) -> str:
    """How long ago, in one unit, so that the words change seldom: "now", "7 s ago", "12 min ago"."""
    if not math.isfinite(seconds):
        return NOTHING
    if seconds < 2:
        return "now"
    unit, size = next((unit, size) for unit, size in _UNITS if seconds >= size)
    return f"{int(seconds // size)} {unit} ago"


def rate(per_second: float) -> str:
    """Steps a second, or seconds a step where that is the larger number; empty where it is not known."""
    if not (math.isfinite(per_second) and per_second > 0):
        return ""
    if per_second < 1:
        return f"{_short(1 / per_second)} s/step"
    return f"{_short(per_second)} steps/s"


def speed(times: float) -> str:
    """How fast a replay goes: "×60", "×0.5"."""
    return f"×{times:,.0f}" if times >= 10 else f"×{times:.2g}"


def _short(number: float) -> str:
    return f"{number:,.0f}" if number >= 10 else f"{number:.1f}"


def number(value: float) -> str:
    """A measured value in four figures: "0.1423", "31.2", "1,204", "1.2e-05"."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    size = abs(value)
    if size >= 1e7 or 0 < size < 1e-4:
        return f"{value:.2e}"
    if size >= 1000:
        return f"{value:,.0f}"
    decimals = 1 if size >= 100 else 2 if size >= 10 else 3 if size >= 1 else 4
    return f"{value:.{decimals}f}"


def eta(step: int, total: int | None, per_second: float) -> str:
    """How long the stage will take yet; empty where it cannot be told."""
    if total is None or not per_second > 0 or step >= total:
        return ""
    return duration((total - step) / per_second)


def epochs(info: StageInfo | None, epoch: int) -> str:
    """The pass over the data that is under way, counted from 1, and of how many."""
    if info is None or not info.steps_per_epoch or not info.total_steps:
        return f"epoch {epoch + 1:,}"
    return f"epoch {epoch + 1:,}/{max(math.ceil(info.total_steps / info.steps_per_epoch), epoch + 1):,}"


def steps(info: StageInfo | None, step: int) -> str:
    """The step reached, and of how many."""
    return f"step {step:,}" + (f"/{info.total_steps:,}" if info is not None and info.total_steps else "")


def counts(view: RunView) -> list[tuple[LatentState, int]]:
    """How many latents are in each state, the most awake first."""
    return [(state, int(np.count_nonzero(view.states == state))) for state in sorted(LatentState, reverse=True)]


def counts_line(view: RunView) -> str:
    """The counts in one line.

    "19 active · 6 waking · 27 limbo · 12 collapsed | inactive (E[σ²] ≥ 0.8): 17 | active units (Var(μ) > 0.01): 45"
    """
    stated = " · ".join(f"{count} {STATE_WORDS[state]}" for state, count in counts(view))
    return f"{stated} | {inactive_words(view)}: {view.inactive} | {units_words(view)}: {units_count(view)}"


def undefined(info: RunInfo | None, name: str) -> str:
    """Where a channel or figure has no meaning for the run's kind of model: "not defined for RAE"; else empty."""
    return not_defined(info.config, name) if info is not None else ""


def inactive_words(view: RunView) -> str:
    """What the paper's count counts."""
    return f"inactive (E[σ²] ≥ {view.thresholds.inactive:g})"


def units_words(view: RunView) -> str:
    """What Burda's count counts."""
    return f"active units (Var(μ) > {view.thresholds.unit:g})"


def units_count(view: RunView) -> str:
    """Burda's count, or what stands for one that is not known."""
    return NOTHING if view.active_units is None else str(view.active_units)
