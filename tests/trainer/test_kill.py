"""A training that is killed, at any moment, and goes on: the run that went through, bit for bit."""

import os
import random
import resource
import signal
import time
from pathlib import Path

import pytest
import torch

from trainer import checkpoint
from trainer.progress import Quiet
from trainer.runs import Run
from trainer.settings import config_from
from trainer.training import train
from vaemon import open_run
from vaemon.batch import RunState

SEED = int(os.environ.get("VAEMON_KILL_SEED", "5"))
RESNET = ("network=resnet", "network.base_dim=2", "network.num_scale=2", "network.fc_dim=4")
# What the children do

if __name__.startswith("jobs_"):
    # In the process that forks them: what torch loads only when first used, which takes longer than all the rest.
    weight = torch.ones(2, requires_grad=True)
    weight.grad = torch.ones(2)
    torch.optim.Adam([weight], fused=True).step()


class Said(Quiet):
    """Keeps what it is told."""

    def __init__(self):
        self.said = []

    def say(self, text):
        self.said.append(text)


def training(talk, folder, config):
    """Train a run, or what is left of one; it says so when the first stage begins."""
    os.fsync = lambda descriptor: None  # it takes long, and matters only where the machine itself goes down
    run = Path(folder)
    teller = Said()
    talk.say("begins")
    train(Run(run.name, run, "shapes", config_from(config), (run / "run.json").exists()), teller, str)
    return teller.said


def training_killed_in(talk, folder, config, call, number):
    """The same, killed by its own hand before, amid or after the call of that number that writes a checkpoint."""
    left = [number]

    def is_time():
        left[0] -= 1
        return left[0] == 0

    save, replace = torch.save, os.replace

    def half(content, file):
        if call == "amid" and is_time():
            file.write(b"PK half a checkpoint")
            file.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        save(content, file)

    def replace_or_die(source, target):
        ours = str(target).endswith(".pt")
        if ours and call == "before" and is_time():
            os.kill(os.getpid(), signal.SIGKILL)
        replace(source, target)
        if ours and call == "after" and is_time():
            os.kill(os.getpid(), signal.SIGKILL)

    torch.save, os.replace = half, replace_or_die
    return training(talk, folder, config)


def training_on_a_full_disk(talk, folder, config, room, until):
    """The same, where no file may grow beyond `room` bytes until so many checkpoints were tried."""
    tried, save = [0], checkpoint.save

    def save_and_count(*arguments):
        tried[0] += 1
        if tried[0] == until:
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        return save(*arguments)

    checkpoint.save = save_and_count
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
    return training(talk, folder, config)


# What the tests do


@pytest.fixture
def tree(tiny):
    """tree("stage1.epochs=3", …) -> a config that saves after nearly every step, as JSON takes it."""
    from trainer.config import to_tree

    return lambda *settings: to_tree(tiny("checkpoint.seconds=1e-9", *settings))


@pytest.fixture
def through(forks):
    """through(folder, config): train to the end; the seconds that it took."""

    def call(folder, config):
        child = forks.start(training, folder=folder, config=config)
        assert child.hear() == "begins"
        began = time.monotonic()
        child.hear()
        lasted = time.monotonic() - began
        assert child.wait() == 0
        return lasted

    return call


def series(folder, channel, stage):
    with open_run(folder) as run:
        return run.series(channel, stage=stage)


@pytest.mark.parametrize("network", [pytest.param((), marks=pytest.mark.slow), RESNET], ids=["dense", "resnet"])
def test_a_training_killed_at_random_moments_is_the_one_that_went_through(
    assert_same, forks, through, runs, tree, network
):
    config = tree(*network)
    lasts = through(runs / "straight", config)
    rng, kills = random.Random(SEED), 0
    for _ in range(5):
        child = forks.start(training, folder=runs / "killed", config=config)
        assert child.hear() == "begins"
        time.sleep(rng.random() * lasts)
        child.kill()
        kills += child.wait() == -signal.SIGKILL
    assert kills
    through(runs / "killed", config)
    assert_same(runs / "straight", runs / "killed")


@pytest.mark.parametrize("call", ["amid", "before", "after"])
def test_a_training_killed_while_it_writes_a_checkpoint_goes_on(assert_same, forks, through, runs, tree, call):
    """At the first, and at one of either stage; the best of a stage is written as well, after its newest."""
    config = tree()
    through(runs / "straight", config)
    for number in (1, 3, 11, 4):
        child = forks.start(training_killed_in, folder=runs / "killed", config=config, call=call, number=number)
        assert child.wait() == -signal.SIGKILL
    through(runs / "killed", config)
    assert_same(runs / "straight", runs / "killed")


def test_a_disk_that_is_full_for_a_while_costs_checkpoints_and_nothing_else(assert_same, forks, through, runs, tree):
    config = tree("network.hidden=[256]")
    through(runs / "straight", config)
    child = forks.start(training_on_a_full_disk, folder=runs / "full", config=config, room=600_000, until=12)
    assert child.hear() == "begins"
    said = child.hear()
    told = [line for line in said if "checkpoint" in line]
    assert len(told) == 2
    assert "cannot write the checkpoint" in told[0]
    assert "File too large; make room there; training goes on" in told[0]
    assert told[1] == "checkpoints are written again"
    assert_same(runs / "straight", runs / "full")
    with open_run(runs / "full") as run:
        assert run.info().state is RunState.FINISHED
        kinds = [event.kind for event in run.events()]
    assert (kinds.count("error"), kinds.count("recovered")) == (1, 1)


def test_a_disk_that_stays_full_fails_the_run_at_its_end_and_leaves_nothing_half_written(forks, runs, tree):
    config = tree("network.hidden=[256]", "stage2.enabled=false")
    child = forks.start(training_on_a_full_disk, folder=runs / "full", config=config, room=600_000, until=0)
    assert child.hear() == "begins"
    with pytest.raises(AssertionError, match=r"RunFileError: cannot write the checkpoint .*stage1.pt: File too large"):
        child.hear()
    # The one of the beginning, without the optimizer's moments, still found room.
    assert [path.name for path in (runs / "full" / "checkpoints").iterdir()] == ["stage1.pt"]
    assert checkpoint.load(runs / "full", 1)["step"] == 0
    assert series(runs / "full", "loss", 1).step.tolist() == list(range(1, 9))
    with open_run(runs / "full") as run:
        assert run.info().state is RunState.FAILED
