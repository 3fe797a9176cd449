"""Two processes that train together against one that trains alone, with the same batch."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from trainer import checkpoint
from trainer import ranks as trainer_ranks
from trainer.place import Place
from vaemon import open_run
from vaemon.batch import RunState
from vaemon.channels import CHANNELS, DROPPED
from vaemon.cli import main

ROOT = Path(__file__).parents[2]
COMPARED = sorted(set(CHANNELS) - {DROPPED, "time"})
RESNET = ("network=resnet", "network.base_dim=4", "network.num_scale=2", "network.fc_dim=8")
PATIENCE = 100
"""Seconds after which processes are said to hang."""


if __name__.startswith("jobs_"):
    # In the process that forks them: what torch loads only when first used, which takes longer than all the rest.
    weight = torch.ones(2, requires_grad=True)
    weight.grad = torch.ones(2)
    torch.optim.Adam([weight], fused=True).step()


def one_of(talk, arguments, environment, said):
    """`vaemon ARGUMENTS` as one of the processes that torchrun would start; what it prints goes to the file `said`."""
    os.fsync = lambda descriptor: None
    os.environ.update(environment)
    file = os.open(said, os.O_WRONLY | os.O_CREAT)
    os.dup2(file, 1)
    os.dup2(file, 2)
    sys.argv = ["vaemon", *arguments]
    # What is printed must be there even if the process is killed.
    sys.stdout, sys.stderr = (os.fdopen(number, "w", buffering=1, closefd=False) for number in (1, 2))
    main()


def one_of_other_images(talk, arguments, environment, said):
    """The same, in which the second process reads all pixels inverted, and fewer of them where asked to."""
    from trainer import training

    load_images = training.load_images

    def load(config, watch):
        images = load_images(config, watch)
        return replace(images, train=(255 - images.train)[: int(config.stage1.max_steps)])

    if environment["RANK"] == "1":
        training.load_images = load
    one_of(talk, arguments, environment, said)


@pytest.fixture
def ranks(forks, tiny_settings, runs, tmp_path):
    """ranks(count, "--run", …) -> the processes of one training, and the files of what they say."""

    def start(count, *arguments, tiny=True, but=(), job=one_of):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        # A resnet refuses what was said of the layers of a dense network.
        small = [each for each in tiny_settings[1::2] if "network=resnet" not in arguments or "hidden" not in each]
        given = ["train", "shapes", *(setting(*small) if tiny else []), *arguments]
        shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(count)}
        shared["VAEMON_RUNS"] = str(runs)
        processes = []
        for rank in range(count):
            if rank in but:
                processes.append(None)
                continue
            start.count += 1
            environment = {**shared, "RANK": str(rank), "LOCAL_RANK": str(rank)}
            said = tmp_path / f"said-{start.count}"
            child = forks.start(job, arguments=given, environment=environment, said=said)
            child.said = said
            processes.append(child)
        return processes

    start.count = 0
    return start


def ended(processes):
    """What each said, and its exit code."""
    codes = [process.wait(PATIENCE) for process in processes]
    return [process.said.read_text() for process in processes], codes


def wait_for_row(folder):
    """Until the first rows are recorded."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if (folder / "run.json").exists():
            with open_run(folder) as run:
                if run.segments and len(run.series("step").step):
                    return
        time.sleep(0.05)
    raise TimeoutError(folder)


def series(folder, channel, stage):
    with open_run(folder) as run:
        return run.series(channel, stage=stage)


def setting(*settings):
    return [word for each in settings for word in ("--set", each)]


def assert_alike(one, other, stage, rtol=1e-5):
    with open_run(one) as run:
        recorded = [channel for channel in COMPARED if channel in run.channels(stage)]
    assert "mse" in recorded
    for channel in recorded:
        a, b = (series(folder, channel, stage) for folder in (one, other))
        assert a.step.tolist() == b.step.tolist() == list(range(1, 21))
        # Of E[μ] and a KL by samples, which change their signs, relative to what they are elsewhere.
        zero = rtol * np.abs(a.mean).max() if channel in ("mean_mu", "mixture_kl") else 0.0
        np.testing.assert_allclose(b.mean, a.mean, rtol=rtol, atol=zero, err_msg=f"{channel} of stage {stage}")


