"""For tests of the trainer: a config that trains in a blink, and stand-ins for recorder and screen."""

import signal
from contextlib import contextmanager
from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from trainer import checkpoint
from trainer.config import Config
from trainer.runs import Run
from trainer.settings import resolve
from trainer.stages import image_stage
from trainer.training import train
from vaemon import open_run
from vaemon.channels import DROPPED

TINY = [
    *("data.size=8", "data.limit=40", "network=dense", "network.hidden=[8]", "network.latents=3"),
    *("stage1.epochs=2", "stage1.batch=10", "stage1.lr=1e-3"),
    *("stage2.epochs=2", "stage2.batch=10", "stage2.second_dim=8"),
    *("threads=1", "device=cpu"),
]


def tiny_config(*settings: str) -> Config:
    return resolve(resolve(Config(), TINY), settings)


@pytest.fixture
def tiny():
    """tiny("stage1.epochs=3", …) -> a Config of 4 steps an epoch on 40 images of 8 x 8."""
    return tiny_config


@pytest.fixture
def tiny_settings():
    """The same as `--set` arguments."""
    return [argument for setting in TINY for argument in ("--set", setting)]


@pytest.fixture
def pixels():
    """Images (40, 8, 8, 3) of noise."""
    return torch.randint(0, 256, (40, 8, 8, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(7)).numpy()


@pytest.fixture
def tiny_stage(tiny, pixels):
    """tiny_stage("stage1.lr=1", …) -> a first stage on those images."""
    return lambda *settings: image_stage(tiny(*settings), pixels, torch.device("cpu"))


class FakeRecorder:
    """Keeps what is logged, and finds a bad value only when flushed, as late as the real one may."""

    def __init__(self, folder=None):
        self.folder = folder
        self.rows = []
        self.newest = {}
        self.first_bad = None
        self.flushes = 0
        self.writes = True

    def log(self, step, **values):
        self.rows.append({"step": step, **values})

    def flush(self):
        self.flushes += 1
        for row in self.rows:
            for name in ("mse", "kl", "gamma", "loss"):
                if self.first_bad is None and not torch.isfinite(row[name]):
                    self.first_bad = SimpleNamespace(step=row["step"], channel=name)
        return self.writes


@pytest.fixture
def recorder(tmp_path):
    return FakeRecorder(tmp_path)


class Screen:
    """Counts what it is shown."""

    def __init__(self):
        self.shown = []
        self.said = []

    def show(self, stage, newest):
        self.shown.append((stage.number, stage.step))

    def say(self, text):
        self.said.append(text)

    def show_reading(self, what, done, total):
        self.shown.append((what, done, total))


@pytest.fixture
def screen():
    return Screen()


@pytest.fixture
def forks(torch_fork_server):
    """start(job, **arguments) -> a child that may be killed; see tests/forks.py."""
    yield torch_fork_server
    torch_fork_server.end_children()


@pytest.fixture
def start(runs, screen):
    """start(name, config, stop=…, resume=…) -> whether it was finished."""

    def call(name, config, stop=lambda: "", resume=False):
        return train(Run(name, runs / name, "shapes", config, resume), screen, stop)

    return call


@pytest.fixture(scope="session")
def straight(tmp_path_factory):
    """straight("stage1.epochs=3", …) -> the folder of the run of that config that went through; to be read, no more."""

    @cache
    def trained(*settings):
        folder = tmp_path_factory.mktemp("straight") / "straight"
        assert train(Run("straight", folder, "shapes", tiny_config(*settings), False), Screen(), str)
        return folder

    return trained


class _After:
    """Says stop once it has been asked so often; the loop asks before an epoch and after each step."""

    def __init__(self, count):
        self.left = count

    def __call__(self):
        self.left -= 1
        return "Ctrl-C" if self.left <= 0 else ""


@pytest.fixture
def after():
    """after(count) -> what to stop by."""
    return _After


@pytest.fixture
def hangs_up():
    """SIGHUP is not ignored, as it is where the tests are started by nohup."""
    former = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, former)


def flat(tree, prefix=""):
    """{"a": {"b": 1}} -> {"a.b.": 1}."""
    if isinstance(tree, dict):
        return {k: v for key, value in tree.items() for k, v in flat(value, f"{prefix}{key}.").items()}
    return {prefix: tree}


@pytest.fixture(scope="session")
def assert_same():
    """assert_same(folder, folder, but=("config.a.",)): checkpoints, the best, too, rows 1 to 8, evaluations."""

    def compare(one, other, but=()):
        for stage in (1, 2):
            for best in (False, True):
                a, b = (flat(checkpoint.load(folder, stage, best=best)) for folder in (one, other))
                assert a.keys() == b.keys()
                for key in a.keys() - set(but):
                    same = torch.equal(a[key], b[key]) if isinstance(a[key], torch.Tensor) else a[key] == b[key]
                    assert same, f"{key} of stage {stage}, best={best}"
            with open_run(one) as run, open_run(other) as second:
                assert {"mse", "kl", "mean_variance"} < set(run.channels(stage)) == set(second.channels(stage))
                for channel in set(run.channels(stage)) - {DROPPED, "time"}:
                    a, b = (each.series(channel, stage=stage) for each in (run, second))
                    assert a.step.tolist() == b.step.tolist() == list(range(1, 9))
                    np.testing.assert_array_equal(a.mean, b.mean, err_msg=channel)
        with open_run(one) as run, open_run(other) as second:
            a, b = ([(e.stage, e.step, dict(e.values)) for e in each.evaluations()] for each in (run, second))
            assert a == b
        assert not list((other / "checkpoints").glob("*.tmp"))

    return compare


@pytest.fixture
def nothing_waits(monkeypatch):
    """`with nothing_waits(): …` fails where the value of a tensor is asked for, as that waits for its device."""

    def refuse(*arguments, **keywords):
        raise AssertionError("a value was asked for on the host")

    @contextmanager
    def within():
        with monkeypatch.context() as patched:
            for name in ("item", "tolist", "numpy", "cpu", "__bool__", "__float__", "__int__", "__index__", "nonzero"):
                patched.setattr(torch.Tensor, name, refuse)
            yield

    return within
