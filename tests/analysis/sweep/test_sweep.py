"""`vaemon analyze` of a sweep: members recorded for real, their figures against those of each by itself."""

import csv
import json
import statistics
from dataclasses import asdict

import numpy as np
import pytest
from click.testing import CliRunner

from analysis.command import analyze
from vaemon import Recorder
from vaemon.errors import RunFileError, UnknownName, UsageError, VaemonError
from vaemon.runfile.sweeps import Member, Sweep, folder_of

SETTINGS = ("stage1.lr=1e-3", "stage1.lr=1e-4")
STEPS = 60
LATENTS = 6


def _name(setting, seed):
    return f"s-lr{setting[-4:]}-seed{seed}"


@pytest.fixture
def note(runs):
    """note(states) -> the file of a sweep of two settings and three seeds, {(setting, seed): state}."""

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
        recorder = Recorder(_name(setting, seed), latents=LATENTS, runs=runs, steps_per_epoch=STEPS)
        for step in range(1, STEPS + 1):
            recorder.log(
                step, mean_variance=variance, mean_mu=0 * variance, mu_squared=1 - variance, latent_kl=variance
            )
        recorder.close(end)

    return make


@pytest.fixture
def swept(note, record):
    """Of the first setting all three are finished, of the second one, with one stopped and one that has not begun."""
    first, second = SETTINGS
    note({(setting, seed): "waiting" for setting in SETTINGS for seed in range(3)})
    for seed, asleep in enumerate((1, 2, 4)):
        record(first, seed, asleep)
    record(second, 0, 5)
    record(second, 1, 6, "stopped")


@pytest.fixture
def invoke(runs):
    return lambda *arguments: CliRunner().invoke(
        analyze, ["s", "--runs", str(runs), "--no-checkpoint", *arguments], catch_exceptions=False
    )


def test_json_has_every_members_report_and_their_spread(swept, invoke, runs):
    told = json.loads(invoke("--json").stdout)
    members = {each["run"]: each for each in told["members"]}
    alone = CliRunner().invoke(analyze, [_name(SETTINGS[0], 2), "--runs", str(runs), "--no-checkpoint", "--json"])
    assert members[_name(SETTINGS[0], 2)]["report"] == json.loads(alone.stdout)
    first, second = told["settings"]
    assert first["setting"] == SETTINGS[0]
    assert (first["members"], first["finished"]) == (3, 3)
    assert first["stream"]["inactive"]["inactive"] == {
        "mean": pytest.approx(7 / 3),
        "std": pytest.approx(statistics.stdev([1, 2, 4])),
        "n": 3,
    }
    laws = [members[_name(SETTINGS[0], seed)]["report"]["stream"]["variance_law"]["largest_mean"] for seed in range(3)]
    assert first["stream"]["variance_law"]["largest_mean"]["mean"] == statistics.fmean(laws)
    assert second["stream"]["inactive"]["inactive"] == {"mean": 5, "std": None, "n": 1}, "one was stopped, one waits"
    assert second["stream"]["inactive"]["inactive_as_published"] == {"mean": None, "std": None, "n": 0}
    waiting = members[_name(SETTINGS[1], 2)]
    assert (waiting["state"], waiting["report"], waiting["reason"]) == ("waiting", None, "it has not begun")
    assert told["settings"][0]["checkpoint"] is None


def test_text_shows_members_and_spread(swept, invoke):
    lines = invoke("--inactive").stdout.splitlines()
    assert lines[0] == "s · sweep of shapes · 4 of 6 finished · stage 1"
    rows = {line.split("  ")[0]: line.split() for line in lines if line}
    assert rows[_name(SETTINGS[0], 1)][1:4] == ["finished", "60", "2"]
    assert rows[_name(SETTINGS[1], 1)][1:4] == ["stopped", "60", "6"]
    assert rows[_name(SETTINGS[1], 2)][1:4] == ["waiting", "–", "–"]
    means = [line.split() for line in lines if line.startswith("mean ± std  ")]
    assert means[0][3:6] == ["2.333", "±", "1.5"]
    assert means[1][3] == "5"
    assert f"No figures of {_name(SETTINGS[1], 2)}: it has not begun" in lines
    assert not any("law" in line for line in lines)
    order = [lines.index(next(line for line in lines if line.startswith(setting))) for setting in SETTINGS]
    assert order == sorted(order)


def test_ascii_where_stdout_takes_no_more(swept, invoke, runs):
    done = CliRunner(charset="ascii").invoke(analyze, ["s", "--runs", str(runs), "--no-checkpoint"])
    assert done.exit_code == 0
    assert done.stdout.isascii()
    assert "2.333 +- 1.5" in done.stdout
    assert "E[mu^2] + E[s^2]" in done.stdout


def test_csv_has_a_row_a_member_and_rows_of_means(swept, invoke):
    rows = list(csv.DictReader(invoke("--csv").stdout.splitlines()))
    first = [row for row in rows if row["setting"] == SETTINGS[0]]
    assert [row["row"] for row in first] == ["member"] * 3 + ["mean", "std", "n"]
    assert [row["inactive.inactive"] for row in first[:3]] == ["1", "2", "4"]
    assert float(first[3]["inactive.inactive"]) == pytest.approx(7 / 3)
    assert first[5]["inactive.inactive"] == "3"
    assert [row["run"] for row in rows if row["state"] == "waiting"] == [_name(SETTINGS[1], 2)]
    assert {row["origin"] for row in rows} == {"stream"}


def test_a_sweep_without_settings_has_one_group(note, record, invoke):
    note({("", seed): "finished" for seed in (0, 1)})
    for seed in (0, 1):
        record("", seed, 2)
    lines = invoke().stdout.splitlines()
    assert sum(line.startswith("mean ± std  ") for line in lines) == 1
    assert not any(line.startswith("stage1") for line in lines)


def test_what_cannot_be_analyzed_is_told(note, invoke, runs):
    note({("", 0): "waiting"})
    with pytest.raises(VaemonError, match=r"nothing to analyze in sweep 's': s-lr-seed0: it has not begun"):
        invoke()
    with pytest.raises(UsageError, match="--figure draws one run, and s is a sweep"):
        invoke("--figure")
    with pytest.raises(UnknownName, match="unknown run"):
        CliRunner().invoke(analyze, ["t", "--runs", str(runs)], catch_exceptions=False)
    (folder_of("s", runs) / "sweep.json").write_text("{")
    with pytest.raises(RunFileError, match=r"sweep.json cannot be read"):
        invoke()


def test_a_run_of_that_name_comes_first(swept, invoke, runs):
    with Recorder("s", latents=2, runs=runs) as recorder:
        recorder.log(1, mean_variance=np.ones(2))
    assert invoke().stdout.startswith("s · stage 1 · 2 latents")


def test_shells_are_told_of_sweeps_too(swept, runs):
    from click.shell_completion import ShellComplete

    found = ShellComplete(analyze, {}, "analyze", "_X").get_completions(["--runs", str(runs)], "s")
    assert {"s", _name(SETTINGS[0], 0)} <= {each.value for each in found}