@pytest.mark.parametrize("network", [pytest.param((), marks=pytest.mark.slow), RESNET], ids=["dense", "resnet"])
def test_two_processes_train_what_one_does(ranks, runs, network):
    """The second stages go on from one and the same first.

    For the bias of a convolution before a batch norm has no gradient but rounding, which Adam makes whole steps of:
    without effect in training, but the averages used at evaluation lag behind it.
    """
    given = setting(*network, "stage1.epochs=5", "stage2.epochs=5", "stage2.enabled=false")
    said, codes = ended(ranks(2, "--run", "two", *given))
    assert codes == [0, 0], said
    assert "2 processes together" in said[0]
    assert said[1] == ""
    assert ended(ranks(1, "--run", "one", *given))[1] == [0]
    assert_alike(runs / "one", runs / "two", 1)
    with open_run(runs / "two") as run:
        assert run.info().state is RunState.FINISHED
    assert_weights_alike(runs / "one", runs / "two")

    shutil.copytree(runs / "one", runs / "both")
    more = ("--resume", "--set", "stage2.enabled=true")
    assert ended(ranks(1, "--run", "one", *more, tiny=False))[1] == [0]
    assert ended(ranks(2, "--run", "both", *more, tiny=False))[1] == [0, 0]
    assert_alike(runs / "one", runs / "both", 2)


def assert_weights_alike(one, other):
    """All that have a gradient; see above."""
    a, b = (checkpoint.load(folder, 1)["network"] for folder in (one, other))
    moved = [name for name in a if torch.is_tensor(a[name]) and not torch.allclose(a[name], b[name], 1e-3, 1e-5)]
    assert all(re.search(r"body\.2\.bias|running_mean|body\.3\.running", name) for name in moved), moved


@pytest.mark.parametrize(
    "balance",
    [
        ("learned",),
        pytest.param(("free-bits", "balance.gamma_squared=.04", "balance.floor=.1"), marks=pytest.mark.slow),
        pytest.param(("geco", "balance.tolerance=.01"), marks=pytest.mark.slow),
        pytest.param(("rae-gp",), marks=pytest.mark.slow),
        pytest.param(("wae-mmd",), marks=pytest.mark.slow),
        pytest.param(("vampprior", "balance.gamma=.2", "balance.pseudo_inputs=6"), marks=pytest.mark.slow),
    ],
    ids=lambda given: given[0],
)
def test_every_kind_of_balance_is_of_the_whole_batch(ranks, runs, balance):
    """A weight that is trained, a bound that is not linear in the batch, one that remembers, a Jacobian's penalty."""
    if balance[0].startswith("rae"):
        pytest.importorskip("sklearn")
    # Pseudo-inputs pass by the averages of batch norms, which lag behind the biases before these (see above).
    network = () if balance[0] == "vampprior" else RESNET
    given = setting(*network, "stage1.epochs=5", "stage2.enabled=false", f"balance={balance[0]}", *balance[1:])
    said, codes = ended(ranks(2, "--run", "two", *given))
    assert codes == [0, 0], said
    said, codes = ended(ranks(1, "--run", "one", *given))
    assert codes == [0], said
    # Of the Jacobian's penalty the rounding of the first steps grows to 2e-5, and no further. MMD is a small difference
    # of means of order 1, and is weighed by 200.
    assert_alike(runs / "one", runs / "two", 1, rtol={"rae-gp": 1e-4, "wae-mmd": 1e-3}.get(balance[0], 1e-5))


@pytest.mark.slow
def test_a_training_goes_on_with_another_number_of_processes(ranks, runs):
    """Two processes, one, two: the seam is within an epoch of either stage."""
    given = setting("stage1.epochs=5", "stage2.epochs=5")
    assert ended(ranks(1, "--run", "one", *given))[1] == [0]
    stopped = setting("stage1.epochs=5", "stage1.max_steps=10", "stage2.epochs=5", "stage2.enabled=false")
    assert ended(ranks(2, "--run", "two", *stopped))[1] == [0, 0]
    more = setting("stage1.max_steps=0", "stage2.enabled=true", "stage2.max_steps=7")
    assert ended(ranks(1, "--run", "two", "--resume", *more, tiny=False))[1] == [0]
    said, codes = ended(ranks(2, "--run", "two", "--resume", "--set", "stage2.max_steps=0", tiny=False))
    assert codes == [0, 0], said
    assert "stage 2 goes on after step 7 of 20" in said[0]
    for stage in (1, 2):
        assert_alike(runs / "one", runs / "two", stage)


@pytest.mark.parametrize("killed", [0, 1])
def test_a_killed_process_ends_the_run_with_a_clear_line(ranks, runs, killed):
    processes = ranks(2, "--run", "a", *setting("stage1.epochs=100000"))
    wait_for_row(runs / "a")
    processes[killed].kill()
    said, codes = ended(processes)
    assert codes[killed] == -signal.SIGKILL
    assert codes[1 - killed] == 1
    assert re.search(
        r"vaemon: another of the 2 processes .* has died or does not answer.*; --resume goes on", said[1 - killed]
    )
    assert "--resume goes on" in said[1 - killed]
    with open_run(runs / "a") as run:
        assert run.info().state is RunState.FAILED
        assert "another of the 2 processes" in run.info().reason


