"""Every entry of the catalogue, on posteriors whose figures are known."""

import numpy as np
import pytest

from analysis.catalogue import COLUMNS, REPORTS, Subject, examine
from vaemon.latents import LatentState

NOBODY_WOKE = np.full(2, -1)


def figures(part, report):
    return {each.name: each.value for each in part.figures[report]}


def test_every_column_shown_exists_and_names_are_unique():
    names = [each.name for each in COLUMNS]
    assert len(set(names)) == len(names)
    for report in REPORTS.values():
        assert all(name in names for shown in report.shown.values() for name in shown)
        assert len({each.name for each in report.figures}) == len(report.figures)


# id, E[σ²] of two latents that obey the law, then the expected figures of the report `inactive`
COUNTS = [
    (
        "posterior is the prior",
        [1.0, 1.0],
        {"inactive": 2, "inactive_as_published": 2, "active_units": 0, "inactive_and_active_units": 0, "kl": 0.0}
        | {"active": 0, "waking": 0, "limbo": 0, "collapsed": 2},
    ),
    (
        "one used, one in the limbo",
        [0.01, 0.81],
        {"inactive": 1, "inactive_as_published": 1, "active_units": 2, "inactive_and_active_units": 1}
        | {"active": 1, "waking": 0, "limbo": 1, "collapsed": 0, "kl": -0.5 * np.log(0.01 * 0.81)},
    ),
    (
        "one that only the published code calls inactive",
        [0.45, 0.7],
        {"inactive": 0, "inactive_as_published": 1, "active_units": 2, "inactive_and_active_units": 0}
        | {"active": 0, "waking": 1, "limbo": 1, "collapsed": 0, "kl": -0.5 * np.log(0.45 * 0.7)},
    ),
]


@pytest.mark.parametrize(("variance", "expected"), [pytest.param(*case[1:], id=case[0]) for case in COUNTS])
def test_inactive(make_posterior, variance, expected):
    part = examine(Subject(make_posterior("checkpoint", variance), NOBODY_WOKE), ["inactive"])
    assert figures(part, "inactive") == pytest.approx(expected, rel=1e-12)


def test_variance_law(make_posterior):
    # Var(μ) + E[σ²] = 1 for both; the second latent's mean is displaced by .2, so its law is 1.04.
    posterior = make_posterior(
        "checkpoint", [0.36, 0.64], mean_mu=np.array([0, -0.2]), mu_squared=np.array([0.64, 0.4])
    )
    found = figures(examine(Subject(posterior, NOBODY_WOKE), ["variance_law"]), "variance_law")
    assert found == pytest.approx(
        {
            "mean": 1.02,
            "deviation": 0.02,
            "worst": 0.04,
            "mean_as_published": (0.64 + 0.6 + 0.36 + 0.8) / 2,
            "largest_mean": 0.2,
            "mean_share": 0.02,
        }
    )


def test_what_the_stream_cannot_tell_is_none_and_not_zero(make_posterior):
    part = examine(Subject(make_posterior("stream", [0.1, 0.9]), NOBODY_WOKE), REPORTS)
    assert figures(part, "inactive")["inactive_as_published"] is None
    assert figures(part, "variance_law")["mean_as_published"] is None
    assert np.isnan(part.column("mean_deviation").values).all()
    without_means = make_posterior("stream", [0.1, 0.9], mu_variance=np.full(2, np.nan))
    found = figures(examine(Subject(without_means, NOBODY_WOKE), REPORTS), "inactive")
    assert found["active_units"] is None
    assert found["inactive_and_active_units"] is None
    assert found["inactive"] == 1


def test_the_definition_in_force(make_posterior):
    posterior = make_posterior("checkpoint", [0.7, 0.2])  # E[σ] = .84
    paper = examine(Subject(posterior, NOBODY_WOKE), REPORTS)
    published = examine(Subject(posterior, NOBODY_WOKE, as_published=True), REPORTS)
    assert paper.inactive.tolist() == [False, False]
    assert published.inactive.tolist() == [True, False]
    assert (paper.rule, published.rule) == ("E[σ²] ≥ 0.8", "E[σ] > 0.8")
    assert paper.shown[0] == "mean_variance"
    assert published.shown[0] == "mean_deviation"
    assert "law" in paper.shown
    assert "law_as_published" in published.shown
    # Both counts are told, whichever definition is in force.
    assert figures(paper, "inactive")["inactive"] == figures(published, "inactive")["inactive"] == 0
    assert figures(paper, "inactive")["inactive_as_published"] == 1


def test_the_threshold_is_in_force_and_in_the_labels(make_posterior):
    part = examine(Subject(make_posterior("checkpoint", [0.7, 0.2]), NOBODY_WOKE, threshold=0.65), ["inactive"])
    assert part.inactive.tolist() == [True, False]
    labels = [each.label for each in part.figures["inactive"]]
    assert labels[:2] == ["inactive: E[σ²] ≥ 0.65", "inactive as published: E[σ] > 0.65"]


def test_a_latent_that_woke_stays_active_until_it_dozes(make_posterior):
    posterior = make_posterior("stream", [0.4, 0.4])
    part = examine(Subject(posterior, np.array([120, -1])), ["inactive"])
    assert part.column("state").values.tolist() == ["active", "waking"]
    assert part.column("woke_at").values.tolist() == [120, -1]


def test_every_state_is_counted(make_posterior):
    names = [each.name for each in REPORTS["inactive"].figures]
    assert {state.name.lower() for state in LatentState} <= set(names)


@pytest.mark.parametrize("order", [[1, 0, 2], [2, 1, 0], [1, 2, 0]])
def test_the_order_of_the_latents_makes_no_difference(make_posterior, order):
    variance, woke = np.array([0.02, 0.45, 0.9]), np.array([70, -1, -1])
    part = examine(Subject(make_posterior("checkpoint", variance), woke), REPORTS)
    shuffled = examine(Subject(make_posterior("checkpoint", variance[order]), woke[order]), REPORTS)
    for column in part.columns:
        assert shuffled.column(column.name).values.tolist() == column.values[order].tolist()
    for report in REPORTS:
        assert figures(shuffled, report) == pytest.approx(figures(part, report), rel=1e-14)
