"""The line that names what was left out."""

import pytest

from analysis import printing, terminal
from analysis import rest as module
from analysis.rest import rest
from analysis.several import Answered


@pytest.fixture(autouse=True)
def two_cores(monkeypatch):
    monkeypatch.setattr(module.os, "sched_getaffinity", lambda pid: {0, 1})


def test_both_stages_of_a_run(make_report):
    reports = [make_report(), make_report(stage=2)]
    assert rest(reports) == (
        "Not computed: --renormalize (seconds), --fid (50,000 images through Inception: about 52 minutes on 2 cores, "
        "less on a GPU)."
    )


def test_one_stage_has_nothing_to_renormalise(make_report):
    line = rest([make_report()])
    assert "renormalize" not in line
    assert "30,000 images through Inception: about 31 minutes" in line


def test_many_runs_take_hours(make_report):
    assert "about 5 hours" in rest([make_report()] * 10)


def test_without_a_checkpoint_nothing_can_be_computed(make_report):
    assert rest([make_report(parts=("stream",))]) == ""


def test_the_line_is_the_last_and_fits(make_report, capsys, monkeypatch):
    monkeypatch.setattr(terminal, "PLAIN_WIDTH", 80)
    answered = Answered("run", (make_report(), make_report(stage=2)), ())
    printing.print_text([answered], {})
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[-2].startswith("Not computed: --renormalize (seconds), --fid (50,000 images")
