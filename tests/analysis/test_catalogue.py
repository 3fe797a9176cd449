"""Every entry of the catalogue, on posteriors whose figures are known."""

import numpy as np
import pytest

from analysis.catalogue import COLUMNS, REPORTS, examine, figures_by_name
from analysis.inputs import Origin, statistics_of
from analysis.measures.moments import merge, posterior_moments
from analysis.rules import Rules
from analysis.subject import Subject
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
        | {"active": 0, "waking": 0, "limbo": 0, "collapsed": 2}
        | {"epsilon_delta_collapsed": 2, "active_variables": 0, "mixed_variables": 0, "passive_variables": 2},
    ),
    (
        "one used, one in the limbo",
        [0.01, 0.81],
        {"inactive": 1, "inactive_as_published": 1, "active_units": 2, "inactive_and_active_units": 1}
        | {"active": 1, "waking": 0, "limbo": 1, "collapsed": 0, "kl": -0.5 * np.log(0.01 * 0.81)}
        | {"epsilon_delta_collapsed": 0, "active_variables": 1, "mixed_variables": 1, "passive_variables": 0},
    ),
    (
        "one that only the published code calls inactive",
        [0.45, 0.7],
        {"inactive": 0, "inactive_as_published": 1, "active_units": 2, "inactive_and_active_units": 0}
        | {"active": 0, "waking": 1, "limbo": 1, "collapsed": 0, "kl": -0.5 * np.log(0.45 * 0.7)}
        | {"epsilon_delta_collapsed": 0, "active_variables": 0, "mixed_variables": 2, "passive_variables": 0},
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
            "aggregate_kl": 0.02,  # Var(z) = 1 and no correlation: ½ |E[μ]|² is left
            "marginal_kl": 0.02,
            "total_correlation": 0.0,
            "chance_correlation": 2 * 0.64 * 0.36 / (4 * 500),
            "mu_correlation": 0.0,
            "z_correlation": 0.0,
            "largest_skewness": 0.0,
            "largest_kurtosis": 2 * 0.64**2,
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


def test_a_figure_is_called_so_in_one_report_alone():
    assert len(figures_by_name()) == sum(len(report.figures) for report in REPORTS.values())


def test_the_rules_overlap_and_none_is_the_others_opposite(make_posterior):
    part = examine(Subject(make_posterior("checkpoint", [0.01, 0.81, 0.999]), np.full(3, -1)), REPORTS)
    at = {name: i for i, name in enumerate(part.overlap.names)}
    counts = part.overlap.counts
    assert counts[at["inactive"], at["active_units"]] == 1
    assert counts[at["inactive"], at["inactive"]] == 2
    assert counts[at["epsilon_delta_collapsed"], at["passive_variables"]] == 1
    np.testing.assert_array_equal(counts, counts.T)
    assert part.column("marks").values.tolist() == ["..U.a", "IPU.m", "IP.Cp"]


def test_of_the_stream_only_what_it_tells_is_judged(make_posterior):
    part = examine(Subject(make_posterior("stream", [0.01, 0.9]), NOBODY_WOKE), REPORTS)
    assert part.overlap.names == ("inactive", "active_units")
    assert part.column("marks").values.tolist() == [".?U??", "I?U??"]
    assert figures(part, "variance_law")["total_correlation"] is None
    assert figures(part, "variance_law")["marginal_kl"] == pytest.approx(0)


def test_wakes_are_numbered_in_their_order(make_posterior):
    woke = np.array([300, -1, 20, 300, 900])
    part = examine(Subject(make_posterior("stream", [0.1, 0.9, 0.1, 0.1, 0.1]), woke), REPORTS)
    assert part.column("wake_order").values.tolist() == [2, -1, 1, 2, 4]


def test_rules_are_followed_and_named(make_posterior):
    posterior = make_posterior("checkpoint", [0.2, 0.9], near_prior=np.array([0.0, 0.95]))
    subject = Subject(posterior, NOBODY_WOKE, rules=Rules(epsilon=0.5, delta=0.1, near=0.25))
    found = {each.name: each for each in examine(subject, ["inactive"]).figures["inactive"]}
    assert (found["epsilon_delta_collapsed"].label, found["epsilon_delta_collapsed"].value) == (
        "(ε, δ)-collapsed: KL < 0.5 on 90 %",
        1,
    )
    assert (found["active_variables"].label, found["active_variables"].value) == ("active variables: E[σ²] ≤ 0.25", 1)


def test_how_many_latents_a_count_leaves_out(make_posterior):
    posterior = make_posterior("checkpoint", [np.nan, 0.5], mu_variance=np.array([0.5, np.nan]))
    found = {each.name: each for each in examine(Subject(posterior, NOBODY_WOKE), ["inactive"]).figures["inactive"]}
    assert (found["inactive"].value, found["inactive"].lost) == (0, 1)
    assert found["active_units"].lost == 1
    assert found["mixed_variables"].lost == 0


@pytest.mark.parametrize("mean", [0.0, np.nan, np.inf])
@pytest.mark.parametrize("log_variance", [0.0, -np.inf, np.nan, 800.0])
def test_posteriors_of_a_network_that_exploded_are_measured_without_a_warning(mean, log_variance):
    halves = [posterior_moments(np.full((5, 2), mean), np.full((5, 2), log_variance)) for _ in range(2)]
    posterior = statistics_of(merge(*halves), Origin("checkpoint", 1, 1, 10))
    found = figures(examine(Subject(posterior, NOBODY_WOKE), REPORTS), "inactive")
    known = not np.isnan(log_variance)
    assert found["inactive"] == ((0 if log_variance == -np.inf else 2) if known else None)
    assert found["epsilon_delta_collapsed"] == (None if np.isnan(mean) or not known else int(mean == log_variance) * 2)
