"""The law of the fold: in whatever pieces a run comes, the view is the one of the whole."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaemon.batch import Batch, Columns, Cursor, Event, Latest, RunInfo, RunState
from vaemon.decimate import pool, width_for
from vaemon.view.fold import fold, heard, join, source_lost, widen, woke_at
from vaemon.view.state import RunView

K = 3
INFO = RunInfo("run42", "runs/run42", RunState.RUNNING)


def rows_of(count, seed):
    """A run of `count` rows, some of its values not finite."""
    rng = np.random.default_rng(seed)
    variance = rng.random((count, K))
    kl = rng.standard_normal(count)
    for values in (variance, kl):
        values[rng.random(values.shape) < 0.1] = np.nan
        values[rng.random(values.shape) < 0.03] = np.inf
    return {"step": np.arange(1, count + 1) * 2, "mean_variance": variance, "kl": kl}


def columns(rows, start, end, width):
    """Columns `start` to `end` straight from the rows."""
    piece = slice(start * width, end * width)
    last = slice(start * width + width - 1, end * width, width)
    wall, kl = pool(rows["mean_variance"][piece], width), pool(rows["kl"][piece], width)
    step = rows["step"][last]
    return Columns(
        first=start,
        width=width,
        step=step,
        time=step * 1.0,
        epoch=step // 100,
        mean={"mean_variance": wall.mean, "kl": kl.mean},
        low={"kl": kl.low},
        high={"kl": kl.high},
        bad={"kl": kl.bad},
    )


def answer(rows, shown, since, most, *, stage=1, keep=None, events=()):
    """What a source says of the first `shown` rows; `keep`: rows from there on have been replaced."""
    width = max(width_for(shown, most), since.width if since.stage == stage else 1)
    start = min(since.rows, shown if keep is None else keep) // width if since.stage == stage else 0
    end = shown // width
    newest = np.nan_to_num(rows["mean_variance"][shown - 1]) if shown else np.zeros(K)
    return Batch(
        info=INFO,
        cursor=Cursor(stage, 1, end * width, width, 0),
        stage=stage,
        rows=shown,
        columns=columns(rows, start, end, width),
        latest=Latest(2 * shown, 0, float(shown), {}, {"mean_variance": newest}),
        events=tuple(events),
        events_anew=keep is not None,
    )


def assert_same(found, expected):
    assert (found.first, found.width, len(found)) == (expected.first, expected.width, len(expected))
    for clock in ("step", "time", "epoch"):
        np.testing.assert_array_equal(getattr(found, clock), getattr(expected, clock))
    for figure in ("mean", "low", "high", "bad"):
        for name, values in getattr(expected, figure).items():
            np.testing.assert_allclose(
                getattr(found, figure)[name], values, rtol=1e-9, atol=1e-12, err_msg=f"{figure} of {name}"
            )


@given(st.lists(st.integers(0, 60), min_size=1, max_size=12), st.sampled_from([4, 8, 16]), st.integers(0, 99))
def test_any_cut_of_polls_equals_one_poll(cuts, most, seed):
    total = max(sum(cuts), 1)
    rows = rows_of(total, seed)
    view = RunView()
    for shown in [*np.cumsum(cuts), total]:
        if shown:
            view = fold(view, answer(rows, int(shown), view.cursor, most))
    whole = fold(RunView(), answer(rows, total, Cursor(), most))
    assert len(view.columns) <= most
    assert view.columns.width == whole.columns.width
    # The mean of a latent knows no counts: where one of its values was not finite, merged means may differ.
    drop = {"mean_variance"} if not np.isfinite(rows["mean_variance"]).all() else set()
    assert_same(_without(view.columns, drop), _without(whole.columns, drop))
    np.testing.assert_array_equal(view.states, whole.states)


def _without(columns, names):
    mean = {name: values for name, values in columns.mean.items() if name not in names}
    return Columns(
        columns.first,
        columns.width,
        columns.step,
        columns.time,
        columns.epoch,
        mean,
        columns.low,
        columns.high,
        columns.bad,
    )


@given(st.integers(1, 70), st.sampled_from([1, 2, 4]), st.sampled_from([2, 4, 8]), st.integers(0, 99))
def test_merging_equals_pooling_the_rows(count, width, times, seed):
    rows = rows_of(count * width * times, seed)
    rows["mean_variance"] = np.nan_to_num(rows["mean_variance"], posinf=0.5)
    narrow = columns(rows, 0, count * times, width)
    assert_same(widen(narrow, width * times), columns(rows, 0, count, width * times))


def test_an_odd_column_is_dropped_until_its_neighbour_comes():
    rows = rows_of(16, 1)
    assert len(widen(columns(rows, 0, 5, 1), 2)) == 2


@given(st.integers(1, 40), st.integers(0, 40), st.integers(1, 60), st.integers(0, 99))
def test_a_resumed_run_replaces_what_came_after(before, kept, after, seed):
    kept = min(kept, before)
    first, second = rows_of(before, seed), rows_of(kept + after, seed + 1)
    for name in second:
        second[name][:kept] = first[name][:kept]
    for rows in (first, second):
        rows["mean_variance"] = np.nan_to_num(rows["mean_variance"], posinf=0.5)
    view = fold(RunView(), answer(first, before, Cursor(), 8))
    view = fold(view, answer(second, kept + after, view.cursor, 8, keep=kept))
    if view.columns.width == width_for(kept + after, 8):
        assert_same(view.columns, fold(RunView(), answer(second, kept + after, Cursor(), 8)).columns)
    else:  # Columns never become narrower again.
        assert_same(view.columns, columns(second, 0, (kept + after) // view.columns.width, view.columns.width))


def test_events_are_added_or_told_anew():
    rows = rows_of(20, 3)
    woke = Event(4, 4.0, 1, "wake", 0)
    slept = Event(8, 8.0, 1, "sleep", 0)
    view = fold(RunView(), answer(rows, 10, Cursor(), 8, events=[woke]))
    assert view.woke.tolist() == [4, -1, -1]
    view = fold(view, answer(rows, 20, view.cursor, 8, events=[slept]))
    assert view.events == (woke, slept)
    assert view.woke.tolist() == [-1, -1, -1]
    view = fold(view, answer(rows, 15, view.cursor, 8, keep=3, events=[woke]))
    assert view.events == (woke,)


def test_another_stage_starts_anew():
    view = fold(RunView(), answer(rows_of(20, 3), 20, Cursor(), 8))
    second = fold(view, answer(rows_of(5, 4), 5, view.cursor, 8, stage=2))
    assert (second.stage, second.rows, len(second.columns)) == (2, 5, 5)


def test_a_stage_without_rows_yet_has_no_newest_row():
    view = fold(RunView(), answer(rows_of(20, 3), 20, Cursor(), 8))
    second = fold(view, Batch(INFO, Cursor(2), stage=2))
    assert second.latest is None
    assert second.latents == 0


def test_a_gap_keeps_what_is_new():
    rows = rows_of(20, 3)
    assert_same(join(columns(rows, 0, 3, 1), columns(rows, 5, 9, 1)), columns(rows, 5, 9, 1))


def test_a_channel_that_one_side_lacks_is_unknown_there():
    rows = rows_of(6, 5)
    old, new = columns(rows, 0, 3, 1), columns(rows, 3, 6, 1)
    new.mean["gamma"] = np.ones(3)
    del new.mean["kl"]
    joined = join(old, new)
    np.testing.assert_array_equal(joined.mean["gamma"], [np.nan, np.nan, np.nan, 1, 1, 1])
    assert np.isnan(joined.mean["kl"][3:]).all()


def test_a_lost_source_keeps_the_last_good_state():
    view = fold(RunView(), answer(rows_of(20, 3), 20, Cursor(), 8))
    lost = source_lost(view, "no route to host")
    assert (lost.lost, lost.rows) == ("no route to host", 20)
    assert fold(lost, answer(rows_of(20, 3), 20, lost.cursor, 8)).lost == ""


def test_latents_without_statistics_have_no_states():
    batch = answer(rows_of(4, 3), 4, Cursor(), 8)
    bare = Batch(INFO, batch.cursor, 1, 4, batch.columns, Latest(4, 0, 4.0, {}, {}))
    assert fold(RunView(), bare).latents == 0


def test_woke_at_ignores_latents_that_are_not_there():
    events = (Event(1, 1.0, 1, "wake", 7), Event(2, 2.0, 1, "wake", -1), Event(3, 3.0, 2, "wake", 0))
    assert woke_at(events, 1, 2).tolist() == [-1, -1]


@pytest.mark.parametrize(("clock", "expected"), [(500.0, 20.0), (5.0, 5.0)])
def test_a_row_that_was_there_before_is_as_old_as_its_writer_says(clock, expected):
    view = fold(RunView(), answer(rows_of(20, 3), 20, Cursor(), 8))
    assert heard(RunView(), view, clock).heard == expected


def test_a_row_that_comes_later_is_heard_when_it_comes():
    rows = rows_of(30, 3)
    first = heard(RunView(), fold(RunView(), answer(rows, 20, Cursor(), 8)), 500.0)
    same = heard(first, fold(first, answer(rows, 20, first.cursor, 8)), 600.0)
    newer = heard(same, fold(same, answer(rows, 30, same.cursor, 8)), 700.0)
    assert (first.heard, same.heard, newer.heard) == (20.0, 20.0, 700.0)


def test_nothing_is_heard_before_the_first_row():
    assert heard(RunView(), RunView(), 100.0).heard == 0.0


def test_active_units_are_counted_where_both_moments_of_mu_are_there():
    batch = answer(rows_of(4, 3), 4, Cursor(), 8)
    moments = {"mean_mu": np.array([0.0, 2.0, 2.0]), "mu_squared": np.array([0.0101, 4.005, 4.5])}
    view = fold(RunView(), replace(batch, latest=replace(batch.latest, smoothed={**batch.latest.smoothed, **moments})))
    assert (view.units.tolist(), view.active_units) == ([True, False, True], 2)
    unknown = fold(view, replace(batch, latest=batch.latest))
    assert (unknown.units.tolist(), unknown.active_units) == ([], None)


def test_wakes_and_failures_are_known_alike_whether_events_come_one_by_one_or_at_once():
    rng = np.random.default_rng(4)
    kinds = ("wake", "sleep", "note", "collapse", "ignored", "restored")
    events = [Event(i, float(i), 1 + i % 2, str(rng.choice(kinds)), int(rng.integers(-1, 5))) for i in range(60)]
    latest = Latest(1, 0, 1.0, {}, {"mean_variance": np.full(5, 0.5)})

    def answer(events, anew):
        return Batch(
            RunInfo("r", "r", RunState.RUNNING), Cursor(), 1, 1, latest=latest, events=events, events_anew=anew
        )

    view = RunView()
    for i, event in enumerate(events):
        view = fold(view, answer((event,), anew=not i))
        whole = fold(RunView(), answer(tuple(events[: i + 1]), anew=True))
        assert (view.events, view.failure, view.alarm) == (whole.events, whole.failure, whole.alarm)
        assert view.woke.tolist() == whole.woke.tolist()
    assert fold(view, answer((), anew=True)).woke.tolist() == [-1] * 5
