"""What --fail-if lets pass, and that nothing unknown does."""

import re

import numpy as np
import pytest

from analysis.catalogue import examine
from analysis.failing import failures, parse_figures, reports_named, told_of
from analysis.subject import Subject
from vaemon.errors import UnknownName, UsageError


def reasons(report, *conditions):
    reports = report if isinstance(report, list) else [report]
    return list(failures(reports[0].run, told_of(reports), parse_figures(conditions)))


@pytest.mark.parametrize(
    ("condition", "fails"),
    [
        ("inactive>1", True),
        ("inactive>2", False),
        ("inactive>=2 and kl<1", False),
        ("inactive>5 or kl>4", True),
        ("checkpoint.inactive>1", True),
        ("stream.inactive.inactive>1", True),
        ("stage1.checkpoint.variance_law.mean>1.5", False),
        ("mean>0.999 and mean<1.001", True),
    ],
)
def test_what_holds_fails(make_report, condition, fails):
    assert bool(reasons(make_report(), condition)) is fails


def test_the_sentence_says_what_was_found(make_report):
    assert reasons(make_report(), "inactive>1", "stream.kl>=4", "limbo>9") == [
        "shapes-20260101-120000: --fail-if inactive>1: inactive is 2 (checkpoint)",
        "shapes-20260101-120000: --fail-if stream.kl>=4: stream.kl is 4.05468 (stream)",
    ]


def test_what_is_not_known_fails(make_report):
    alone = make_report(parts=("stream",))
    assert reasons(alone, "total_correlation>9") == [
        "shapes-20260101-120000: --fail-if total_correlation>9: total_correlation is not known"
    ]
    assert reasons(alone, "checkpoint.inactive>99")
    assert reasons(alone, "stage2.inactive>99")
    assert not reasons(alone, "inactive>99")


def test_nan_fails_whatever_is_asked_of_it(make_report, make_posterior):
    part = examine(Subject(make_posterior("stream", [np.nan, 0.9]), np.full(2, -1)), ["inactive", "variance_law"])
    report = make_report(stream=part, parts=("stream",))
    for condition in ("inactive>30", "inactive<0", "mean>9", "kl>9", "largest_mean>9 or worst>9"):
        assert reasons(report, condition), condition
    assert reasons(report, "inactive>30")[0].endswith("inactive cannot be told, for 1 latents are NaN (stream)")
    assert not reasons(report, "largest_mean>9"), "E[μ] is known of all"
    assert not reasons(report, "largest_mean>9 and mean>9"), "the one says no, whatever the other is"


def test_an_infinite_value_is_compared(make_report, make_posterior):
    posterior = make_posterior("stream", [0.5], kl=np.array([np.inf]))
    report = make_report(stream=examine(Subject(posterior, np.array([-1])), ["inactive"]), parts=("stream",))
    assert reasons(report, "kl>1e6")
    assert not reasons(report, "kl<1e6")


def test_a_name_without_a_stage_is_of_the_first(make_report):
    stages = [make_report(), make_report(stage=2, threshold=0.5)]
    assert len(reasons(stages, "inactive>1", "stage2.inactive>1", "stage1.inactive>1")) == 3


def test_unknown_names_tell_the_nearest():
    with pytest.raises(UnknownName, match=r"unknown figure in --fail-if 'inactve' .did you mean 'inactive'"):
        parse_figures(["inactve>3"])
    with pytest.raises(UnknownName, match=r"'stage3\.inactive'"):
        parse_figures(["stage3.inactive>3"])
    with pytest.raises(UsageError, match="--fail-if 'inactive'"):
        parse_figures(["inactive"])


def test_a_figure_brings_its_report():
    assert reports_named(parse_figures(["inactive>3 and total_correlation>1", "stream.mean>2"])) == {
        "inactive",
        "variance_law",
    }


def test_what_is_no_condition_is_told_by_examples_that_are():
    for text in ("inactive", "inactive>", "> 3"):
        with pytest.raises(UsageError) as refused:
            parse_figures([text])
        examples = str(refused.value).partition("write it as in ")[2]
        for example in re.findall(r"'([^']*)'", examples):
            assert parse_figures([example])
        assert "inactive>30" in examples
