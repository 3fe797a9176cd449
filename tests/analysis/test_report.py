"""The JSON of a report: its keys, its types, and that nothing is lost on the way."""

import json
import math

import numpy as np
import pytest

from analysis.catalogue import COLUMNS, REPORTS
from analysis.report import Factors, to_json

TOP = {
    "format": int,
    "run": str,
    "address": str,
    "state": str,
    "stage": int,
    "latents": int,
    "threshold": float,
    "as_published": bool,
    "reports": list,
    "stream": dict,
    "checkpoint": dict,
    "missing": dict,
    "notes": list,
    "factors": dict,
    "posterior": type(None),
}


@pytest.fixture
def report(make_report):
    return make_report(notes=("a note",), factors=Factors(2, ("x", "y"), 2, 3))


def test_it_survives_the_round_trip(report):
    told = to_json(report)
    assert json.loads(json.dumps(told, allow_nan=False)) == told


def test_its_keys_and_types(report):
    told = to_json(report)
    assert {name: type(value) for name, value in told.items()} == TOP
    assert told["factors"] == {"count": 2, "names": ["x", "y"], "woken": 2, "active": 3}
    for kind in ("stream", "checkpoint"):
        assert list(told[kind]) == ["origin", "rule", "inactive", "variance_law", "overlap", "latents"]
        for name in REPORTS:
            assert list(told[kind][name]) == [each.name for each in REPORTS[name].figures]
        assert [each["latent"] for each in told[kind]["latents"]] == [0, 1, 2, 3, 4, 5]
        assert list(told[kind]["latents"][0]) == ["latent", "inactive", *(each.name for each in COLUMNS)]


def test_origins_say_which_rows_and_which_images(report):
    told = to_json(report)
    assert told["stream"]["origin"] == {
        "kind": "stream",
        "step": 4000,
        "epoch": 7,
        "first_step": 3501,
        "rows": 500,
        "full_epoch": True,
        "left_out": 0,
    }
    assert told["checkpoint"]["origin"] == {"kind": "checkpoint", "step": 4000, "epoch": 7, "images": 500, "data": ""}


def test_values_are_exact_and_what_is_unknown_is_null(report):
    told = to_json(report)
    first = told["stream"]["latents"][0]
    assert first["mean_variance"] == 0.9
    assert first["inactive"] is True
    assert first["mean_deviation"] is None
    assert first["woke_at"] is None
    assert told["stream"]["latents"][1]["woke_at"] == 120
    assert told["stream"]["latents"][1]["state"] == "active"
    assert told["stream"]["inactive"]["inactive_as_published"] is None
    assert told["checkpoint"]["latents"][0]["mean_deviation"] == math.sqrt(0.9)


def test_nan_and_infinity_become_null(make_posterior, make_report):
    from analysis.catalogue import Subject, examine

    posterior = make_posterior("stream", [np.nan, 0.5], kl=np.array([np.inf, 0.1]))
    part = examine(Subject(posterior, np.array([-1, -1])), REPORTS)
    told = to_json(make_report(stream=part, checkpoint=None))
    json.dumps(told, allow_nan=False)
    assert told["stream"]["latents"][0]["mean_variance"] is None
    assert told["stream"]["inactive"]["kl"] is None
    assert told["stream"]["variance_law"]["mean"] is None
    assert told["checkpoint"] is None


def test_only_the_reports_asked_for(make_report):
    told = to_json(make_report(reports=("variance_law",)))
    assert "inactive" not in told["stream"]
    assert "variance_law" in told["stream"]


def test_the_table_is_sorted_by_variance_with_nan_last(make_report, make_posterior):
    assert make_report().stream.order() == [1, 4, 3, 5, 0, 2]
    from analysis.catalogue import Subject, examine

    part = examine(Subject(make_posterior("stream", [np.nan, 0.5, 0.5, 0.1]), np.full(4, -1)), REPORTS)
    assert part.order() == [3, 1, 2, 0]  # equals in the order of the latents
