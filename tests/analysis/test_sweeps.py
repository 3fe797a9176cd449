"""`vaemon analyze` of a sweep: members recorded for real, their figures against those of each by itself."""

import csv
import json
import statistics
from dataclasses import asdict

import numpy as np
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from analysis.command import analyze
from vaemon import Recorder
from vaemon.errors import RunFileError, UnknownName, UsageError
from vaemon.runfile.sweeps import Member, Sweep, folder_of

SETTINGS = ("stage1.lr=1e-3", "stage1.lr=1e-4")
STEPS = 60
LATENTS = 6


def _name(setting, seed):
    return f"s-lr{setting[-4:]}-seed{seed}"


@pytest.fixture
def note(runs):
    """note({(setting, seed): state}) -> the file of a sweep named s."""

    def make(states):
        members = [
            Member(run=_name(*key), setting=key[0], seed=key[1], settings=[], state=state)
            for key, state in states.items()
        ]
        folder_of("s", runs).mkdir(parents=True)
        sweep = Sweep(name="s", preset="shapes", members=members)
        (folder_of("s", runs) / "sweep.json").write_text(json.dumps(asdict(sweep)))

    return make


@pytest.fixture
def record(runs):
    """record(setting, seed, asleep, end) -> a run in which so many latents sleep, ended in such a way."""

    def make(setting, seed, asleep, end="finished"):
        variance = np.where(np.arange(LATENTS) < LATENTS - asleep, 0.1 + 0.01 * seed, 0.95)
        told = {"mean_variance": variance, "mean_mu": 0 * variance, "mu_squared": 1 - variance, "latent_kl": variance}
        recorder = Recorder(_name(setting, seed), latents=LATENTS, runs=runs, steps_per_epoch=STEPS)
        for step in range(1, STEPS + 1):
            recorder.log(step, **told)
        recorder.close(end)

    return make


@pytest.fixture
def swept(note, record):
    """Of the first setting all three are finished; of the second one, one was stopped and one has not begun."""
    first, second = SETTINGS
    note({(setting, seed): "waiting" for setting in SETTINGS for seed in range(3)})
    for seed, asleep in enumerate((1, 2, 4)):
        record(first, seed, asleep)
    record(second, 0, 5)
    record(second, 1, 6, "stopped")


@pytest.fixture
def invoke(runs):
    def call(*arguments, name="s"):
        given = [name, "--runs", str(runs), "--no-checkpoint", *arguments]
        return CliRunner().invoke(analyze, given, catch_exceptions=False)

    return call


def test_json_has_every_member_and_the_spread_over_the_seeds_of_each_setting(swept, invoke):
    done = invoke("--json")
    assert done.exit_code == 0
    assert f"{_name(SETTINGS[1], 2)}: it has not begun" in done.stderr
    told = json.loads(done.stdout)
    (alone,) = json.loads(invoke("--json", name=_name(SETTINGS[0], 2)).stdout)["reports"]
    assert [each for each in told["reports"] if each["run"] == alone["run"]] == [alone]
    first, second = told["joined"]
    assert (first["group"], second["group"]) == tuple(f"s · {setting}" for setting in SETTINGS)
    assert first["runs"] == first["counted"] == [_name(SETTINGS[0], seed) for seed in range(3)]
    assert first["inactive"]["inactive"]["stream"] == {
        "mean": pytest.approx(7 / 3),
        "deviation": pytest.approx(statistics.stdev([1, 2, 4])),
        "runs": 3,
    }
    assert second["runs"] == [_name(SETTINGS[1], seed) for seed in (0, 1)]
    assert second["counted"] == second["runs"][:1], "the other was stopped"
    assert second["inactive"]["inactive"]["stream"] == {"mean": 5, "deviation": None, "runs": 1}


def test_text_shows_members_and_spread(swept, invoke):
    lines = invoke("--inactive").stdout.splitlines()
    assert f"s · {SETTINGS[0]} · stage 1 of 3 runs" in lines
    rows = {line.split()[0]: line.split()[1:] for line in lines if line.startswith("s-lr")}
    assert rows[_name(SETTINGS[0], 1)][:3] == ["stream", "6", "2"]
    assert rows[_name(SETTINGS[1], 1)][:4] == ["stopped", "stream", "6", "6"]
    assert any(line.startswith("inactive: E[σ²] ≥ 0.8") and line.endswith("2.3 ± 1.5") for line in lines)
    assert "Mean and deviation are over those that are finished: 1 of 2 runs." in lines


def test_csv_has_each_members_values_and_those_over_the_seeds(swept, invoke):
    rows = list(csv.DictReader(invoke("--csv").stdout.splitlines()))
    inactive = [row for row in rows if row["name"] == "inactive" and not row["latent"]]
    own = {row["run"]: row["value"] for row in inactive if not row["over"]}
    assert own[_name(SETTINGS[0], 2)] == "4"
    assert {row["group"] for row in inactive} == {f"s · {setting}" for setting in SETTINGS}
    over = {row["over"]: row["value"] for row in inactive if row["group"].endswith(SETTINGS[0]) and row["over"]}
    assert (float(over["mean"]), over["runs"]) == (pytest.approx(7 / 3), "3")
    assert not any(row["run"] for row in rows if row["over"])


def test_where_none_is_finished_that_is_said(note, record, invoke):
    note({("", 0): "submitted"})
    record("", 0, 2, "failed")
    text = invoke().stdout
    assert text.startswith("s · stage 1 of 1 run\n")
    assert "Mean and deviation are over those that are finished: 0 of 1 run." in text


def test_what_cannot_be_analyzed_is_told(note, invoke, runs):
    note({("", 0): "waiting"})
    with pytest.raises(UsageError, match=r"none of the 1 members of sweep 's' has begun"):
        invoke()
    with pytest.raises(UnknownName, match="unknown run"):
        invoke(name="t")
    (folder_of("s", runs) / "sweep.json").write_text("{")
    with pytest.raises(RunFileError, match=r"sweep.json cannot be read"):
        invoke()


def test_a_run_of_that_name_comes_first(swept, invoke, runs):
    with Recorder("s", latents=2, runs=runs) as recorder:
        recorder.log(1, mean_variance=np.ones(2))
    assert invoke().stdout.startswith("s · stage 1 · 2 latents")


def test_shells_are_told_of_sweeps_too(swept, runs):
    found = ShellComplete(analyze, {}, "analyze", "_X").get_completions(["--runs", str(runs)], "s")
    assert {"s", _name(SETTINGS[0], 0)} <= {each.value for each in found}
