"""What the measures are taken on: the statistics of a stage's posteriors, and where they come from.

Reads the recorded stream through a Source; knows no files, no torch and no tables.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from analysis.measures.moments import Moments
from vaemon import latents
from vaemon.batch import Cursor, RunInfo, StageInfo, Want, Window
from vaemon.channels import POSTERIOR
from vaemon.errors import UnknownName, VaemonError
from vaemon.source.protocol import Source
from vaemon.view.fold import woke_at
from vaemon.view.whole import whole

Array = npt.NDArray[Any]
Kind = Literal["stream", "checkpoint", "posterior"]
"""Of an origin: the recorded stream, a checkpoint, or bare arrays."""

MOST_ROWS = 500
"""An epoch of CIFAR-10 in batches of 100; of longer epochs the last so many rows are taken."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where statistics come from."""

    kind: Kind
    step: int
    """The last step of the stage that they include; of bare arrays 0, as is the epoch."""
    epoch: int
    """Passes over the training data begun before the one of that step."""
    samples: int
    """Rows of the stream (each a batch), or posteriors: of images encoded with the checkpoint, or given as arrays."""
    first_step: int = 0
    """Stream: the first step included."""
    full_epoch: bool = False
    """Stream: whether the rows are those of one whole epoch."""
    left_out: int = 0
    """Stream: rows in which some latent was NaN or infinite; that latent's mean is over the other rows.
    Arrays: samples in which one was, of which nothing is used."""
    lacking: tuple[str, ...] = ()
    """Stream: channels that were not recorded; what would follow from them is NaN."""
    data: str = ""
    """Checkpoint: what was encoded, in words. Arrays: the file."""


@dataclass(frozen=True, eq=False, slots=True)
class PosteriorStatistics:
    """Means over x of a stage's posteriors N(μ(x), σ²(x)); arrays have shape (k,) where nothing else is said, float64.

    What may be None is not known from every origin: the stream has batches' means alone.
    """

    origin: Origin
    mean_variance: Array
    """E[σ²]."""
    mean_mu: Array
    """E[μ]."""
    mu_squared: Array
    """E[μ²]."""
    mu_variance: Array
    """Var(μ)."""
    kl: Array
    """KL to N(0, 1), nats."""
    mean_deviation: Array | None = None
    """E[σ]."""
    variance_variance: Array | None = None
    """Var(σ²)."""
    near_prior: Array | None = None
    """Share of the samples whose KL is below ε."""
    mu_covariance: Array | None = None
    """Cov(μ), shape (k, k)."""
    skewness: Array | None = None
    """Of the aggregate posterior."""
    kurtosis: Array | None = None
    """Excess kurtosis of the aggregate posterior."""


def statistics_of(moments: Moments, origin: Origin) -> PosteriorStatistics:
    """The statistics that the moments of all samples give."""
    return PosteriorStatistics(
        origin=origin,
        mean_variance=moments.mean_variance,
        mean_mu=moments.mean_mu,
        mu_squared=moments.mu_squared,
        mu_variance=moments.mu_variance,
        kl=moments.kl,
        mean_deviation=moments.mean_deviation,
        variance_variance=moments.variance_variance,
        near_prior=moments.near_prior,
        mu_covariance=moments.mu_covariance,
        skewness=moments.skewness,
        kurtosis=moments.kurtosis,
    )


def stage_of(info: RunInfo, number: int) -> StageInfo:
    """The stage asked for.

    Raises:
        VaemonError: the run has no rows yet.
        UnknownName: the run has not (yet) come to that stage.
    """
    stage = info.stage(number)
    if stage is not None:
        return stage
    if not info.stages:
        raise VaemonError(f"run {info.name!r} has no rows yet ({info.state}); ask again when it has trained some steps")
    begun = [str(each.number) for each in info.stages]
    raise UnknownName("stage", str(number), begun, f"run {info.name!r} has stage {', '.join(begun)}")


def woke_steps(source: Source, stage: StageInfo, until: int | None = None) -> Array:
    """Step at which each latent that is awake last woke, -1 for the sleepers, shape (k,).

    Args:
        source: of the run.
        stage: the stage whose events count.
        until: take no notice of events after this step.
    """
    found = whole(source.poll, Want(channels=(), stage=stage.number, columns=0)).events
    events = tuple(each for each in found if until is None or each.step <= until)
    return woke_at(events, stage.number, stage.latents)


def read_stream(source: Source, stage: StageInfo) -> PosteriorStatistics:
    """The equal-weight mean over the last full epoch of a stage, or over its last 500 rows where that is shorter.

    Raises:
        VaemonError: the stage has no rows yet, or the run did not record its posteriors' variance.
    """
    window, full_epoch, epoch = last_rows(source, stage)
    rows, lacking = _posterior_rows(source, window)
    known = np.logical_and.reduce([np.isfinite(each) for each in rows.values()])  # (n, k)
    means = {name: _mean(rows[name], known) if name in rows else np.full(stage.latents, np.nan) for name in POSTERIOR}
    return PosteriorStatistics(
        origin=Origin(
            kind="stream",
            step=window.last or 0,
            epoch=epoch,
            samples=len(known),
            first_step=window.first or 0,
            full_epoch=full_epoch,
            left_out=int((~known.all(axis=1)).sum()),
            lacking=lacking,
        ),
        mean_variance=means["mean_variance"],
        mean_mu=means["mean_mu"],
        mu_squared=means["mu_squared"],
        mu_variance=latents.mu_variance(means["mean_mu"], means["mu_squared"]),
        kl=means["latent_kl"],
    )


