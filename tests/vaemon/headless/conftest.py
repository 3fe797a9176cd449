"""Views of a made-up run, and a source that tells them one after another."""

from dataclasses import dataclass, field, replace
from types import SimpleNamespace

import numpy as np
import pytest

from vaemon.batch import Batch, Cursor, Latest, RunInfo, RunState, StageInfo
from vaemon.view.lookout import Seen

NOW = 1_760_000_000.0


def batch(step=0, *, state=RunState.RUNNING, name="r", reason="", scalars=None, events=(), variance=(0.1, 0.9), **more):
    """A source's answer: a run at some step; 0: before its first row."""
    info = RunInfo(name, f"runs/{name}", state, reason, stages=(StageInfo(1, len(variance), 5000, 100),) * bool(step))
    if not step:
        return Batch(info, Cursor(), **more)
    scalars = {"mse": 0.02, "gamma": 0.1} if scalars is None else scalars
    smoothed = {name: np.float64(value if np.isfinite(value) else 0.5) for name, value in scalars.items()}
    smoothed |= {"mean_variance": np.array(variance), "latent_kl": np.array(variance) * 0 + 1.5}
    smoothed |= {"mean_mu": np.zeros(len(variance)), "mu_squared": 1 - np.array(variance)}
    latest = Latest(step, step // 100, NOW, scalars, smoothed)
    return Batch(info, Cursor(), 1, step, latest=latest, events=tuple(events), events_anew=True, rate=40.0, **more)


@dataclass
class Script:
    """A source that gives one answer after another, and the last one again and again."""

    answers: list
    asked: int = 0

    def poll(self, since, want):
        answer = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        if isinstance(answer, Exception):
            raise answer
        return replace(answer, cursor=since)


@dataclass
class Guard:
    """A lookout that is done at some step."""

    until: int = 10**9
    alerts: dict = field(default_factory=dict)

    def see(self, view, fares):
        step = view.latest.step if view.latest else 0
        return Seen(view, tuple(self.alerts.pop(step, ())), done=step >= self.until)


@dataclass
class Clock:
    """A clock that goes on only while one waits."""

    now: float = NOW
    waits: list = field(default_factory=list)

    def __call__(self):
        return self.now

    def wait(self, seconds):
        self.waits.append(seconds)
        self.now += seconds


@pytest.fixture
def made():
    """All of the above."""

    return SimpleNamespace(batch=batch, Script=Script, Guard=Guard, Clock=Clock, NOW=NOW)
