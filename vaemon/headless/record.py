"""A run as a JSON object.

Strict JSON: a value that is not finite is the string "NaN", "Infinity" or "-Infinity"; null is what is not known.
"""

import json
import math
from typing import Any

from vaemon.batch import Event, Latest, StageInfo
from vaemon.view.alerts import Alert
from vaemon.view.facts import state_of
from vaemon.view.state import RunView
from vaemon.view.status import status
from vaemon.view.words import STATE_WORDS, counts, undefined
from vaemon.wire.deep import changed

EVENTS = 20
"""So many of the newest events stand in a record."""

Json = dict[str, Any]


def as_json(view: RunView, now: float, alerts: tuple[Alert, ...] = ()) -> str:
    """The record in one line of ASCII, so that no terminal and no encoding can spoil it."""
    return json.dumps(record(view, now, alerts), allow_nan=False)


def record(view: RunView, now: float, alerts: tuple[Alert, ...] = ()) -> Json:
    """What is known of the run.

    Args:
        view: the run.
        now: seconds since 1970.
        alerts: those that the view has set off.
    """
    fares, info, latest = status(view, now), view.info, view.latest
    stage = info.stage(view.stage) if info is not None else None
    undefined_for = undefined(info, "mean_variance")
    return {
        "run": info.name if info is not None else None,
        "address": info.address if info is not None else None,
        "state": state_of(fares),
        "reason": fares.reason,
        "failure": str(view.failure) or None,
        "alarm": view.alarm,
        "age": _rounded(max(now - view.heard, 0.0), 1) if latest is not None else None,
        "stage": view.stage or None,
        "step": latest.step if latest is not None else None,
        "total_steps": stage.total_steps if stage is not None else None,
        "epoch": latest.epoch if latest is not None else None,
        "rows": view.rows,
        "rate": number(view.rate) if view.rate > 0 else None,
        "eta": _eta(view, stage),
        "scalars": _scalars(latest),
        "counts": None if undefined_for else {STATE_WORDS[state]: count for state, count in counts(view)},
        "inactive": None if undefined_for else view.inactive,
        "active_units": view.active_units,
        "latents": None if undefined_for else _latents(view),
        "not_defined": undefined_for or None,
        "events": [_event(event) for event in view.events[: -EVENTS - 1 : -1]],
        "alerts": [{"rule": alert.rule, "text": alert.text, "step": alert.step} for alert in alerts],
    }


def number(value: float) -> float | str:
    """The value in seven digits, which is what a channel has; a string where it is not finite."""
    if math.isfinite(value):
        return float(f"{value:.7g}")
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def strict(value: Any) -> Any:
    """The same value, but for what is not finite in it, at any depth, which becomes a string: what JSON takes."""
    return changed(value, lambda each: number(each) if isinstance(each, float) and not math.isfinite(each) else each)


def _rounded(seconds: float, digits: int) -> float | str:
    return round(seconds, digits) if math.isfinite(seconds) else number(seconds)


def _eta(view: RunView, stage: StageInfo | None) -> float | str | None:
    """Seconds that the stage will take yet."""
    over = view.info is not None and view.info.state.over
    if view.latest is None or stage is None or not stage.total_steps or not view.rate > 0 or over:
        return None
    return _rounded(max(stage.total_steps - view.latest.step, 0) / view.rate, 1)


def _scalars(latest: Latest | None) -> Json:
    if latest is None:
        return {}
    return {
        name: {"newest": number(value), "smoothed": number(float(latest.smoothed[name]))}
        for name, value in latest.scalars.items()
        if name in latest.smoothed
    }


def _latents(view: RunView) -> Json:
    """One list for each property, by the index of the latent."""
    smoothed = view.latest.smoothed if view.latest is not None else {}
    words = {int(state): word for state, word in STATE_WORDS.items()}
    return {
        "variance": [number(value) for value in smoothed["mean_variance"].tolist()] if view.latents else [],
        "kl": [number(value) for value in smoothed["latent_kl"].tolist()] if "latent_kl" in smoothed else None,
        "state": [words[state] for state in view.states.tolist()],
        "active_unit": view.units.tolist() if len(view.units) else None,
        "woke": [step if step >= 0 else None for step in view.woke.tolist()],
    }


def _event(event: Event) -> Json:
    return {
        "step": event.step,
        "stage": event.stage,
        "kind": event.kind,
        "latent": event.latent if event.latent >= 0 else None,
        "text": event.text,
        "time": _rounded(event.time, 3),
    }
