"""Posterior collapse and an ignored prior: the rule by closed forms, the tracker against a slow reference."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaemon.errors import UsageError
from vaemon.failures import JUDGED_BY, SPAN, FailureTracker
from vaemon.latents import Failure, failure, vacant
from vaemon.thresholds import DEFAULT, Thresholds

NONE, COLLAPSE, IGNORED = Failure.NONE, Failure.COLLAPSE, Failure.IGNORED
AT = replace(DEFAULT, lasting=64, grace=320)


def gaussian_kl(variance, mu_squared):
    """Of posteriors that all have this variance."""
    return 0.5 * (mu_squared + variance - np.log(variance) - 1)


def judged(variance, mu_squared=None, at=DEFAULT, before=NONE):
    variance = np.asarray(variance, float)
    mu_squared = np.clip(1 - variance, 0, None) if mu_squared is None else np.asarray(mu_squared, float)
    return failure(variance, gaussian_kl(variance, mu_squared), mu_squared, at, before)


@pytest.mark.parametrize(
    ("variance", "mu_squared", "expected"),
    [
        ([1.0] * 10, None, COLLAPSE),
        ([1.0] * 9 + [0.02], None, COLLAPSE),
        ([1.0] * 8 + [0.02] * 2, None, NONE),
        ([1.02] * 10, [0.0] * 10, COLLAPSE),
        ([0.8] * 10, None, NONE),  # limbo: inactive by the paper's rule, yet each tells .11 nats
        ([0.02] * 10, None, NONE),
        ([5e-4] * 10, None, NONE),  # almost no variance, but the law holds
        ([5e-4] * 10, [4.0] * 10, IGNORED),
        ([5e-4] * 10, [0.01] * 10, IGNORED),
        ([5e-4] * 9 + [1.0], [4.0] * 9 + [0.0], IGNORED),
        ([5e-4] * 8 + [1.0] * 2, [4.0] * 8 + [0.0] * 2, NONE),
        ([0.02] * 10, [4.0] * 10, NONE),  # the law is broken, as it often is early, but there is variance
        ([1.0], None, COLLAPSE),
        ([], None, NONE),
    ],
)
def test_failure(variance, mu_squared, expected):
    assert judged(variance, mu_squared) is expected


def test_a_failure_is_over_only_when_it_is_clearly_over():
    nearly = [1.0] * 8 + [0.02] * 2
    assert judged(nearly, before=COLLAPSE) is COLLAPSE
    assert judged([1.0] * 7 + [0.02] * 3, before=COLLAPSE) is NONE
    assert judged([5e-4] * 10, [1.3] * 10) is NONE
    assert judged([5e-4] * 10, [1.3] * 10, before=IGNORED) is IGNORED
    assert judged([5e-4] * 10, [1.2] * 10, before=IGNORED) is NONE


def test_where_the_kl_is_unknown_the_variance_alone_tells_who_is_vacant():
    variance, unknown = np.array([0.9, 0.97, 1.1, np.nan]), np.full(4, np.nan)
    assert vacant(variance, unknown).tolist() == [False, True, True, False]
    assert failure(variance[1:3], unknown[1:3], unknown[1:3]) is COLLAPSE


def test_what_is_not_known_changes_nothing():
    unknown = np.full(4, np.nan)
    for before in Failure:
        assert failure(unknown, unknown, unknown, before=before) is before
    # Without second moments nobody can say whether the law holds.
    assert failure(np.full(4, 1e-4), np.full(4, 5.0), unknown) is NONE


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"wake": 0.6}, "wake < doze"),
        ({"wake": 0.0}, "0 < wake"),
        ({"doze": 1.2}, "doze <= 1"),
        ({"inactive": 0.0}, "inactive"),
        ({"inactive": float("nan")}, "inactive"),
        ({"fewer": 0.95}, "fewer < most"),
        ({"most": 1.5}, "most <= 1"),
        ({"ignored": 0.4}, "ignored < wake"),
        ({"smoothing": 0.5}, "smoothing"),
        ({"hold": 2.5}, "whole"),
        ({"grace": -1}, "grace"),
        ({"unit": -0.1}, "unit"),
    ],
)
def test_thresholds_that_make_no_sense_are_refused(wrong, said):
    with pytest.raises(UsageError, match=said):
        Thresholds(**wrong)


def course(*pieces, latents=4):
    """Rows of a made-up course: (rows, E[σ²], E[μ²]) one after the other, the same for all latents."""
    variance = np.concatenate([np.full((rows, latents), float(v)) for rows, v, _ in pieces])
    mu_squared = np.concatenate([np.full((rows, latents), float(m)) for rows, _, m in pieces])
    return dict(zip(JUDGED_BY, (variance, gaussian_kl(variance, mu_squared), mu_squared), strict=True))


PRIOR, AWAKE, SHARP = (1.0, 0.0), (0.05, 0.95), (1e-4, 3.0)


def turns(rows, at=AT, **options):
    return [(turn.row, turn.failure) for turn in FailureTracker(4, at, **options).update(rows)]


def test_a_training_that_begins_collapsed_and_wakes_within_the_grace_is_no_failure():
    assert turns(course((300, *PRIOR), (600, *AWAKE))) == []


def test_one_that_never_wakes_is_a_failure_once_the_grace_is_over():
    # Spans from the one that ends with the grace on count, two of them settle it.
    assert turns(course((600, *PRIOR))) == [(351, COLLAPSE)]


def test_one_that_woke_and_collapses_within_the_grace_fails_at_once():
    assert turns(course((96, *PRIOR), (64, *AWAKE), (200, *PRIOR))) == [(223, COLLAPSE)]


def test_a_short_collapse_is_none():
    assert turns(course((400, *AWAKE), (63, *PRIOR), (200, *AWAKE))) == []


def test_a_collapse_is_over_when_the_latents_have_been_awake_for_as_long():
    found = turns(course((416, *AWAKE), (192, *PRIOR), (400, *AWAKE)))
    assert [kind for _, kind in found] == [COLLAPSE, NONE]
    assert found[1][0] == 671


def test_a_prior_that_is_ignored_is_told_after_the_grace_only():
    assert turns(course((600, *SHARP))) == [(351, IGNORED)]
    assert turns(course((64, *AWAKE), (200, *SHARP), (300, *AWAKE))) == []


def test_one_failure_may_follow_the_other():
    assert [kind for _, kind in turns(course((600, *PRIOR), (200, *SHARP)))] == [COLLAPSE, IGNORED]


def test_rows_without_statistics_neither_begin_nor_end_a_failure():
    unknown = (200, np.nan, np.nan)
    assert turns(course((600, *PRIOR), unknown)) == [(351, COLLAPSE)]
    assert turns(course(unknown, unknown, unknown)) == []


def wandering(seed, rows=900):
    """Pieces of random lengths of all kinds, some values missing."""
    rng = np.random.default_rng(seed)
    kinds = [PRIOR, AWAKE, SHARP, (0.8, 0.2), (0.97, 0.01)]
    pieces = [(int(rng.integers(1, 200)), *kinds[rng.integers(len(kinds))]) for _ in range(40)]
    found = {name: column[:rows] + 0.001 * rng.normal(size=(rows, 4)) for name, column in course(*pieces).items()}
    for column in found.values():
        column[rng.random(column.shape) < 0.05] = np.nan
    return found


@given(seed=st.integers(0, 2**32 - 1), cuts=st.lists(st.integers(1, 300), max_size=12), row=st.integers(0, 70))
@settings(max_examples=40, deadline=None)
def test_how_rows_are_cut_into_calls_makes_no_difference(seed, cuts, row):
    rows = wandering(seed)
    whole = turns(rows, row=row)
    tracker, parts, start = FailureTracker(4, AT, row), [], 0
    for cut in [*cuts, 900]:
        parts += tracker.update({name: column[start : start + cut] for name, column in rows.items()})
        start += cut
    assert [(turn.row, turn.failure) for turn in parts] == whole


def span_by_span(rows, at):
    """What the tracker means, without its bookkeeping."""
    now, verdicts, well, was_well, told = NONE, [], 0, False, []
    for end in range(SPAN, len(rows["mean_variance"]) + 1, SPAN):
        means = [np.nanmean(rows[name][end - SPAN : end], axis=0) for name in JUDGED_BY]
        is_well = min(means[0]) < at.wake and vacant(*means[:2], at).mean() <= at.fewer
        well = well + 1 if is_well else 0
        was_well |= well * SPAN >= at.lasting
        verdict = failure(*means, at, now)
        if verdict not in (NONE, now) and end < at.grace and not (verdict is COLLAPSE and was_well):
            verdict = NONE
        verdicts.append(verdict)
        if verdict is not now and verdicts[-(at.lasting // SPAN) :] == [verdict] * (at.lasting // SPAN):
            now = verdict
            told.append((end - 1, now))
    return told


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_the_tracker_tells_what_going_span_by_span_tells(seed):
    rows = wandering(seed)
    assert turns(rows) == span_by_span(rows, AT)


@pytest.mark.parametrize("cut", [400, 401, 431, 448, 460, 470, 600, 700])
def test_a_primed_tracker_goes_on_as_one_that_saw_everything(cut):
    rows = course((400, *AWAKE), (200, *PRIOR), (400, *AWAKE))
    whole = turns(rows)
    first = FailureTracker(4, AT)
    told = first.update({name: column[:cut] for name, column in rows.items()})
    back = AT.lasting + 2 * SPAN
    second = FailureTracker(4, AT, cut - back)
    second.prime(first.failure, {name: column[cut - back : cut] for name, column in rows.items()})
    told += second.update({name: column[cut:] for name, column in rows.items()})
    assert [(turn.row, turn.failure) for turn in told] == whole


def test_no_latents_and_no_rows_are_no_failure():
    assert FailureTracker(0, AT).update({name: np.zeros((500, 0)) for name in JUDGED_BY}) == []
    assert FailureTracker(4, AT).update({name: np.zeros((0, 4)) for name in JUDGED_BY}) == []
