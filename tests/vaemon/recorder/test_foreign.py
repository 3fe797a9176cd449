"""Arrays of other libraries: on the host as any, on a device left there until the writer fetches them."""

import threading

import numpy as np
import pytest

from vaemon import Recorder, open_run


class OnHost:
    """An array that speaks DLPack only."""

    def __init__(self, values):
        self.values = np.array(values)

    def __dlpack__(self, **options):
        return self.values.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.values.__dlpack_device__()


class OnDevice:
    """An array on a device (kind 2 is CUDA): NumPy may have it only by asking, and only the writer's thread asks."""

    fetched_by: list[str] = []  # noqa: RUF012

    def __init__(self, values):
        self.values = np.asarray(values)
        self.shape, self.ndim, self.dtype = self.values.shape, self.values.ndim, self.values.dtype

    def __dlpack_device__(self):
        return (2, 0)

    def __array_namespace__(self):
        return Functions

    def __array__(self, *_, **__):
        raise TypeError("implicit conversion to NumPy is not allowed")

    def get(self):
        OnDevice.fetched_by.append(threading.current_thread().name)
        return self.values

    def copy(self):
        return OnDevice(self.values.copy())

    def astype(self, dtype):
        return OnDevice(self.values.astype(dtype))

    def mean(self, axis):
        return OnDevice(self.values.mean(axis))

    def _with(self, other, how):
        return OnDevice(how(self.values, other.values if isinstance(other, OnDevice) else other))

    def __mul__(self, other):
        return self._with(other, np.multiply)

    def __add__(self, other):
        return self._with(other, np.add)

    def __sub__(self, other):
        return self._with(other, np.subtract)

    __rmul__ = __mul__


class Functions:
    """What its library offers."""

    @staticmethod
    def exp(each):
        return OnDevice(np.exp(each.values))

    @staticmethod
    def log(each):
        return OnDevice(np.log(each.values))


def test_what_speaks_dlpack_is_taken(runs):
    with Recorder("r") as recorder:
        for step in range(1, 4):
            recorder.log(step, mean_variance=OnHost([0.5, step]), mse=OnHost(step / 2))
            recorder.log(
                step + 10, mean=OnHost([[1.0, 2.0]] * 4), variance=OnHost([[0.5, 0.25]] * 4)
            ) if step > 2 else 0
    with open_run("r") as run:
        assert run.series("mean_variance").mean.tolist() == [[0.5, 1], [0.5, 2], [0.5, 3], [0.5, 0.25]]
        assert run.series("mse").mean.tolist()[:3] == [0.5, 1.0, 1.5]


@pytest.fixture
def posterior():
    rng = np.random.default_rng(0)
    return rng.normal(size=(20, 3)).astype(np.float32), rng.uniform(0.1, 1, size=(20, 3)).astype(np.float32)


@pytest.mark.parametrize("given", ["variance", "log_variance"])
def test_posteriors_on_a_device_are_reduced_there_and_fetched_by_the_writer(runs, posterior, given):
    mean, variance = posterior
    second = variance if given == "variance" else np.log(variance)
    OnDevice.fetched_by.clear()
    with Recorder("device") as recorder, Recorder("host") as host:
        for step in range(1, 30):
            recorder.log(step, mean=OnDevice(mean * step), **{given: OnDevice(second)}, mse=OnDevice(np.float32(step)))
            host.log(step, mean=mean * step, **{given: second}, mse=float(step))
    assert set(OnDevice.fetched_by) == {"vaemon-writer"}
    with open_run("device") as run, open_run("host") as other:
        for name in ("mean_variance", "mean_mu", "mu_squared", "latent_kl", "mse", "kl", "variance_law"):
            np.testing.assert_allclose(run.series(name).mean, other.series(name).mean, rtol=1e-5, atol=1e-6)


def test_what_the_loop_overwrites_afterwards_changes_nothing(runs):
    values = OnDevice(np.full(3, 0.5))
    with Recorder("r") as recorder:
        recorder.log(1, mean_variance=values)
        recorder.log(2, mean_variance=values)
        values.values[:] = 9
    with open_run("r") as run:
        assert run.series("mean_variance").mean.tolist() == [[0.5] * 3] * 2


class Failing(OnDevice):
    """An array whose device has failed."""

    def copy(self):
        return self

    def get(self):
        raise RuntimeError("device-side assert triggered")


def test_a_device_that_fails_costs_its_rows_only_and_is_told(runs):
    with Recorder("r") as recorder:
        for step in range(1, 31):
            kind = Failing if step in (7, 8) else OnDevice
            recorder.log(step, mean_variance=kind([0.5, 0.5]), mse=1.0)
    with open_run("r") as run:
        assert run.series("step").mean.tolist() == [step for step in range(1, 31) if step not in (7, 8)]
        told = [event.text for event in run.events() if event.kind == "drop"]
        assert any("step 7" in text and "device-side assert" in text for text in told)
        assert run.series("dropped").mean.tolist()[-1] == 2