def _posterior_rows(source: Source, window: Window) -> tuple[dict[str, Array], tuple[str, ...]]:
    """The posterior's channels, each (n, k), float64; and the names of those that were not recorded."""
    rows: dict[str, Array] = {}
    for name in POSTERIOR:
        try:
            rows[name] = _exact(source, name, window)[1].astype(np.float64)
        except UnknownName as error:
            if name == "mean_variance":
                raise VaemonError(
                    "the run did not record its posteriors (no channel mean_variance); give Recorder.log() `mean` and "
                    "`variance` of every batch"
                ) from error
    return rows, tuple(name for name in POSTERIOR if name not in rows)


def last_rows(source: Source, stage: StageInfo) -> tuple[Window, bool, int]:
    """Which rows stand for the end of a stage, whether they are one full epoch, and the epoch of the last of them.

    Raises:
        VaemonError: the stage has no rows yet.
    """
    tail = _tail(source, stage)
    step = tail.step
    if not len(step):
        raise VaemonError(f"stage {stage.number} has no rows yet; ask again when it has trained some steps")
    begins, ends = _last_full_epoch(tail, stage.steps_per_epoch)
    full = 0 < ends - begins <= MOST_ROWS
    if not full:
        begins, ends = max(0, len(step) - MOST_ROWS), len(step)
    return Window(stage.number, int(step[begins]), int(step[ends - 1])), full, int(tail.epoch[ends - 1])


class _Tail(NamedTuple):
    """The last rows of a stage."""

    step: Array
    epoch: Array
    from_start: bool
    """Whether they are all the rows of the stage."""


def _tail(source: Source, stage: StageInfo) -> _Tail:
    """Enough rows to hold a full epoch of up to MOST_ROWS, whatever part of the next one has followed."""
    latest = source.poll(Cursor(), Want(channels=(), stage=stage.number, columns=0)).latest
    if latest is None:
        return _Tail(np.zeros(0, np.int64), np.zeros(0, np.int64), True)
    wanted = 2 * MOST_ROWS + 1
    step, epoch, from_start = rows_until(source, "epoch", stage, latest.step, wanted)
    return _Tail(step[-wanted:], epoch[-wanted:].astype(np.int64), from_start and len(step) <= wanted)


def rows_until(source: Source, channel: str, stage: StageInfo, last: int, wanted: int) -> tuple[Array, Array, bool]:
    """The last rows of a channel, as recorded: at least so many, or all where there are fewer.

    Args:
        source: of the run.
        channel: its name.
        stage: whose rows.
        last: the last step that may be among them.
        wanted: how many, at least.

    Returns:
        Their steps, (n,); their values, (n,) or (n, k); whether they reach back to the start of the stage.

    Raises:
        UnknownName: the channel was not recorded.
    """
    span = wanted
    while True:  # rows may stand further than one step apart
        first = last - span + 1
        step, values = _exact(source, channel, Window(stage.number, first if first > 0 else None, last))
        if len(step) >= wanted or first <= 0:
            return step, values, first <= 0
        span *= 4


def _last_full_epoch(tail: _Tail, steps_per_epoch: int | None) -> tuple[int, int]:
    """Rows [begins, ends) of the last epoch that is whole among these rows; (0, 0) where none is.

    An epoch begins where its number changes, or with the first row of the stage. It has ended where another
    follows, or where its last planned step is there; where no plan is known, an epoch as long as the one before it
    has ended too.
    """
    changes = [int(row) for row in np.flatnonzero(np.diff(tail.epoch)) + 1]
    bounds = [*([0] if tail.from_start else []), *changes, len(tail.epoch)]
    epochs = list(pairwise(bounds))
    if epochs and not _has_ended(epochs, int(tail.step[-1]), steps_per_epoch):
        epochs.pop()
    return epochs[-1] if epochs else (0, 0)


def _has_ended(epochs: list[tuple[int, int]], step: int, steps_per_epoch: int | None) -> bool:
    if steps_per_epoch:
        return step % steps_per_epoch == 0
    lengths = [end - begin for begin, end in epochs]
    return len(lengths) > 1 and lengths[-1] >= lengths[-2]


def _exact(source: Source, channel: str, window: Window) -> tuple[Array, Array]:
    # As many points as there can be steps asks for the rows themselves.
    series = source.series(channel, window, points=(window.last or 0) - (window.first or 0) + 1)
    return series.step, series.mean


def _mean(rows: Array, known: Array) -> Array:
    count = known.sum(axis=0)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(known, rows, 0.0).sum(axis=0) / np.where(count, count, np.nan))
