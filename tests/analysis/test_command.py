"""`vaemon analyze` from the command line: options, streams, exit codes, and a run recorded for real."""

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
    """What open_several gives, whatever it is asked for; what it was asked is in .opened."""
    found = make_source(1200, 500, latents=16)
    found.channels["mean_variance"][:, 5:] = 0.9
    found.opened = []
    monkeypatch.setattr(
        vaemon.source.open, "open_several", lambda *asked: found.opened.append(asked[:3]) or [("run", found)]
    )
    return found


def invoke(*arguments, **more):
    return CliRunner().invoke(analyze, arguments, catch_exceptions=False, **more)


def test_the_default_is_both_reports_of_the_latest_run(source):
    done = invoke()
    assert done.exit_code == 0
    assert source.opened == [((), None, {})]
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
    done = invoke("--no-checkpoint", env={"COLUMNS": "40"})
    assert "\x1b" not in done.stdout
    assert 80 < max(map(len, done.stdout.splitlines())) <= 100


def test_json_alone_is_on_stdout(source):
    done = invoke("run42", "--json", "--runs", "elsewhere")
    assert source.opened[0][0] == ("run42",)
    assert str(source.opened[0][1]) == "elsewhere"
    (told,) = json.loads(done.stdout)["reports"]
    assert told["stream"]["inactive"]["inactive"] == 11
    assert told["stream"]["variance_law"]["mean"] == pytest.approx((5 * 1.0 + 11 * 1.65) / 16)
    assert told["checkpoint"] is None
    assert done.stderr == (
        "no figures from the checkpoint of run, stage 1: the run lies on another machine; analyze it there\n"
    )


def test_ascii_where_stdout_takes_no_more(source):
    done = CliRunner(charset="ascii").invoke(analyze, ["--no-checkpoint"], catch_exceptions=False)
    assert done.exit_code == 0
    assert done.stdout.isascii()
    assert "inactive: E[s^2] >= 0.8" in done.stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--json", "--csv"], "two ways to write the same"),
        (["--data", "x", "--no-checkpoint"], "--data is for the checkpoint's part"),
        (["--as-published", "--no-checkpoint"], "needs E\\[σ\\]"),
    ],
)
def test_options_that_contradict_each_other(source, options, message):
    with pytest.raises(UsageError, match=message):
        invoke(*options)
    assert source.opened == []


@pytest.mark.parametrize("options", [["--stage", "3"], ["--stage", "x"]])
def test_values_out_of_range(source, options):
    assert invoke(*options).exit_code == 2


@pytest.mark.parametrize("given", ["0", "-1", "x", "unit=x", "near=2", "wake=0.9", "nothing=1"])
def test_thresholds_out_of_range_are_refused_before_anything_is_opened(source, given):
    with pytest.raises(UsageError):
        invoke("--threshold", given)
    assert source.opened == []


def test_thresholds_of_runs_reach_the_source_and_rules_do_not(source):
    invoke("--threshold", "0.9", "--threshold", "wake=0.2", "--threshold", "epsilon=0.1", "--no-checkpoint")
    assert source.opened[0][2] == {"inactive": 0.9, "wake": 0.2}


def test_csv_alone_is_on_stdout(source):
    lines = invoke("--csv", "--no-checkpoint").stdout.splitlines()
    assert lines[0] == "run,stage,origin,step,report,latent,name,value,group,over"
    assert "run,1,stream,1000,inactive,,inactive,11,," in lines


@pytest.mark.parametrize(("condition", "code"), [("inactive>10", 4), ("inactive>11", 0), ("total_correlation>9", 4)])
def test_fail_if_is_told_after_the_report(source, condition, code):
    done = invoke("--no-checkpoint", "--inactive", "--fail-if", condition)
    assert done.exit_code == code
    assert "inactive: E[σ²] ≥ 0.8" in done.stdout
    assert (f"vaemon: run: --fail-if {condition}" in done.stderr) is (code == 4)


def test_an_unknown_figure_is_refused_before_anything_is_opened(source):
    with pytest.raises(UnknownName, match="did you mean 'inactive'"):
        invoke("--fail-if", "inactve>3")
    assert source.opened == []


@pytest.fixture
def posterior(tmp_path):
    generator = np.random.default_rng(0)
    path = tmp_path / "posterior.npz"
    np.savez(path, mean=generator.standard_normal((300, 4)), variance=generator.uniform(0.1, 1, (300, 4)))
    return str(path)


def test_arrays_alone_need_no_run(source, posterior):
    done = invoke("--posterior", posterior)
    assert done.exit_code == 0
    assert source.opened == []
    assert done.stdout.startswith("posterior.npz · 4 latents\n\nPosteriors, as given\n300 samples")


def test_arrays_beside_a_run_are_joined(source, posterior):
    told = json.loads(invoke("run", "--posterior", posterior, "--no-checkpoint", "--json").stdout)
    assert [each["run"] for each in told["reports"]] == ["run", "posterior.npz"]
    assert [each["stage"] for each in told["joined"]] == [0, 1]


def test_what_one_lacks_costs_the_others_nothing(source, posterior, tmp_path):
    done = invoke("--posterior", posterior, "--posterior", str(tmp_path / "gone.npz"))
    assert done.exit_code == 1
    assert "arrays" in done.stdout
    assert f"vaemon: {tmp_path}/gone.npz: there is no file" in done.stderr


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
    (told,) = json.loads(invoke("hand", "--runs", str(runs), "--json").stdout)["reports"]
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


def test_several_runs_by_a_pattern(recorded, runs):
    with Recorder("handy", latents=6, runs=runs) as recorder:
        recorder.log(1, mean_variance=[0.1] * 6, mean_mu=[0.0] * 6, mu_squared=[0.9] * 6, latent_kl=[1.0] * 6)
    with Recorder("handless", latents=6, runs=runs) as recorder:
        recorder.log(1, loss=1.0)
    done = invoke("hand*", "--runs", str(runs), "--no-checkpoint", "--json")
    assert done.exit_code == 1
    assert "vaemon: handless: nothing to analyze in run 'handless'" in done.stderr
    told = json.loads(done.stdout)
    assert {each["run"] for each in told["reports"]} == {"hand", "handy"}
    spread = told["joined"][0]["inactive"]["inactive"]["stream"]
    assert (spread["mean"], spread["runs"]) == (1.0, 2)


def test_every_stage_is_analyzed_unless_one_is_asked_for(runs):
    with Recorder("two", latents=2, runs=runs) as recorder:
        for stage, variance in ((1, 0.1), (2, 0.9)):
            recorder.stage(stage, latents=2)
            recorder.log(1, mean_variance=[variance] * 2, mean_mu=[0.0] * 2, mu_squared=[0.5] * 2, latent_kl=[1.0] * 2)
    asked = ["two", "--runs", str(runs), "--json", "--no-checkpoint", "--fail-if", "stage2.inactive>1"]
    both, second = (json.loads(invoke(*asked, *more).stdout)["reports"] for more in ([], ["--stage", "2"]))
    assert [each["stage"] for each in both] == [1, 2]
    assert [each["stage"] for each in second] == [2]
    assert invoke(*asked).exit_code == 4
    assert invoke(*asked[:-1], "inactive>1").exit_code == 0


def test_the_stream_needs_no_torch(recorded, runs):
    code = (
        "import sys; from analysis.command import analyze\n"
        f"analyze.main(['hand', '--runs', {str(runs)!r}, '--no-checkpoint'], standalone_mode=False)\n"
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
