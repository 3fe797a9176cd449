"""What vaemon writes into event files for itself, beside what TensorBoard shows."""

import json
import math
from collections.abc import Mapping
from typing import Any

from vaemon.batch import Event, RunInfo, StageInfo
from vaemon.errors import VaemonError
from vaemon.exchange.tensorboard.values import Text
from vaemon.thresholds import DEFAULT, NAMES, Thresholds

RUN = "vaemon/run"
"""The tag of a text, JSON: what the stage was set up to be, and the run's config."""
EVENTS = "vaemon/events"
"""The tag of texts, JSON: the events of the run."""
EVALUATION = "vaemon/evaluation/"
"""What the tags of evaluations begin with; the events hold them, too."""
SPREAD = "vaemon/latents/"
"""What the tags of histograms over the latents of a channel begin with; its vectors hold the same, and more."""
SHOWN = (EVALUATION, SPREAD)
"""What is there for TensorBoard to draw, and for nobody to import."""
LONGEST_KIND, LONGEST_TEXT = 16, 224
"""Characters of an event, as many as a run has room for."""
LATENT = "vaemon"
"""The plugin that tensors of latent channels are for: none of TensorBoard's."""


def run_text(info: RunInfo, stage: StageInfo) -> str:
    """A stage of a run, as RUN has it."""
    thresholds = {name: getattr(info.thresholds, name) for name in NAMES}
    told = {
        "name": info.name,
        "created": info.created,
        "stage": stage.number,
        "latents": stage.latents,
        "total_steps": stage.total_steps,
        "steps_per_epoch": stage.steps_per_epoch,
        "thresholds": thresholds,
        "config": info.config,
    }
    return json.dumps(told, default=str, ensure_ascii=False)


def event_text(event: Event) -> str:
    """An event, as EVENTS has it; step and time are beside it."""
    return json.dumps({"kind": event.kind, "latent": event.latent, "text": event.text}, ensure_ascii=False)


def read_run(text: Text) -> Mapping[str, Any]:
    """What RUN tells; nothing where it is damaged."""
    found = _object(text)
    return found if isinstance(found.get("config"), dict) else {}


def read_event(text: Text, step: int, time: float, stage: int) -> Event | None:
    """The event that a text of EVENTS tells; None where it is damaged."""
    found = _object(text)
    kind, latent, said = found.get("kind"), found.get("latent"), found.get("text")
    if not isinstance(kind, str) or type(latent) is not int or not isinstance(said, str):
        return None
    # No longer than they are kept: millions of them wait in memory.
    return Event(step, time, stage, kind[:LONGEST_KIND], latent if -1 <= latent < 2**31 else -1, said[:LONGEST_TEXT])


def count(told: Mapping[str, Any], name: str, most: int = 2**31 - 1) -> int | None:
    """A number from 1 on, as a stage has it; None where there is none."""
    value = told.get(name)
    return value if type(value) is int and 1 <= value <= most else None


def created(told: Mapping[str, Any], otherwise: float) -> float:
    """When the run began, seconds since 1970."""
    value = told.get("created", otherwise)
    known = isinstance(value, int | float) and math.isfinite(value)
    return float(value) if known else otherwise if math.isfinite(otherwise) else 0.0


def thresholds(told: Mapping[str, Any]) -> Thresholds:
    """Those that RUN tells; the usual ones where it tells none that make sense."""
    given = told.get("thresholds")
    numbers = given if isinstance(given, dict) else {}
    if not all(isinstance(each, int | float) and math.isfinite(each) for each in numbers.values()):
        return DEFAULT
    try:
        return DEFAULT.changed(numbers)
    except VaemonError:
        return DEFAULT


def _object(text: Text) -> dict[str, Any]:
    try:
        found = json.loads(text.texts[0]) if text.texts else None
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
