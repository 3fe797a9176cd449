import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch

from vaemon import Recorder, open_run
from vaemon.batch import RunState
from vaemon.errors import UsageError


def posteriors(seed=0, shape=(50, 4)):
    rng = np.random.default_rng(seed)
    return rng.normal(size=shape), rng.uniform(0.1, 1.0, size=shape)


@pytest.mark.parametrize("wrap", [np.asarray, torch.as_tensor, lambda a: torch.as_tensor(a, dtype=torch.bfloat16)])
@pytest.mark.parametrize("shape", [(50, 4), (10, 4, 3, 2)])
def test_posteriors_are_reduced_to_the_four_channels(runs, wrap, shape):
    mean, variance = posteriors(shape=shape)
    with Recorder("r") as recorder:
        recorder.log(1, mean=wrap(mean), variance=wrap(variance))
        recorder.log(2, mean=wrap(mean), log_variance=wrap(np.log(variance)))
    over = (0,) if len(shape) == 2 else (0, 2, 3)
    places = 1 if len(shape) == 2 else 6
    tolerance = 0.04 if getattr(wrap(mean), "dtype", None) is torch.bfloat16 else 1e-5
    kl = 0.5 * (mean**2 + variance - np.log(variance) - 1).mean(over) * places
    with open_run("r") as run:
        for name, expected in (
            ("mean_variance", variance.mean(over)),
            ("mean_mu", mean.mean(over)),
            ("mu_squared", (mean**2).mean(over)),
            ("latent_kl", kl),
        ):
            np.testing.assert_allclose(run.series(name).mean, [expected] * 2, rtol=tolerance, atol=tolerance)
        law = (mean**2 + variance).mean()
        np.testing.assert_allclose(run.series("variance_law").mean, law, rtol=tolerance)
        np.testing.assert_allclose(run.series("kl").mean, kl.sum(), rtol=tolerance, atol=tolerance)


def test_tensors_may_be_overwritten_after_log(runs):
    with Recorder("r") as recorder:
        row, number = torch.zeros(2), np.zeros(2)
        for step in range(1, 101):
            row.fill_(step)
            number.fill(-step)
            recorder.log(step, mean_variance=row, mean_mu=number, mse=row[0])
    with open_run("r") as run:
        np.testing.assert_array_equal(run.series("mean_variance").mean[:, 1], np.arange(1, 101))
        np.testing.assert_array_equal(run.series("mean_mu").mean[:, 0], -np.arange(1, 101))
        np.testing.assert_array_equal(run.series("mse").mean, np.arange(1, 101))


@pytest.mark.parametrize(
    "values",
    [
        {"mean": np.zeros((5, 3))},
        {"mean": np.zeros((5, 3)), "variance": np.ones((5, 3)), "log_variance": np.zeros((5, 3))},
        {"mean": np.zeros((5, 3)), "variance": np.ones((5, 2))},
        {"mean_variance": np.zeros((2, 3))},
        {"mean_variance": np.zeros(5)},
        {"mean_variance": np.zeros(3), "mean_mu": np.zeros(4)},
        {"mse": "small"},
        {"step": 0.5},
    ],
)
def test_the_first_log_raises_on_misuse(runs, values):
    step = values.pop("step", 1)
    with Recorder("r", latents=3) as recorder, pytest.raises(UsageError):
        recorder.log(step, **values)


def test_after_the_first_log_nothing_raises_and_the_good_rows_are_kept(runs, caplog):
    with Recorder("r", latents=2) as recorder:
        recorder.log(1, mean_variance=[1.0, 1.0], mse=1.0)
        recorder.log(2, mean_variance=[1.0, 1.0], mse="big")
        recorder.log(3, mean_variance=np.zeros((2, 2)), mse=1.0)
        recorder.log(1, mean_variance=[1.0, 1.0], mse=1.0)
        recorder.log(4, mse={})
        recorder.log(5, mean_variance=[0.5, 0.5], mse=5.0)
    with open_run("r") as run:
        assert run.series("step").mean.tolist() == [1, 5]
        assert {"error", "drop"} <= {event.kind for event in run.events()}
    assert "training goes on" in caplog.text


def test_missing_values_are_unknown(runs):
    with Recorder("r", latents=1) as recorder:
        recorder.log(1, mean_variance=[0.5], mse=1.0)
        recorder.log(2, mse=2.0)
        recorder.log(3, mean_variance=[0.7])
    with open_run("r") as run:
        np.testing.assert_allclose(run.series("mean_variance").mean[:, 0], [0.5, np.nan, 0.7], rtol=1e-6)
        np.testing.assert_allclose(run.series("mse").mean, [1.0, 2.0, np.nan])


def test_one_call_in_so_many_is_recorded(runs):
    with Recorder("r", latents=1, every=10) as recorder:
        for step in range(1, 101):
            recorder.log(step, mean_variance=[0.5])
    with open_run("r") as run:
        assert run.series("step").mean.tolist() == list(range(1, 101, 10))


def test_the_first_bad_value_is_found_and_named(runs):
    with Recorder("r", latents=1) as recorder:
        for step in range(1, 20):
            bad = step >= 7
            recorder.log(step, mean_variance=[0.5], mse=torch.tensor(float("nan") if bad else 1.0), loss=float(step))
        recorder.flush()
        assert (recorder.first_bad.step, recorder.first_bad.channel) == (7, "mse")
        assert recorder.newest["loss"] == 19
    with open_run("r") as run:
        assert [(event.kind, event.step) for event in run.events()] == [("stage", 1), ("nan", 7)]


