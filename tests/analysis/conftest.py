"""A source made of arrays, and posteriors whose every figure is known in closed form."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from analysis.catalogue import Subject, examine
from analysis.inputs import Origin, PosteriorStatistics
from analysis.report import Report
from vaemon.batch import Batch, Cursor, Event, Latest, RunInfo, RunState, Series, StageInfo
from vaemon.channels import POSTERIOR
from vaemon.errors import UnknownName


@dataclass
class FakeSource:
    """One stage of a run, in memory."""

    step: np.ndarray
    epoch: np.ndarray
    channels: dict
    stage: StageInfo
    events: tuple = ()
    config: dict = field(default_factory=dict)
    address: str = "elsewhere:run"
    state: RunState = RunState.FINISHED
    asked: list = field(default_factory=list)
    closed: bool = False

    def info(self):
        stages = (self.stage,) if len(self.step) else ()
        return RunInfo("run", self.address, self.state, config=self.config, stages=stages)

    def poll(self, since, want):
        assert since == Cursor()
        assert want.columns == 0, "the analysis needs no columns"
        latest = None
        if len(self.step) and want.stage == self.stage.number:
            latest = Latest(int(self.step[-1]), int(self.epoch[-1]), 0.0, {}, {})
        return Batch(self.info(), since, stage=want.stage, rows=len(self.step), latest=latest, events=self.events)

    def series(self, channel, window, points):
        assert window.stage == self.stage.number
        known = {"epoch": self.epoch, **self.channels}
        if channel not in known:
            raise UnknownName("channel", channel, known)
        inside = self.step >= (window.first or 0)
        if window.last is not None:
            inside &= self.step <= window.last
        step, values = self.step[inside], known[channel][inside]
        self.asked.append((channel, len(step)))
        if len(step) > points:
            parts = [part for part in np.array_split(np.arange(len(step)), points) if len(part)]
            step = np.array([step[part[-1]] for part in parts])
            values = np.stack([values[part].mean(axis=0) for part in parts])
            return Series(channel, step, values, values, values, exact=False)
        return Series(channel, step, values, values, values, exact=True)

    def close(self):
        self.closed = True


@pytest.fixture
def make_source():
    """make(rows, per_epoch, channels=..., ...) -> a FakeSource of `rows` rows, its channels constant by default."""

    def make(rows, per_epoch, *, latents=2, channels=None, number=1, planned=True, stride=1, **more):
        step = np.arange(1, rows + 1, dtype=np.int64) * stride
        epoch = np.zeros(rows, np.int32) if per_epoch is None else ((step - 1) // per_epoch).astype(np.int32)
        if channels is None:
            values = {"mean_variance": 0.25, "mean_mu": 0.5, "mu_squared": 0.75, "latent_kl": 0.125}
            channels = {name: np.full((rows, latents), values[name], np.float32) for name in POSTERIOR}
        stage = StageInfo(number, latents, rows * stride, per_epoch if planned else None)
        return FakeSource(step, epoch, channels, stage, **more)

    return make


@pytest.fixture
def wake():
    """wake(latent, step) -> the event."""

    def make(latent, step, kind="wake", stage=1):
        return Event(step=step, time=0.0, stage=stage, kind=kind, latent=latent)

    return make


@pytest.fixture
def make_posterior():
    """make(kind, mean_variance, ...) -> posteriors that obey the law: μ = ±√(1 - σ²) with equal odds, σ constant."""

    def make(kind, mean_variance, **more):
        variance = np.array(mean_variance, np.float64)
        spread = 1 - variance
        fields = {
            "origin": Origin(kind, step=4000, epoch=7, samples=500, first_step=3501, full_epoch=kind == "stream"),
            "mean_variance": variance,
            "mean_mu": np.zeros_like(variance),
            "mu_squared": spread,
            "mu_variance": spread,
            "kl": -0.5 * np.log(variance),
        }
        if kind != "stream":
            fields |= {
                "mean_deviation": np.sqrt(variance),
                "variance_variance": np.zeros_like(variance),
                "near_prior": (fields["kl"] < 0.01).astype(float),
                "mu_covariance": np.diag(spread),
                "skewness": np.zeros_like(variance),
                "kurtosis": -2 * spread**2,  # E[z⁴] = μ⁴ + 6 μ²σ² + 3 σ⁴ with μ² + σ² = 1
            }
        return PosteriorStatistics(**(fields | more))

    return make


@pytest.fixture
def make_report(make_posterior):
    """make(...) -> a report on six latents from both origins: two active, one waking, one in limbo, two collapsed."""

    variance = [0.9, 0.02, 0.99, 0.45, 0.05, 0.75]
    woke = np.array([-1, 120, -1, -1, 1340, -1])

    def make(reports=("inactive", "variance_law"), as_published=False, parts=("stream", "checkpoint"), **more):
        found = {
            kind: examine(
                Subject(make_posterior(kind, variance), woke, as_published=as_published and kind == "checkpoint"),
                reports,
            )
            for kind in parts
        }
        fields = {
            "run": "shapes-20260101-120000",
            "address": "runs/shapes-20260101-120000",
            "state": "finished",
            "stage": 1,
            "latents": 6,
            "threshold": 0.8,
            "as_published": as_published,
            "reports": reports,
            "stream": found.get("stream"),
            "checkpoint": found.get("checkpoint"),
            "missing": {},
        }
        return Report(**(fields | more))

    return make
