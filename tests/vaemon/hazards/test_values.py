"""What a loop may log: any float, any step, any number of channels and latents, at any time by the clock."""

import contextlib
import time

import numpy as np
import pytest
import torch

from vaemon import Recorder, open_run
from vaemon.batch import Cursor, RunState, Want
from vaemon.errors import UsageError
from vaemon.source.local import LocalSource

HUGE = [1e300, -1e300, 3.5e38, 1e-300, 1e-46]
ODD = [float("nan"), float("inf"), -float("inf"), -0.0, *HUGE]


def stored(values, dtype=np.float32):
    with np.errstate(all="ignore"):
        return np.asarray(values).astype(dtype)


def same_bits(found, expected):
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(np.signbit(found), np.signbit(expected))


# Values


WRAPS = {
    "float": float,
    "numpy float64": np.float64,
    "0-d array": np.asarray,
    "tensor": lambda value: torch.tensor(value, dtype=torch.float64),
}


@pytest.mark.parametrize("wrap", WRAPS)
def test_any_scalar_is_stored_as_the_nearest_of_its_channels_type_and_nothing_reaches_the_loop(runs, wrap):
    with Recorder("r") as recorder:
        for step, value in enumerate(ODD, start=1):
            given = WRAPS[wrap](value)
            recorder.log(step, mse=given, gamma=given, kl=given, loss=given, lr=given, own=given)
    with open_run("r") as run:
        assert run.series("step").mean.tolist() == list(range(1, len(ODD) + 1))
        for name in ("mse", "gamma", "kl", "loss", "lr"):
            same_bits(run.series(name).mean, stored(ODD))
        if wrap != "tensor":  # tensors are fetched in float32
            same_bits(run.series("own").mean, stored(ODD, np.float64))


@pytest.mark.parametrize(
    "wrap", [np.asarray, lambda row: torch.as_tensor(row, dtype=torch.float64)], ids=["numpy", "torch"]
)
def test_any_vector_is_stored_as_the_nearest_float32_and_nothing_reaches_the_loop(runs, wrap):
    rows = np.array([np.roll(ODD, shift) for shift in range(len(ODD))])
    with Recorder("r") as recorder:
        for step, row in enumerate(rows, start=1):
            recorder.log(step, mean_variance=wrap(row), mean_mu=wrap(row), mu_squared=wrap(row), latent_kl=wrap(row))
    with open_run("r") as run:
        assert run.series("step").mean.tolist() == list(range(1, len(ODD) + 1))
        for name in ("mean_variance", "mean_mu", "mu_squared", "latent_kl"):
            same_bits(run.series(name).mean, stored(rows))


def test_sums_that_overflow_are_infinite_and_lose_no_row(runs):
    with Recorder("r") as recorder:
        for step in range(1, 11):
            row = np.full(4, 3e38, np.float32)
            recorder.log(step, mean_variance=row, mu_squared=row, latent_kl=row)
    with open_run("r") as run:
        assert run.series("step").mean.tolist() == list(range(1, 11))
        assert np.isinf(run.series("kl").mean).all()


@pytest.mark.parametrize(
    "value",
    [np.nan, np.inf, 1e300, 0.0, -1.0],
)
def test_posteriors_of_any_kind_lose_no_row_and_nothing_reaches_the_loop(runs, value):
    odd = np.full((5, 3), value)
    with Recorder("r") as recorder:
        for step in range(1, 11):
            recorder.log(step, mean=odd, variance=odd)
        for step in range(11, 21):
            recorder.log(step, mean=odd, log_variance=odd)
        for step in range(21, 31):
            recorder.log(step, mean=torch.as_tensor(odd), variance=torch.as_tensor(odd))
    with open_run("r") as run:
        assert run.series("step").mean.tolist() == list(range(1, 31))
        assert run.series("mean_variance").mean.shape == (30, 3)


def test_the_pooled_series_of_odd_values_raises_nothing(runs):
    with Recorder("r") as recorder:
        for step in range(1, 1001):
            recorder.log(step, mse=ODD[step % len(ODD)], mean_variance=np.roll(ODD, step))
    with open_run("r") as run:
        for name in ("mse", "mean_variance"):
            assert 5 <= len(run.series(name, points=10).step) <= 10


# Steps


def test_steps_that_repeat_or_go_back_are_refused_counted_and_told_once(runs, caplog):
    with Recorder("r") as recorder:
        for step in range(1, 101):
            recorder.log(step, loss=float(step))
        for step in range(1, 101):
            recorder.log(step, loss=-1.0)
        for _ in range(50):
            recorder.log(100, loss=-1.0)
        recorder.log(101, loss=101.0)
    with open_run("r") as run:
        assert run.series("step").mean.tolist() == list(range(1, 102))
        assert run.series("loss").mean.tolist() == list(range(1, 102))
        told = [event.text for event in run.events() if event.kind == "error"]
        assert len(told) == 1
        assert "step 1 after step 100" in told[0]
        assert [event.text for event in run.events() if event.kind == "drop"] == [
            "150 calls in all could not be recorded"
        ]
        assert run.info().state is RunState.FINISHED
    assert caplog.text.count("training goes on") == 1


