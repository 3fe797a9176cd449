"""What can be asked of a run by name: its states as truths, its counts and values as numbers."""

import math

import numpy as np

from vaemon.latents import Failure
from vaemon.view.state import RunView
from vaemon.view.status import Kind, Status
from vaemon.view.words import STATE_WORDS, counts, undefined

STATES = ("waiting", "running", "stalled", "finished", "stopped", "failed", "crashed", "lost")
"""How a run fares; one at a time is true."""
TRUTHS = (*STATES, "over", "unrecorded", "nan", "collapse", "ignored")
"""The names that are true or false: also whether the run is over, in whatever way; whether rows come that cannot be
recorded; whether a scalar of the newest row is not finite; whether the posterior has collapsed; whether the prior is
ignored.
"""

_STATE_OF = {Kind.ALARM: "running", Kind.UNRECORDED: "running", Kind.LOST: "lost"}


def state_of(fares: Status) -> str:
    """How a run fares, as one of `STATES`, or another kind's own word."""
    return _STATE_OF.get(fares.kind, str(fares.kind))


def facts(view: RunView, fares: Status) -> dict[str, float]:
    """Every name that a condition may have, and its value: smoothed ones, NaN where none was finite.

    There are only states while there is no row, and while an older stage is looked at, whose numbers are no news.
    """
    known = {word: float(state_of(fares) == word) for word in STATES}
    known["over"] = float(view.info is not None and view.info.state.over)
    known["unrecorded"] = float(fares.kind is Kind.UNRECORDED)
    latest = view.latest
    if latest is None or looks_back(view):
        return known
    one = math.nan if undefined(view.info, "mean_variance") else 1.0  # latent; of a model without, no number of them
    scalars = {name: float(value) for name, value in latest.smoothed.items() if np.ndim(value) == 0}
    return {
        **scalars,
        **known,
        **{STATE_WORDS[state]: one * count for state, count in counts(view)},
        "nan": float(bool(not_finite(view))),
        "collapse": float(view.failure is Failure.COLLAPSE),
        "ignored": float(view.failure is Failure.IGNORED),
        "inactive": one * view.inactive,
        "active_units": math.nan if view.active_units is None else float(view.active_units),
        "latents": one * view.latents,
        "step": float(latest.step),
        "epoch": float(latest.epoch),
        "stage": float(view.stage),
        "rate": view.rate,
    }


def looks_back(view: RunView) -> bool:
    """Whether the stage shown is not the newest."""
    return view.info is not None and any(stage.number > view.stage for stage in view.info.stages)


def not_finite(view: RunView) -> list[str]:
    """The scalars of the newest row that are NaN or infinite."""
    scalars = view.latest.scalars if view.latest is not None else {}
    return [name for name, value in scalars.items() if not np.isfinite(value)]
