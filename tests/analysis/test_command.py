"""`vaemon analyze` from the command line: options, streams, exit codes, and a run recorded for real."""

import csv
import json
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner

import vaemon.source.open
from analysis.command import analyze
from vaemon import Recorder
from vaemon.errors import UnknownName, UsageError


@pytest.fixture
def source(make_source, monkeypatch):
    """What open_source gives, whatever it is asked for; what it was asked is in .opened."""
    found = make_source(1200, 500, latents=16)
    found.channels["mean_variance"][:, 5:] = 0.9
    found.opened = []
    monkeypatch.setattr(vaemon.source.open, "open_source", lambda *asked, links: found.opened.append(asked) or found)
    return found


def invoke(*arguments, **more):
    return CliRunner().invoke(analyze, arguments, catch_exceptions=False, **more)


def test_the_default_is_both_reports_of_the_latest_run(source):
    done = invoke()
    assert done.exit_code == 0
    assert source.opened == [(None, None)]
    assert source.closed
    lines = done.stdout.splitlines()
    assert lines[0] == "run · stage 1 · 16 latents · finished"
    assert "steps 501–1,000 · the last full epoch, 500 rows, each a training batch" in lines
    values = {line.rsplit(maxsplit=1)[0]: line.split()[-1] for line in lines if line}
    assert values["inactive: E[σ²] ≥ 0.8"] == "11"
    assert "variance law: mean of E[μ²] + E[σ²]" in values
    assert lines[-1] == "No figures from the checkpoint: the run lies on another machine; analyze it there"
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("options", "there", "absent"),
    [
        (["--inactive"], "inactive: E[σ²] ≥ 0.8", "variance law"),
        (["--variance-law"], "variance law", "active units"),
        (["--inactive", "--variance-law"], "variance law", "nothing of the kind"),
        (["--inactive", "--threshold", "0.95"], "inactive: E[σ²] ≥ 0.95", "Below the line"),
        (["--no-checkpoint"], "variance law", "No figures"),
    ],
)
def test_options_choose(source, options, there, absent):
    done = invoke(*options)
    assert there in done.stdout
    assert absent not in done.stdout


def test_a_pipe_gets_100_columns_and_no_colour(source):
    done = invoke("--no-checkpoint", "--figure", env={"COLUMNS": "40"})
    assert "\x1b" not in done.stdout
    assert max(map(len, done.stdout.splitlines())) == 100


def test_json_alone_is_on_stdout(source):
    done = invoke("run42", "--json", "--runs", "elsewhere")
    assert source.opened[0][0] == "run42"
    assert str(source.opened[0][1]) == "elsewhere"
    told = json.loads(done.stdout)
    assert told["stream"]["inactive"]["inactive"] == 11
    assert told["stream"]["variance_law"]["mean"] == pytest.approx((5 * 1.0 + 11 * 1.65) / 16)
    assert told["checkpoint"] is None
    assert done.stderr == "no figures from the checkpoint: the run lies on another machine; analyze it there\n"


def test_csv_has_a_row_a_latent(source):
    done = invoke("--csv", "--no-checkpoint")
    rows = list(csv.DictReader(done.stdout.splitlines()))
    assert [row["latent"] for row in rows] == [str(i) for i in range(16)]
    assert {(row["origin"], row["step"], row["epoch"]) for row in rows} == {("stream", "1000", "1")}
    assert [row["inactive"] for row in rows] == ["False"] * 5 + ["True"] * 11
    assert float(rows[0]["mean_variance"]) == 0.25
    assert rows[0]["woke_at"] == ""


def test_the_figure_stands_before_the_report(source):
    done = invoke("--figure", "--no-checkpoint")
    lines = done.stdout.splitlines()
    assert lines[0].strip() == "E[σ²] of 16 latents; the line is 0.8"
    assert "run · stage 1 · 16 latents · finished" in lines
    channel, _ = source.asked[-1]
    assert channel == "mean_variance"


def test_ascii_where_stdout_takes_no_more(source):
    done = CliRunner(charset="ascii").invoke(analyze, ["--figure", "--no-checkpoint"], catch_exceptions=False)
    assert done.exit_code == 0
    assert done.stdout.isascii()
    assert "inactive: E[s^2] >= 0.8" in done.stdout
    assert "****" in done.stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--json", "--figure"], "--figure draws for people"),
        (["--json", "--csv"], "use one of them"),
        (["--data", "x", "--no-checkpoint"], "--data is for the checkpoint's part"),
        (["--as-published", "--no-checkpoint"], "needs E\\[σ\\]"),
    ],
)
def test_options_that_contradict_each_other(source, options, message):
    with pytest.raises(UsageError, match=message):
        invoke(*options)
    assert source.opened == []


@pytest.mark.parametrize("options", [["--stage", "3"], ["--stage", "x"], ["--threshold", "0"], ["--threshold", "-1"]])
def test_values_out_of_range(source, options):
    assert invoke(*options).exit_code == 2


def test_a_stage_that_has_not_begun_closes_the_source(source):
    with pytest.raises(UnknownName, match="unknown stage '2'"):
        invoke("--stage", "2")
    assert source.closed


def test_the_help_names_every_option():
    text = invoke("--help").stdout
    for parameter in analyze.params:
        assert all(option in text for option in parameter.opts if option.startswith("--"))


@pytest.fixture
def recorded(runs, log_rows, staircase):
    """A run recorded for real: three epochs of 200 steps and a rest of 50; latents 0 to 3 wake, 4 and 5 do not."""
    with Recorder("hand", latents=6, runs=runs, steps_per_epoch=200, total_steps=1000) as recorder:
        variance = staircase(650, 6)
        variance[:, 4:] = 0.99
        log_rows(recorder, variance.astype(np.float32))
    return variance


def test_a_run_recorded_for_real(recorded, runs):
    told = json.loads(invoke("hand", "--runs", str(runs), "--json").stdout)
    origin = told["stream"]["origin"]
    window = recorded[origin["first_step"] - 1 : origin["step"]]
    assert origin["step"] - origin["first_step"] + 1 == origin["rows"] == len(window)
    found = [each["mean_variance"] for each in told["stream"]["latents"]]
    np.testing.assert_allclose(found, window.mean(axis=0), rtol=1e-6)
    assert told["stream"]["inactive"]["inactive"] == (window.mean(axis=0) >= 0.8).sum() == 2
    assert told["stream"]["variance_law"]["mean"] == pytest.approx(1, abs=1e-6)
    woke = [each["woke_at"] for each in told["stream"]["latents"]]
    assert woke[4:] == [None, None]
    assert all(100 * (i + 1) < step < 100 * (i + 2) for i, step in enumerate(woke[:4]))


def test_the_stream_needs_no_torch(recorded, runs):
    code = (
        "import sys; from analysis.command import analyze\n"
        f"analyze.main(['hand', '--runs', {str(runs)!r}, '--no-checkpoint', '--figure'], standalone_mode=False)\n"
        "print(sorted({'torch', 'scipy', 'trainer', 'textual', 'msgspec'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert done.stderr == ""


def test_the_command_itself_is_imported_for_nothing():
    code = (
        "import analysis.command, sys\n"
        "print(sorted({'torch', 'numpy', 'rich', 'h5py', 'plotext', 'trainer'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