def test_a_signal_to_one_process_stops_all_after_the_same_step(ranks, runs):
    processes = ranks(2, "--run", "a", *setting("stage1.epochs=100000"))
    wait_for_row(runs / "a")
    processes[1].kill(signal.SIGINT)
    said, codes = ended(processes)
    assert codes[1] == 130, said
    assert codes[0] in (130, 143)
    with open_run(runs / "a") as run:
        assert run.info().state is RunState.STOPPED
        assert run.info().reason == "Ctrl-C"
    assert checkpoint.load(runs / "a", 1)["step"] == series(runs / "a", "loss", 1).step[-1]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_second_signal_ends_a_process_whose_other_hangs(ranks, runs, number, code):
    """The first waits in a call of C, in which Python runs no handler."""
    processes = ranks(2, "--run", "a", *setting("stage1.epochs=100000"))
    wait_for_row(runs / "a")
    processes[1].kill(signal.SIGSTOP)
    time.sleep(1.0)
    processes[0].kill(number)
    time.sleep(0.2)
    processes[0].kill(number)
    assert processes[0].wait(PATIENCE) == code
    assert "again: ended at once; --resume goes on" in processes[0].said.read_text()
    processes[1].kill()
    processes[1].wait(PATIENCE)


def test_ctrl_c_ends_a_process_that_waits_for_one_that_never_comes(ranks, runs):
    first, second = ranks(2, "--run", "a", but=[1])
    deadline = time.monotonic() + PATIENCE
    while not first.said.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(5.0)  # for torch
    first.kill(signal.SIGINT)
    assert first.wait(PATIENCE) == -signal.SIGINT
    assert second is None
    assert not (runs / "a").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (setting("stage1.batch=9"), "stage1.batch=9 cannot be shared equally by 2 processes; --set stage1.batch=8 can"),
        # Said before anything is trained: that the second stage's cannot be, not after the first.
        (setting("stage2.batch=9"), "stage2.batch=9 cannot be shared equally by 2 processes; --set stage2.batch=8 can"),
        (setting("stage1.epoch=9"), "did you mean 'stage1.epochs'"),
        (["--watch"], "`vaemon watch` beside them"),
    ],
)
def test_what_is_wrong_is_said_and_ends_all(ranks, runs, arguments, said):
    words, codes = ended(ranks(2, "--run", "a", *arguments))
    assert codes == [2, 2], words
    assert said in words[0]
    assert not (runs / "a").exists()


@pytest.mark.parametrize("rank", [0, 1, 2])
def test_what_ranks_gather_is_put_together_without_a_copy_from_the_host(monkeypatch, rank):
    """Such a copy waits for the device, in each batch norm of each step."""

    def refused(*given, **options):
        raise AssertionError("a tensor of the host's numbers")

    monkeypatch.setattr(trainer_ranks, "_here", Place(rank, 3))
    monkeypatch.setattr(trainer_ranks, "_summed", lambda part: part.clone())  # the others have zeros
    part = torch.arange(4.0).view(2, 2).requires_grad_()
    with monkeypatch.context() as patched:
        for name in ("tensor", "as_tensor", "from_numpy"):
            patched.setattr(torch, name, refused)
        found = trainer_ranks.gathered(part)
    assert torch.equal(found, torch.stack([part if each == rank else torch.zeros(2, 2) for each in range(3)]))
    weights = torch.arange(12.0).view(3, 2, 2)
    (found * weights).sum().backward()
    assert torch.equal(part.grad, weights[rank])


@pytest.mark.parametrize("count", [40, 30])
def test_processes_that_read_other_images_are_refused_before_a_run_begins(ranks, runs, count):
    words, codes = ended(ranks(2, "--run", "a", *setting(f"stage1.max_steps={count}"), job=one_of_other_images))
    assert codes == [2, 2], words
    assert "process 1 sees other images than the first" in words[0]
    assert not (runs / "a").exists()


def test_torchrun_starts_it(runs, tiny_settings, torch_fork_server):
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "--no-python"]
    command += ["--", str(torch_fork_server.python), "-m", "vaemon", "train", "shapes", "--run", "a", *tiny_settings]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("run a in ") == 1
    assert series(runs / "a", "loss", 2).step.tolist() == list(range(1, 9))
