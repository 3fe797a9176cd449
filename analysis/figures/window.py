"""The steps that a figure of E[σ²] is of, and what every latent does in them."""

import math
from typing import NamedTuple

import numpy as np

from analysis.figures.drawn import Array, Trajectories
from analysis.inputs import rows_until, stage_of, woke_steps
from vaemon import latents
from vaemon.batch import Cursor, StageInfo, Want, Window
from vaemon.channels import not_defined
from vaemon.errors import UnknownName, VaemonError
from vaemon.latents import LatentState
from vaemon.source.protocol import Source
from vaemon.thresholds import Thresholds

EPOCHS = {"4": 1, "5": 1, "6": 50}
"""How many epochs each of the paper's figures is of."""
_LAST_ROWS = 25
"""Over which the latents at the end are judged: a batch of 100 has a deviation of about .03 of E[σ²]."""


class _Span(NamedTuple):
    last: int
    """Up to which step: the end of the epochs asked for, or the latest that is recorded where it comes before."""
    epochs: float
    """How many it makes; NaN where that is not known."""


def trajectories(source: Source, figure: str, stage_number: int, points: int) -> Trajectories:
    """E[σ²] of every latent over the steps of a figure.

    Args:
        source: of the run.
        figure: one of EPOCHS; any other: all steps.
        stage_number: 1 or 2.
        points: how many there may be of each latent, at most; each is a mean over its steps.

    Raises:
        UnknownName: the run has no such stage.
        VaemonError: it has no rows, or did not record E[σ²], or its model has no N(0, I) to compare it with, or it does
            not tell how many steps an epoch has.
    """
    info = source.info()
    if why := not_defined(info.config, "mean_variance"):
        raise VaemonError(
            f"run {info.name!r}: E[σ²] beside a prior's is {why}, which has no posteriors with the prior N(0, I)"
        )
    stage = stage_of(info, stage_number)
    span = _span(source, stage, EPOCHS.get(figure), info.name)
    try:
        series = source.series("mean_variance", Window(stage.number, None, span.last), points)
    except UnknownName as error:
        raise VaemonError(
            f"run {info.name!r} did not record E[σ²] (no channel mean_variance); give Recorder.log() `mean` and "
            "`variance` of every batch"
        ) from error
    per_epoch = stage.steps_per_epoch if EPOCHS.get(figure, 0) > 1 else None
    return Trajectories(
        title=f"{info.name}: {_words(figure, stage, span)}",
        x_label="epoch" if per_epoch else "step",
        x=series.step / (per_epoch or 1),
        end=span.last / (per_epoch or 1),
        mean=series.mean,
        states=_states(source, stage, span.last, info.thresholds),
        threshold=info.thresholds.inactive,
    )


def _span(source: Source, stage: StageInfo, epochs: int | None, name: str) -> _Span:
    latest = source.poll(Cursor(), Want(channels=(), stage=stage.number, columns=0)).latest
    if latest is None:
        raise VaemonError(f"stage {stage.number} of run {name!r} has no rows yet; ask again when it has trained some")
    per_epoch = stage.steps_per_epoch
    if epochs is None:
        return _Span(latest.step, latest.step / per_epoch if per_epoch else math.nan)
    if not per_epoch:
        raise VaemonError(
            f"run {name!r} does not tell how many steps an epoch has: Recorder(…, steps_per_epoch=500) would; "
            "`--figure latents` draws all its steps"
        )
    last = min(latest.step, epochs * per_epoch)
    return _Span(last, last / per_epoch)


def _words(figure: str, stage: StageInfo, span: _Span) -> str:
    which = f"{stage.latents} latent{_s(stage.latents)}" + ("" if stage.number == 1 else f" of stage {stage.number}")
    asked = EPOCHS.get(figure)
    if asked is None:
        return f"{which}, {span.last:,} step{_s(span.last)}"
    if span.epochs < asked:
        told = f"{span.epochs:.2f}" if asked == 1 else f"{span.epochs:.3g}"
        return f"{which}, {told} of the first {'epoch' if asked == 1 else f'{asked} epochs'}, for it has no more"
    return f"{which}, the first {'epoch' if asked == 1 else f'{asked} epochs'}"


def _s(count: int) -> str:
    return "" if count == 1 else "s"


def _states(source: Source, stage: StageInfo, last: int, at: Thresholds) -> tuple[str, ...]:
    """The state of each latent at a step, judged as everywhere, in words."""
    mean = _at(source, "mean_variance", stage, last)
    try:
        kl = _at(source, "latent_kl", stage, last)
    except UnknownName:
        kl = np.full_like(mean, np.nan)
    awake = woke_steps(source, stage, until=last) >= 0
    return tuple(LatentState(each).name.lower() for each in latents.states(mean, kl, awake, at))


def _at(source: Source, channel: str, stage: StageInfo, last: int) -> Array:
    rows = rows_until(source, channel, stage, last, _LAST_ROWS)[1][-_LAST_ROWS:]
    known = np.isfinite(rows)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(known, rows, 0.0).sum(axis=0) / np.where(known, 1.0, 0.0).sum(axis=0))