def test_steps_may_leave_gaps_of_any_size(runs):
    steps = [0, 1, 5, 1000, 2**31, 2**31 + 1, 2**53 + 1, 2**62 - 1]
    with Recorder("r") as recorder:
        for step in steps:
            recorder.log(step, loss=1.0)
    with open_run("r") as run:
        assert run.series("step").mean.tolist() == steps
        assert run.series("loss", first=6, last=2**53 + 1).step.tolist() == steps[3:7]


# The clock


def test_a_clock_that_goes_back_loses_no_row_and_no_event(runs, monkeypatch):
    now = iter(np.arange(2e9, 0, -1000.0))
    monkeypatch.setattr(time, "time", lambda: float(next(now)))
    with Recorder("r") as recorder:
        for step in range(1, 301):
            recorder.log(step, loss=float(step), mean_variance=np.full(2, 0.5))
            if step == 150:
                recorder.event("note", "half")
                recorder.flush()
    with Recorder("r", resume=True) as recorder:
        for step in range(301, 401):
            recorder.log(step, loss=float(step), mean_variance=np.full(2, 0.5))
    with open_run("r") as run:
        assert run.series("step").mean.tolist() == list(range(1, 401))
        assert "half" in [event.text for event in run.events()]
        assert run.info().state is RunState.FINISHED
    batch = LocalSource(runs / "r").poll(Cursor(), Want(("loss",)))
    assert batch.rows == 400
    assert batch.rate >= 0


@pytest.mark.parametrize("now", [0.0, -1.0, 1e12])
def test_a_clock_that_stands_anywhere_loses_no_row(runs, monkeypatch, now):
    monkeypatch.setattr(time, "time", lambda: now)
    with Recorder("r") as recorder:
        for step in range(1, 301):
            recorder.log(step, loss=float(step))
    with open_run("r") as run:
        assert run.series("step").mean.tolist() == list(range(1, 301))
    assert np.isfinite(LocalSource(runs / "r").poll(Cursor(), Want(("loss",))).rate)


# Sizes


@pytest.mark.parametrize("latents", [1, 2, 64, 513, 8192])
def test_any_number_of_latents_is_recorded_read_live_and_resumed(runs, latents):
    rows = np.random.default_rng(latents).random((40, latents), np.float32)
    with Recorder("r", latents=latents) as recorder:
        for step in range(1, 31):
            recorder.log(step, mean_variance=rows[step - 1], mean_mu=-rows[step - 1])
        recorder.flush()
        with open_run("r") as run:
            same_bits(run.series("mean_variance").mean, rows[:30])
    with Recorder("r", resume=True) as recorder:
        for step in range(21, 41):
            recorder.log(step, mean_variance=rows[step - 1], mean_mu=-rows[step - 1])
    with open_run("r") as run:
        assert run.series("step").mean.tolist() == list(range(1, 41))
        same_bits(run.series("mean_variance").mean, rows)
        same_bits(run.series("mean_mu").mean, -rows)
        assert run.info().stages[0].latents == latents


def many_scalars(count):
    """What a loop logs that follows the norm of every parameter's gradient."""
    return {f"gradient/encoder.layers.{i}.convolution.weight": float(i) for i in range(count)}


@pytest.mark.parametrize("count", [100, 1000, 2000])
def test_any_number_of_scalars_is_recorded(runs, count):
    scalars = many_scalars(count)
    with Recorder("r") as recorder:
        for step in range(1, 11):
            recorder.log(step, loss=1.0, **scalars)
    with open_run("r") as run:
        assert run.series("step").mean.tolist() == list(range(1, 11))
        for name in (*scalars,)[:: count // 3]:
            assert run.series(name).mean.tolist() == [scalars[name]] * 10


def test_a_first_row_that_cannot_be_recorded_is_told(runs, caplog):
    with Recorder("r") as recorder, contextlib.suppress(UsageError):
        recorder.log(1, loss=1.0, **many_scalars(3000))
        with open_run("r") as run:
            assert run.segments or caplog.text


def test_scalars_that_come_up_later_by_the_thousand_are_kept(runs):
    names = [f"gradient/{i}" for i in range(2000)]
    with Recorder("r") as recorder:
        recorder.log(1, loss=1.0)
        recorder.flush()
        recorder.log(2, loss=1.0, **{name: float(i) for i, name in enumerate(names)})
    with open_run("r") as run:
        assert run.series("step").mean.tolist() == [1, 2]
        for i in (0, 1999):
            assert run.series(names[i]).mean.tolist()[-1] == i
