"""Sweeps of tiny trainings, through submitit's local executor."""

import json
import os
import signal
import stat
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from trainer.sweep.command import sweep
from vaemon import open_run
from vaemon.batch import RunState
from vaemon.cli import Roof
from vaemon.errors import DataNotFound, RunLocked, UsageError
from vaemon.runfile import lock, sweeps

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


def _wait_for_rows(folder):
    rows = False
    while not rows:
        time.sleep(0.05)
        if (folder / "run.json").exists():
            with open_run(folder) as run:
                rows = bool(run.segments and len(run.series("step").step))


def states(runs, name):
    return {member.run: member.state for member in sweeps.read(name, runs).members}


def test_a_sweep_trains_every_member_and_tells_mean_and_deviation(invoke, runs, monkeypatch, torch_fork_server):
    monkeypatch.setattr(sys, "executable", str(torch_fork_server.python))  # by which submitit starts the members
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
    assert f"{bad}: failed, mse became NaN or infinite" in done.output.replace("loss", "mse")
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
    wrong = [(), ("shapes", "--status", "s"), ("shapes", "--slurm", "gpu"), ("shapes", "--set", "lr=x")]
    for arguments in (*wrong, ("--rerun", "s", "--set", "lr=1"), ("--status", "s", "--name", "t")):
        assert isinstance(invoke(*arguments).exception, UsageError)
    assert not runs.exists()


@pytest.mark.parametrize("place", ["nowhere", "~nobody-of-that-name/mnist"])
def test_a_sweep_on_data_that_are_not_there_is_refused_at_once(invoke, runs, place):
    result = invoke("mnist", "--data", place)
    assert isinstance(result.exception, DataNotFound)
    assert not runs.exists()


def test_what_trains_at_this_moment_is_not_trained_again(invoke, runs, monkeypatch):
    from trainer.settings import load_preset
    from trainer.sweep import book, submit
    from trainer.sweep.plan import members_of

    members = members_of("s", load_preset("shapes"), (), 2, None)
    book.create(sweeps.Sweep(name="s", preset="shapes", members=members), runs)
    asked, also = [], []

    def run_here(found, chosen, *_):
        asked.append([each.run for each in chosen])
        also.append((found.data, found.at_most))

    monkeypatch.setattr(submit, "run_here", run_here)
    (runs / "s-seed0").mkdir()
    with lock.holding(runs / "s-seed0"):
        assert isinstance(invoke("--rerun", "s-seed0").exception, RunLocked)
        assert invoke("--rerun", "s").exit_code == 0
    assert invoke("--rerun", "s").exit_code == 0
    assert invoke("--rerun", "s-seed1", "--data", "/moved", "--at-most", "3").exit_code == 0
    assert asked == [["s-seed1"], ["s-seed0", "s-seed1"], ["s-seed1"]]
    assert also == [(None, 0), (None, 0), ("/moved", 3)]


