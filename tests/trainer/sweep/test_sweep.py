"""Sweeps of tiny trainings, through submitit's local executor."""

import json
import os
import signal
import time
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from trainer.sweep import book
from trainer.sweep.command import sweep
from vaemon import open_run
from vaemon.batch import RunState
from vaemon.cli import Roof
from vaemon.errors import UsageError

submitit = pytest.importorskip("submitit", reason="vaemon[sweep] is not installed")

pytestmark = pytest.mark.timeout(300)  # each member is a process that loads torch

TINY = "data.size=8 data.limit=40 network=dense network.hidden=[8] network.latents=3 stage1.batch=10"
TINY += " stage2.enabled=false threads=1 device=cpu"


@pytest.fixture
def invoke(runs):
    """invoke("shapes", …) -> click's result."""
    return lambda *arguments: CliRunner().invoke(sweep, arguments, obj=Roof())


def tiny(*further, epochs=2):
    return [word for each in (*TINY.split(), f"stage1.epochs={epochs}", *further) for word in ("--set", each)]


@pytest.fixture
def meanwhile(monkeypatch, runs):
    """meanwhile(run, act): act(folder) once, as soon as the run has rows, while its sweep waits for it."""
    from trainer.sweep import submit

    def arrange(run, act):
        done, sleep = [], time.sleep

        def look(seconds):
            sleep(0.02)
            if not done and (runs / run / "run.json").exists():
                with open_run(run, runs) as opened:
                    if opened.segments and len(opened.series("step").step):
                        done.append(run)
                        act(runs / run)

        monkeypatch.setattr(submit, "time", SimpleNamespace(sleep=look))

    return arrange


def states(runs, name):
    return {member.run: member.state for member in book.read(name, runs).members}


def test_a_sweep_trains_every_member_and_tells_mean_and_deviation(invoke, runs):
    done = invoke("shapes", "--name", "s", "--seeds", "2", "--at-most", "2", *tiny("lr=1e-3,1e-2"))
    assert done.exit_code == 0, done.output
    names = [f"s-lr{lr}-seed{seed}" for lr in ("1e-3", "1e-2") for seed in (0, 1)]
    assert states(runs, "s") == dict.fromkeys(names, "finished")
    with open_run(names[2], runs) as run:
        assert run.info().state is RunState.FINISHED
        assert run.info().config["stage1"]["lr"] == 1e-2

    told = json.loads(invoke("--status", "s", "--json").output)
    for setting in told["settings"]:
        members = [each for each in told["members"] if each["setting"] == setting["setting"]]
        values = [each["mse"] for each in members]
        mean, deviation = setting["mse"]
        assert mean == pytest.approx(sum(values) / 2)
        assert deviation == pytest.approx(abs(values[0] - values[1]) / 2**0.5)
        assert (setting["members"], setting["finished"]) == (2, 2)
    table = invoke("--status", "s").output
    assert "stage1.lr=1e-3" in table
    assert "2/2" in table
    assert "±" in table


@pytest.mark.slow
def test_a_failed_member_is_told_with_its_reason(invoke, runs):
    done = invoke("shapes", "--name", "s", *tiny("lr=1e-3,1e11"))
    bad = "s-lr1e11-seed0"
    assert done.exit_code == 1, done.exception
    assert f"{bad}: failed, " in done.output
    assert f"`vaemon sweep --rerun {bad}`" in done.output
    assert states(runs, "s") == {"s-lr1e-3-seed0": "finished", bad: "failed"}
    assert "became NaN or infinite" in invoke("--status", "s").output


@pytest.mark.slow
def test_a_killed_member_can_be_trained_alone_to_its_end(invoke, runs, meanwhile):
    def kill(folder):
        os.kill(json.loads((folder / "run.json").read_text())["pid"], signal.SIGKILL)

    meanwhile("s-seed1", kill)
    done = invoke("shapes", "--name", "s", "--seeds", "2", *tiny(epochs=300))
    assert done.exit_code == 1
    assert states(runs, "s") == {"s-seed0": "finished", "s-seed1": "failed"}
    status = invoke("--status", "s").output
    assert "s-seed1 crashed: process" in status
    assert "`vaemon sweep --rerun s-seed1` goes on with it" in status
    assert "±" not in status  # figures are of the one that is left
    again = invoke("--rerun", "s-seed1")
    assert again.exit_code == 0, again.output
    assert "1 trainings" not in again.output
    assert states(runs, "s") == dict.fromkeys(("s-seed0", "s-seed1"), "finished")
    with open_run("s-seed1", runs) as run:
        assert run.series("loss").step.tolist() == list(range(1, 1201))
    assert isinstance(invoke("--rerun", "s-seed1").exception, UsageError)


@pytest.mark.slow
def test_ctrl_c_stops_those_that_train_and_leaves_the_rest(invoke, runs, meanwhile):
    told = []

    def interrupt(folder):
        told.append(json.loads(invoke("--status", "s", "--json").output))
        raise KeyboardInterrupt

    meanwhile("s-seed0", interrupt)
    assert invoke("shapes", "--name", "s", "--seeds", "2", *tiny(epochs=100_000)).exit_code == 1  # click's word for it
    assert [each["state"] for each in told[0]["members"]] == ["running", "waiting"]
    assert told[0]["members"][0]["mse"] > 0
    assert states(runs, "s") == {"s-seed0": "stopped", "s-seed1": "waiting"}
    with open_run("s-seed0", runs) as run:
        assert run.info().state is RunState.STOPPED


def test_what_is_wrong_is_said_before_anything_begins(invoke, runs):
    for arguments in ((), ("shapes", "--status", "s"), ("shapes", "--slurm", "gpu"), ("shapes", "--set", "lr=x")):
        assert isinstance(invoke(*arguments).exception, UsageError)
    assert not runs.exists()


def test_slurm_is_handed_an_array_and_where_there_is_none_says_so(invoke, runs, monkeypatch):
    from trainer.sweep import submit

    result = invoke("shapes", "--name", "none", "--slurm", "partition=gpu", *tiny())
    assert isinstance(result.exception, UsageError)
    assert "Slurm" in str(result.exception)

    class Slurm:
        def __init__(self, folder, cluster):
            self.cluster = cluster

        def update_parameters(self, **parameters):
            asked.append(parameters)

        def map_array(self, function, arguments):
            asked.append([each[:3] for each in arguments])
            return [SimpleNamespace(job_id=f"7_{i}") for i, _ in enumerate(arguments)]

    asked = []
    monkeypatch.setattr(submit.submitit, "AutoExecutor", Slurm)
    slurm = ("--slurm", "partition=gpu", "--slurm", "time=600")
    assert invoke("shapes", "--name", "s", "--seeds", "2", "--at-most", "3", *slurm, *tiny()).exit_code == 0
    assert asked[0] == {"slurm_array_parallelism": 3, "name": "s", "slurm_partition": "gpu", "slurm_time": 600}
    assert asked[1] == [["shapes", "--run", f"s-seed{seed}"] for seed in (0, 1)]
    assert [member.job for member in book.read("s", runs).members] == ["7_0", "7_1"]