@pytest.mark.parametrize(
    ("error", "state", "reason"),
    [
        (None, RunState.FINISHED, ""),
        (KeyboardInterrupt, RunState.STOPPED, "Ctrl-C"),
        (ValueError, RunState.FAILED, "ValueError: no good"),
    ],
)
def test_how_the_block_is_left_is_how_the_run_ended(runs, error, state, reason):
    try:
        with Recorder("r", latents=1) as recorder:
            recorder.log(1, mean_variance=[0.5])
            if error is not None:
                raise error("no good")
    except (KeyboardInterrupt, ValueError):
        pass
    with open_run("r") as run:
        assert (run.info().state, run.info().reason) == (state, reason)


def test_a_wake_is_recorded_once_though_the_run_was_resumed_in_the_middle_of_it(runs, staircase, log_rows):
    variance = staircase(600, 4)
    with Recorder("whole", latents=4) as recorder:
        log_rows(recorder, variance)
    with Recorder("parts", latents=4) as recorder:
        log_rows(recorder, variance[:245])
    with Recorder("parts", resume=True) as recorder:
        log_rows(recorder, variance[245:], first=246)
    with open_run("whole") as whole, open_run("parts") as parts:
        wakes = [(e.step, e.latent) for e in whole.events() if e.kind == "wake"]
        assert [latent for _, latent in wakes] == [0, 1, 2, 3]
        assert [(e.step, e.latent) for e in parts.events() if e.kind == "wake"] == wakes


ENDLESS = """
import sys, time
import numpy as np
from vaemon import Recorder
recorder = Recorder("r", latents=8)
step = 0
while True:
    step += 1
    recorder.log(step, mean_variance=np.full(8, step % 1000), mse=float(step))
    if step == 50:
        recorder.flush(); print("flushed", flush=True)
    {tail}
"""


def endless(runs, tail="time.sleep(1e-4)"):
    child = subprocess.Popen(
        [sys.executable, "-c", ENDLESS.replace("{tail}", tail)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert child.stdout.readline() == b"flushed\n"
    return child


@pytest.mark.parametrize("delay", [0.0, 0.1, 0.26, 0.4])
def test_a_killed_writer_loses_nothing_that_was_flushed(runs, delay):
    child = endless(runs)
    time.sleep(delay)
    child.kill()
    child.communicate()
    with open_run("r") as run:
        steps = run.series("step").mean
        assert len(steps) >= 50
        np.testing.assert_array_equal(steps, np.arange(1, len(steps) + 1))
        np.testing.assert_array_equal(run.series("mse").mean, steps)
        assert run.info().state is RunState.CRASHED


def test_sigterm_flushes_everything_and_still_ends_the_process(runs):
    child = endless(runs, "if step == 400: print('there', flush=True); time.sleep(60)")
    assert child.stdout.readline() == b"there\n"
    child.send_signal(signal.SIGTERM)
    child.communicate()
    assert child.returncode == -signal.SIGTERM
    with open_run("r") as run:
        assert len(run.series("step").mean) == 400
        assert (run.info().state, run.info().reason) == (RunState.STOPPED, "SIGTERM")


def test_a_process_that_just_ends_flushes_too(runs):
    child = endless(runs, "if step == 300: break")
    child.communicate()
    assert child.returncode == 0
    with open_run("r") as run:
        assert len(run.series("step").mean) == 300
        assert run.info().state is RunState.STOPPED


FORK = """
import os, sys
from vaemon import Recorder
with Recorder("r", latents=1) as recorder:
    recorder.log(1, mean_variance=[0.5])
    for _ in range(20):
        child = os.fork()
        if not child:
            recorder.log(2, mean_variance=[0.5])
            recorder.event("note", "from the child")
            recorder.flush()
            recorder.close()
            sys.exit(0)
        assert os.waitpid(child, 0)[1] == 0
    recorder.log(3, mean_variance=[0.5])
"""


def test_a_forked_child_leaves_the_run_alone(runs):
    done = subprocess.run([sys.executable, "-c", FORK], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    with open_run("r") as run:
        assert run.series("step").mean.tolist() == [1, 3]
        assert run.info().state is RunState.FINISHED
        assert "note" not in {event.kind for event in run.events()}


FULL_DISK = """
import resource, signal, sys
import numpy as np
from vaemon import Recorder
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
recorder = Recorder("r", latents=64)
recorder.log(1, mean_variance=np.ones(64)); recorder.flush()
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
for step in range(2, 2000):
    recorder.log(step, mean_variance=np.ones(64))
    if step % 100 == 0:
        recorder.flush()
if sys.argv[1] == "space-returns":
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
recorder.close()
print("trained to the end")
"""


@pytest.mark.parametrize("end", ["space-returns", "stays-full"])
def test_a_full_disk_stops_neither_the_training_nor_loses_what_was_written(runs, end):
    done = subprocess.run([sys.executable, "-c", FULL_DISK, end], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "trained to the end" in done.stdout
    assert "training goes on" in done.stderr
    with open_run("r") as run:
        steps = run.series("step").mean
        np.testing.assert_array_equal(steps, np.arange(1, len(steps) + 1))
        if end == "space-returns":
            assert len(steps) == 1999
            assert "error" in {event.kind for event in run.events()}
        else:
            assert len(steps) >= 100