def test_members_have_the_gpus_one_each(monkeypatch, tmp_path):
    import torch

    from trainer.sweep import member, submit

    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert submit._gpus() == ["0", "1"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3, GPU-77")
    assert submit._gpus() == ["3", "GPU-77"]
    running = []
    for _ in range(3):
        running.append(submit._Running(None, None, submit._least_used(submit._gpus(), running)))
    assert [each.gpu for each in running] == ["3", "GPU-77", "3"]
    assert submit._least_used([], []) is None

    monkeypatch.setattr(member, "trained", lambda arguments: (os.environ["CUDA_VISIBLE_DEVICES"], ""))
    # As submitit leaves them:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setenv("SUBMITIT_EXECUTOR", "local")
    monkeypatch.setenv("SUBMITIT_LOCAL_JOB_ID", "77")
    one = sweeps.Member(run="r", setting="", seed=0, settings=[])
    training = member.Training(sweeps.Sweep(name="s", preset="shapes"), one, tmp_path)
    monkeypatch.setattr(member, "arguments_of", lambda *_: [])
    assert training("GPU-77") == ("GPU-77", "")
    assert one.job == "77"


@pytest.mark.slow
@pytest.mark.parametrize("how", ["Ctrl-C", "SIGTERM", "SIGHUP"])
def test_a_real_ctrl_c_reaches_the_sweep_alone_and_the_members_save(hangs_up, how, runs):
    command = [sys.executable, "-m", "vaemon", "sweep", "shapes", "--name", "s", "--seeds", "2", "--runs", str(runs)]
    process = subprocess.Popen(
        [*command, *tiny(epochs=100_000)], stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    _wait_for_rows(runs / "s-seed0")
    if how == "Ctrl-C":
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does it: to all of the group
    else:
        process.send_signal(signal.Signals[how])
    told = process.communicate()[1]
    assert process.returncode == 130
    assert told.strip() == "vaemon: stopped", "no traceback of anybody's"
    assert states(runs, "s") == {"s-seed0": "stopped", "s-seed1": "waiting"}
    with open_run("s-seed0", runs) as run:
        info = run.info()
        assert info.state is RunState.STOPPED
        assert [event.step for event in run.events() if event.kind == "checkpoint"][-1] == run.series("loss").step[-1]


@pytest.mark.slow
def test_a_member_that_is_stopped_while_it_starts_ends_at_once(runs):
    command = [sys.executable, "-m", "vaemon", "sweep", "shapes", "--name", "s", "--runs", str(runs)]
    process = subprocess.Popen(
        [*command, *tiny(epochs=100_000)], stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    while "submitted" not in (states(runs, "s").values() if sweeps.is_sweep("s", runs) else ()):
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    assert process.communicate()[1].strip() == "vaemon: stopped"
    assert states(runs, "s") == {"s-seed0": "stopped"}


def _script(path, text):
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """A cluster of this machine: the commands by which Slurm is asked, the tasks of an array one after the other."""
    folder = tmp_path / "slurm"
    folder.mkdir()
    _script(
        folder / "sbatch",
        f"""#!/bin/sh
cp "$1" {folder}/submitted
tasks=$(sed -n 's/^#SBATCH --array=0-\\([0-9]*\\)%.*/\\1/p' "$1")
export SLURM_JOB_ID=77 SLURM_JOB_NODELIST=here
if [ -n "$tasks" ]; then
    (for i in $(seq 0 $tasks); do SLURM_ARRAY_JOB_ID=77 SLURM_ARRAY_TASK_ID=$i sh "$1"; done) >/dev/null 2>&1 &
else
    (sh "$1"; while [ -e {folder}/again ]; do rm {folder}/again; sh "$1"; done) >/dev/null 2>&1 &
fi
echo Submitted batch job 77
""",
    )
    _script(
        folder / "srun",
        """#!/bin/sh
while [ "${1#--}" != "$1" ]; do
    case $1 in --output|--error) shift;; esac
    shift
done
exec "$@"
""",
    )
    _script(folder / "scontrol", f"#!/bin/sh\ntouch {folder}/again\n")
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder


def _wait_until_over(runs, name):
    while {"waiting", "submitted"} & set(states(runs, name).values()):
        time.sleep(0.1)


def test_on_slurm_members_train_as_an_array_and_say_themselves_how_they_ended(invoke, runs, slurm):
    asked = ("--slurm", "partition=gpu", "--slurm", "gpus_per_node=1")
    done = invoke("shapes", "--name", "s", "--seeds", "2", *asked, *tiny())
    assert done.exit_code == 0, done.output
    submitted = (slurm / "submitted").read_text()
    for line in ("array=0-1%2", "partition=gpu", "gpus-per-node=1", "time=1440", "job-name=s"):
        assert f"#SBATCH --{line}\n" in submitted
    _wait_until_over(runs, "s")
    assert states(runs, "s") == dict.fromkeys(("s-seed0", "s-seed1"), "finished")
    assert [member.job for member in sweeps.read("s", runs).members] == ["77_0", "77_1"]
    with open_run("s-seed1", runs) as run:
        assert run.info().config["seed"] == 1


@pytest.mark.slow
def test_on_slurm_a_training_that_is_moved_goes_on(invoke, runs, slurm):
    asked = ("--slurm", "partition=gpu", "--slurm", "time=3", "--set", "checkpoint.seconds=0.2")
    done = invoke("shapes", "--name", "s", *asked, *tiny(epochs=400))
    assert "Slurm has them as 77\n" in done.output
    _wait_for_rows(runs / "s-seed0")
    before = json.loads((runs / "s-seed0" / "run.json").read_text())["pid"]
    os.kill(before, signal.SIGUSR2)  # by which Slurm tells of the end of the time, or of others who come first
    _wait_until_over(runs, "s")
    assert states(runs, "s") == {"s-seed0": "finished"}
    assert json.loads((runs / "s-seed0" / "run.json").read_text())["pid"] != before
    with open_run("s-seed0", runs) as run:
        assert run.series("loss").step.tolist() == list(range(1, 1601))


def test_where_there_is_no_slurm_or_it_refuses_nothing_is_left(invoke, runs, slurm, monkeypatch):
    result = invoke("shapes", "--slurm", "partitoin=gpu", *tiny())
    assert "partitoin" in str(result.exception)
    for refusing in ("#!/bin/sh\necho sbatch: error: invalid partition >&2; exit 1\n", None):
        if refusing is None:
            monkeypatch.setenv("PATH", "/nowhere")
        else:
            _script(slurm / "sbatch", refusing)
        result = invoke("shapes", "--name", "none", "--slurm", "partition=gpu", *tiny())
        assert isinstance(result.exception, UsageError)
        assert "Slurm does not take the sweep: " in str(result.exception)
        assert sweeps.names(runs) == []
