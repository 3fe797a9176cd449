"""fold(view, batch) -> view: the one way in which a view changes. Pure and total."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from vaemon import latents
from vaemon.batch import Array, Batch, Columns, Event
from vaemon.decimate import pair_mean
from vaemon.findings import failure_words, newest_failure
from vaemon.latents import Failure
from vaemon.thresholds import Thresholds
from vaemon.view.state import RunView
from vaemon.view.words import FAILURES


def fold(view: RunView, batch: Batch) -> RunView:
    """The view after a source's answer.

    A change of stage starts the columns anew; columns of a resumed run take the place of those that they
    replace; wider columns merge pairs of those already there.
    """
    same, before = batch.stage == view.stage, view
    columns = join(view.columns, batch.columns) if same else batch.columns
    if not same or batch.cursor.segments != view.cursor.segments:  # what was seen closely may have been replaced
        view = replace(view, near=None, portrait=None)
    view = replace(
        view,
        info=batch.info,
        cursor=batch.cursor,
        stage=batch.stage,
        rows=batch.rows,
        columns=columns,
        events=batch.events if batch.events_anew else view.events + batch.events,
        rate=batch.rate if batch.latest is not None or not same else view.rate,
        pause=batch.pause if batch.latest is not None or not same else view.pause,
        latest=batch.latest or (view.latest if same else None),
        lost="",
        loading=batch.more,
    )
    told = batch.events or batch.events_anew or batch.latest is not before.latest
    if same and not told and view.thresholds == before.thresholds:
        return view  # nothing is known of the latents that was not before
    return _with_states(view, before if same and not batch.events_anew else RunView(), batch.events)


def source_lost(view: RunView, why: str) -> RunView:
    """The view while its source does not answer: the last good state, and the reason."""
    return replace(view, lost=why, ahead=replace(view.ahead, lost=why) if view.ahead is not None else None)


def heard(before: RunView, after: RunView, now: float) -> RunView:
    """The view `after`, knowing when its newest row came by the reader's clock.

    The writer's clock is asked only for a row that was there when the reader came: two machines' clocks differ.
    """
    if after.latest is None:
        return after
    if before.latest is None or before.loading or before.stage != after.stage:
        return replace(after, heard=min(after.latest.time, now))
    new = (after.rows, after.latest.step) != (before.rows, before.latest.step)
    return replace(after, heard=now if new else before.heard)


def _with_states(view: RunView, before: RunView, new: tuple[Event, ...]) -> RunView:
    """The view with what is known of its latents; `before` is one that lacks but the new events of it."""
    if view.latest is None or "mean_variance" not in view.latest.smoothed:
        none = RunView()
        return replace(
            view,
            states=none.states,
            woke=none.woke,
            inactive=none.inactive,
            units=none.units,
            failure=none.failure,
            alarm=none.alarm,
        )
    variance = view.latest.smoothed["mean_variance"]
    kl = view.latest.smoothed.get("latent_kl", np.full_like(variance, np.nan))
    # A long run has many events: only those are gone through that were not before.
    known = len(before.woke) == len(variance)
    told = new if known else view.events
    woke = woke_at(told, view.stage, len(variance), before.woke if known else None)
    failure, at = newest_failure(told, view.stage, before.failure if known else Failure.NONE), view.thresholds
    return replace(
        view,
        states=latents.states(variance, kl, woke >= 0, at),
        woke=woke,
        inactive=int(latents.inactive(variance, at.inactive).sum()),
        units=_units(view.latest.smoothed, at),
        failure=failure,
        alarm=_alarm(failure, variance, kl, view.latest.smoothed, at) if failure else "",
    )


def _alarm(failure: Failure, variance: Array, kl: Array, smoothed: Mapping[str, Array], at: Thresholds) -> str:
    unknown = np.full_like(variance, np.nan)
    told = failure_words(failure, variance, kl, smoothed.get("mu_squared", unknown), at)
    return f"{FAILURES[failure]}: {told}"


def _units(smoothed: Mapping[str, Array], at: Thresholds) -> Array:
    """Which latents are active units; empty where the moments of μ are not recorded."""
    if "mean_mu" not in smoothed or "mu_squared" not in smoothed:
        return np.zeros(0, bool)
    spread = latents.mu_variance(smoothed["mean_mu"], smoothed["mu_squared"])
    return latents.active_units(spread, at.unit) if np.isfinite(spread).any() else np.zeros(0, bool)


def woke_at(events: tuple[Event, ...], stage: int, count: int, before: Array | None = None) -> Array:
    """Step at which each latent that is awake last woke; -1 for the sleepers; `before` these events. Shape (count,)."""
    woke = np.full(count, -1, np.int64) if before is None else before.copy()
    for event in events:
        if event.stage == stage and 0 <= event.latent < count:
            if event.kind == "wake":
                woke[event.latent] = event.step
            elif event.kind == "sleep":
                woke[event.latent] = -1
    return woke


def join(old: Columns, new: Columns) -> Columns:
    """Columns `new` put after, or in the place of, the end of `old`; `old` is widened to fit.

    Where the two do not touch (a gap, or `old` too wide to be put before `new`), `new` alone is kept.
    """
    old = widen(old, new.width)
    keep = new.first - old.first
    if not 0 < keep <= len(old) or new.width != old.width:
        return new
    if keep == len(old) and not len(new) and new.mean.keys() <= old.mean.keys():
        return old
    counts = (keep, len(new))
    return Columns(
        first=old.first,
        width=new.width,
        step=np.concatenate([old.step[:keep], new.step]),
        time=np.concatenate([old.time[:keep], new.time]),
        epoch=np.concatenate([old.epoch[:keep], new.epoch]),
        mean=_joined(old.mean, new.mean, counts),
        low=_joined(old.low, new.low, counts),
        high=_joined(old.high, new.high, counts),
        bad=_joined(old.bad, new.bad, counts, unknown=0),
        absent=_absent(old, new, keep),
    )


def _absent(old: Columns, new: Columns, keep: int) -> dict[str, Array]:
    """Rows without a channel: also those of columns from a time when nobody knew of it."""
    absent = {}
    everywhere = old.mean.keys() & new.mean.keys()
    for name in {**old.mean, **new.mean}:
        if name in everywhere and name not in old.absent and name not in new.absent:
            continue
        shape = (old if name in old.mean else new).mean[name].shape[1:]
        parts = []
        for columns, count in ((old, keep), (new, len(new))):
            none = np.full((count, *shape), 0 if name in columns.mean else columns.width)
            parts.append(columns.absent.get(name, none)[:count])
        joined = np.concatenate(parts)
        if joined.any():
            absent[name] = joined
    return absent


def _joined(
    old: Mapping[str, Array], new: Mapping[str, Array], counts: tuple[int, int], unknown: float = np.nan
) -> dict[str, Array]:
    """The first and the last so many columns together; `unknown` where one side lacks a channel."""
    joined = {}
    for name in {**old, **new}:
        shape = (old if name in old else new)[name].shape[1:]
        sides = zip((old, new), counts, strict=True)
        parts = [side[name][:n] if name in side else np.full((n, *shape), unknown) for side, n in sides]
        joined[name] = np.concatenate(parts)
    return joined


def widen(columns: Columns, width: int) -> Columns:
    """The same columns merged pair by pair until they are `width` rows wide; an odd one at the end is dropped.

    The first must be one that a column of that width begins with.
    """
    while columns.width < width:
        columns = _merge_pairs(columns)
    return columns


def _merge_pairs(columns: Columns) -> Columns:
    even = len(columns) // 2 * 2
    last = slice(1, even, 2)
    there = {name: columns.width - count[:even] for name, count in columns.absent.items()}
    all_rows = np.full(even, columns.width)
    finite = there | {name: there.get(name, all_rows) - count[:even] for name, count in columns.bad.items()}
    with np.errstate(invalid="ignore"):
        return Columns(
            first=columns.first // 2,
            width=columns.width * 2,
            step=columns.step[last],
            time=columns.time[last],
            epoch=columns.epoch[last],
            mean={k: pair_mean(v[:even], finite.get(k, all_rows)) for k, v in columns.mean.items()},
            low={k: np.fmin(v[0:even:2], v[1:even:2]) for k, v in columns.low.items()},
            high={k: np.fmax(v[0:even:2], v[1:even:2]) for k, v in columns.high.items()},
            bad={k: v[0:even:2] + v[1:even:2] for k, v in columns.bad.items()},
            absent={k: v[0:even:2] + v[1:even:2] for k, v in columns.absent.items()},
        )
