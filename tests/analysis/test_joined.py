"""Several reports together: mean and deviation, whatever runs lack, and how it is drawn and written."""

import csv
import io
import json

import numpy as np
import pytest

from analysis.catalogue import REPORTS, examine
from analysis.columns import COLUMNS
from analysis.compare import joined_to_text
from analysis.joined import join, joined_to_json
from analysis.subject import Subject
from analysis.tabular import to_csv

VARIANCES = ([0.1, 0.9, 0.9], [0.1, 0.2, 0.9], [0.1, 0.2, 0.3])
"""2, 1 and 0 inactive latents."""


@pytest.fixture
def runs(make_report, make_posterior):
    """Three runs, of which the last has no checkpoint."""

    def part(kind, variance):
        return examine(Subject(make_posterior(kind, variance), np.array([50, -1, -1])), REPORTS)

    return [
        make_report(
            run=f"run{i}",
            latents=3,
            parts=(),
            stream=part("stream", variance),
            checkpoint=part("checkpoint", variance) if i < 2 else None,
        )
        for i, variance in enumerate(VARIANCES)
    ]


def figure(joined, name):
    return next(each for each in joined.figures if each.name == name)


def test_mean_and_deviation(runs):
    (joined,) = join(runs)
    inactive = figure(joined, "inactive").spreads
    assert (inactive["stream"].mean, inactive["stream"].deviation) == (1.0, 1.0)
    assert (inactive["checkpoint"].mean, inactive["checkpoint"].deviation) == (1.5, pytest.approx(np.sqrt(0.5)))
    assert joined.kinds == {"stream": 3, "checkpoint": 2}
    assert "stream" not in figure(joined, "total_correlation").spreads


def test_of_one_run_there_is_no_deviation(runs):
    assert figure(join(runs[:1])[0], "kl").spreads["stream"].deviation is None


def test_stages_are_joined_apart_and_groups_named(runs, make_report):
    joined = join([*runs, make_report(stage=2)], group="lr=0.1")
    assert [(each.stage, len(each.reports), each.group) for each in joined] == [(1, 3, "lr=0.1"), (2, 1, "lr=0.1")]


def test_values_that_are_not_finite_are_left_out_and_counted(runs, make_report, make_posterior):
    broken = examine(Subject(make_posterior("stream", [0.1, np.nan, 0.9]), np.full(3, -1)), REPORTS)
    (joined,) = join([*runs, make_report(run="broken", stream=broken, parts=())])
    assert figure(joined, "kl").spreads["stream"].runs == 3
    assert "(3 of 4)" in joined_to_text([joined], 100)


@pytest.mark.parametrize("width", [80, 100, 120])
def test_as_text(runs, width):
    text = joined_to_text(join(runs), width)
    lines = text.splitlines()
    assert max(map(len, lines)) <= width
    assert lines[0] == "stage 1 of 3 runs"
    rows = {line.split()[0]: line.split()[1:] for line in lines if line.startswith("run")}
    assert rows["run1"][:3] == ["ckpt", "3", "1"]
    assert rows["run2"][:3] == ["stream", "3", "0"]
    assert any(
        line.split() == ["inactive:", "E[σ²]", "≥", "0.8", "1.0", "±", "1.0", "1.5", "±", "0.7"] for line in lines
    )


def test_a_long_name_leaves_out_columns_not_digits(runs, make_report):
    text = joined_to_text(join([*runs, make_report(run="a-very-long-name-of-a-run-20260101")]), 80)
    assert max(map(len, text.splitlines())) <= 80
    assert "a-very-long-name-of-a-ru" in text


def test_in_ascii(runs):
    assert joined_to_text(join(runs), 100, ascii_only=True).isascii()


def test_thresholds_that_differ_are_told_of(runs, make_report, make_posterior):
    assert "thresholds that differ" not in joined_to_text(join(runs), 100)
    other = examine(Subject(make_posterior("stream", [0.1, 0.2, 0.3]), np.full(3, -1), threshold=0.5), REPORTS)
    assert "thresholds that differ" in joined_to_text(join([*runs, make_report(stream=other, parts=())]), 100)


def test_notes_and_what_is_missing_are_told_by_run(runs, make_report):
    text = joined_to_text(
        join([*runs, make_report(run="last", notes=("A note.",), missing={"checkpoint": "gone"})]), 100
    )
    assert "last: A note." in text
    assert "last: No figures from the checkpoint: gone" in text


def test_as_json(runs):
    told = joined_to_json(runs, join(runs))
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert [each["run"] for each in told["reports"]] == ["run0", "run1", "run2"]
    assert told["joined"][0]["inactive"]["inactive"]["stream"] == {"mean": 1.0, "deviation": 1.0, "runs": 3}
    assert told["joined"][0]["variance_law"]["total_correlation"]["checkpoint"]["runs"] == 2


def test_as_csv_every_value_is_there_and_exact(runs):
    rows = list(csv.DictReader(io.StringIO(to_csv(runs))))
    assert tuple(rows[0]) == COLUMNS

    def value(**of):
        (found,) = [row["value"] for row in rows if all(row[key] == each for key, each in of.items())]
        return found

    assert value(run="run0", origin="stream", latent="", name="inactive") == "2"
    assert value(run="run0", origin="stream", latent="1", name="inactive") == "true"
    assert float(value(run="run1", origin="checkpoint", latent="0", name="kl")) == -0.5 * np.log(0.1)
    assert value(run="run1", origin="stream", name="total_correlation") == ""
    assert value(run="run1", origin="checkpoint", latent="0", name="woke_at") == "50"
    assert value(run="run1", origin="checkpoint", latent="1", name="woke_at") == ""
    assert value(run="run1", origin="checkpoint", latent="0", name="variable") == "active"
    assert {row["stage"] for row in rows} == {"1"}
    assert {row["step"] for row in rows} == {"4000"}
