"""A run in a few figures, as every list of runs tells them."""

from dataclasses import dataclass

from vaemon.latents import LatentState
from vaemon.view.state import RunView
from vaemon.view.words import undefined


@dataclass(frozen=True, slots=True)
class Summary:
    """What a line of a list says."""

    stage: int
    """0 before any row."""
    step: int
    total_steps: int | None
    """None where nobody knows."""
    epoch: int
    rate: float
    """Steps a second."""
    latents: int
    active: int | None
    """None where the run's kind of model has no posteriors with the prior N(0, I)."""
    inactive: int | None
    active_units: int | None
    """As of `RunView.active_units`."""
    alarm: str
    newest: float
    """When the newest row was written, or the run begun; 0 before that."""


def summary(view: RunView) -> Summary:
    """The figures of the stage shown."""
    stage = view.info.stage(view.stage) if view.info is not None else None
    latest = view.latest
    none = undefined(view.info, "mean_variance")
    begun = view.info.created if view.info is not None else 0.0
    return Summary(
        stage=view.stage,
        step=latest.step if latest else 0,
        total_steps=stage.total_steps if stage else None,
        epoch=latest.epoch if latest else 0,
        rate=round(view.rate, 2),
        latents=view.latents,
        active=None if none else int((view.states == LatentState.ACTIVE).sum()),
        inactive=None if none else view.inactive,
        active_units=view.active_units,
        alarm=view.alarm,
        newest=latest.time if latest else begun,
    )


def steps_words(step: int, total: int | None) -> str:
    """The step reached, and of how many: "500/1,000"."""
    return f"{step:,}" + (f"/{total:,}" if total else "")
