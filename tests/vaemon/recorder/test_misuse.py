"""What a training loop may hand in by mistake costs that row, or that event, and nothing else."""

import signal
import subprocess
import sys

import numpy as np
import pytest
import torch

from vaemon import Recorder, open_run
from vaemon.batch import RunState
from vaemon.errors import RunFileError, UsageError

MISTAKES = {
    "event without text": lambda r: r.event("note", None),
    "a surrogate": lambda r: r.event("note", "bad \udcff name"),
    "a long kind": lambda r: r.event("a" + "é" * 20, "x"),
    "a step of an event": lambda r: r.event("note", "x", step="abc"),
    "a huge step": lambda r: r.log(2**70, loss=1.0),
    "an empty array": lambda r: r.log(60, loss=1.0, v=np.zeros(0)),
    "an empty tensor": lambda r: r.log(60, loss=1.0, v=torch.zeros(0)),
    "many epochs": lambda r: r.log(60, loss=1.0, epoch=np.zeros(3)),
    "a huge number": lambda r: r.log(60, loss=10**400),
    "an array for a number": lambda r: r.log(60, loss=np.zeros(3)),
    "a number for an array": lambda r: r.log(60, loss=1.0, mean_variance=0.5),
    "other latents": lambda r: r.log(60, loss=1.0, mean_variance=np.ones(5)),
    "its own name": lambda r: r.log(60, loss=1.0, time=3.0),
    "a long name": lambda r: r.log(60, loss=1.0, **{"x" * 300: 1.0}),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_the_middle_costs_no_other_row(runs, mistake):
    with Recorder("r") as recorder:
        for step in range(1, 60):
            recorder.log(step, loss=1.0, mean_variance=np.ones(3))
        MISTAKES[mistake](recorder)
        for step in range(61, 121):
            recorder.log(step, loss=1.0, mean_variance=np.ones(3))
    with open_run("r") as run:
        steps = set(run.series("step").mean.tolist())
        assert {*range(1, 60), *range(61, 121)} <= steps
        assert run.info().state is RunState.FINISHED


@pytest.mark.parametrize("config", [{("a",): 1}, 3])
def test_a_config_that_is_no_json_is_refused_and_leaves_no_lock(runs, config):
    with pytest.raises(UsageError, match="config"):
        Recorder("r", config=config)
    with Recorder("r") as recorder:
        recorder.log(1, loss=1.0)


@pytest.mark.parametrize(
    "options", [{"total_steps": -1}, {"steps_per_epoch": 0}, {"every": 2.5}, {"latents": -3}, {"latents": "3"}]
)
def test_the_constructor_raises_on_misuse(runs, options):
    with pytest.raises(UsageError):
        Recorder("r", **options)
    assert not (runs / "r").exists()


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunFileError, match="cannot be recorded in"):
        Recorder("r", runs=tmp_path / "file")


def test_half_precision_is_reduced_in_single(runs):
    generator = torch.Generator().manual_seed(0)
    mean = 0.05 * torch.randn(100, 8, generator=generator)
    log_variance = 0.02 * torch.randn(100, 8, generator=generator)
    with Recorder("r") as recorder:
        recorder.log(1, mean=mean, log_variance=log_variance)
        recorder.log(2, mean=mean.bfloat16(), log_variance=log_variance.bfloat16())
        recorder.log(3, mean=np.full((4, 8), 300, np.float16), variance=np.ones((4, 8), np.float16))
    with open_run("r") as run:
        kl = run.series("latent_kl").mean
    assert kl[0].min() > 1e-4
    np.testing.assert_allclose(kl[1], kl[0], rtol=0.05)
    np.testing.assert_allclose(kl[2], 45_000)


def test_gradients_are_left_alone(runs):
    mean = torch.ones(4, 2, requires_grad=True)
    with Recorder("r") as recorder:
        recorder.log(1, mean=mean, log_variance=mean * 0, loss=(mean * 2).sum())
    assert mean.grad is None


@pytest.mark.parametrize("first", [0, 1])
def test_epochs_follow_from_steps_that_begin_at_either_number(runs, first):
    with Recorder("r", steps_per_epoch=5) as recorder:
        for step in range(first, first + 12):
            recorder.log(step, loss=1.0)
    with open_run("r") as run:
        assert run.series("epoch").mean.tolist() == [0] * 5 + [1] * 5 + [2] * 2


def test_mistakes_of_one_kind_are_told_once_and_all_are_counted(runs):
    with Recorder("r") as recorder:
        recorder.log(1, loss=1.0)
        for step in range(2, 50):
            recorder.log(step, loss="a")
        for step in range(50, 100):
            recorder.log(step, loss=np.zeros((2, 2)))
    with open_run("r") as run:
        told = [event.text for event in run.events() if event.kind in ("error", "drop")]
    assert len(told) == 3
    assert told[-1] == "98 calls in all could not be recorded"


TWO = """
import os, signal, sys, time
from vaemon import Recorder
a, b = Recorder("a"), Recorder("b")
for step in range(1, 20):
    a.log(step, loss=1.0); b.log(step, loss=1.0)
if sys.argv[1] == "first closed":
    a.close()
os.kill(os.getpid(), signal.SIGTERM)
time.sleep(60)
"""


@pytest.mark.parametrize("how", ["both open", "first closed"])
def test_sigterm_flushes_every_recorder_of_the_process(runs, how):
    done = subprocess.run([sys.executable, "-c", TWO, how], capture_output=True, timeout=60)
    assert done.returncode == -signal.SIGTERM
    for name in ("a", "b"):
        with open_run(name) as run:
            assert len(run.series("step").mean) == 19
            assert run.info().state is (RunState.FINISHED if (name, how) == ("a", "first closed") else RunState.STOPPED)


INTERRUPTED = """
import os, signal, threading, time
from vaemon import Recorder
from vaemon.recorder.writer import Writer
drain = Writer._drain
def slow(self, insist):
    time.sleep(0.5); drain(self, insist)
with Recorder("r") as recorder:
    recorder.log(1, loss=1.0)
    Writer._drain = slow
    for step in range(2, 20):
        recorder.log(step, loss=1.0)
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGNAL)).start()
time.sleep(60)
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_during_close_loses_nothing(runs, name):
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED.replace("SIGNAL", name)], capture_output=True, timeout=60, check=False
    )
    assert done.returncode != 0
    with open_run("r") as run:
        assert len(run.series("step").mean) == 19
        assert run.info().state is RunState.FINISHED


def test_one_unreadable_segment_hides_itself_and_not_the_run(runs):
    with Recorder("r") as recorder:
        recorder.log(1, loss=1.0)
    (runs / "r" / "segment-0001.h5").write_bytes(b"")
    (runs / "r" / "segment-foo.h5").write_bytes(b"")
    with open_run("r") as run:
        assert run.series("loss").mean.tolist() == [1.0]
        assert any("segment-0001.h5" in event.text for event in run.events())
    with Recorder("r", resume=True) as recorder:
        recorder.log(2, loss=2.0)
    with open_run("r") as run:
        assert run.series("loss").mean.tolist() == [1.0, 2.0]


def test_a_damaged_run_json_does_not_hide_the_rows(runs):
    with Recorder("r") as recorder:
        recorder.log(1, loss=1.0)
    (runs / "r" / "run.json").write_text('{"format": 1, "name": "r", "created": "x", "outcome": "weird"}')
    with open_run("r") as run:
        assert run.series("loss").mean.tolist() == [1.0]
        with pytest.raises(RunFileError, match="damaged"):
            run.info()
