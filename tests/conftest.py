"""Shared by all tests: a folder of runs of one's own, and runs with a known content."""

import gc
import importlib.util
import signal
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

settings.register_profile("untimed", deadline=None)  # a machine that others share may take its time
settings.load_profile("untimed")

# A shell's background jobs are started with Ctrl-C ignored, and so would be every process that a test starts.
if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish():
    """All that is imported by now stays to the end: the garbage collector need not go through it again and again."""
    gc.collect()
    gc.freeze()


_spec = importlib.util.spec_from_file_location("forks", Path(__file__).with_name("forks.py"))
_forks = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_forks)


@pytest.fixture(scope="session")
def fork_server(tmp_path_factory):
    """A process that forks those that need no torch; see tests/forks.py."""
    server = _forks.ForkServer(tmp_path_factory.mktemp("forks") / "stderr")
    yield server
    server.close()


@pytest.fixture(scope="session")
def torch_fork_server(tmp_path_factory):
    """Another, which has imported torch once one of its children did."""
    server = _forks.ForkServer(tmp_path_factory.mktemp("forks") / "stderr")
    yield server
    server.close()


@pytest.fixture
def runs(tmp_path, monkeypatch) -> Path:
    """An empty folder of runs that $VAEMON_RUNS points to."""
    folder = tmp_path / "runs"
    monkeypatch.setenv("VAEMON_RUNS", str(folder))
    return folder


@pytest.fixture(scope="session")
def staircase():
    """make(rows, latents) -> E[σ²] rows (n, k) in which latent i falls from 1 to .05 around row 100 (i + 1)."""

    def make(rows: int, latents: int) -> np.ndarray:
        at = 100.0 * (np.arange(latents) + 1)
        return 1 - 0.95 / (1 + np.exp(-(np.arange(rows)[:, None] - at) / 10))

    return make


@pytest.fixture(scope="session")
def log_rows():
    """log(recorder, variance, first=1): log rows of E[σ²], with the other channels following from them."""

    def log(recorder, variance, first: int = 1) -> None:
        for step, row in enumerate(variance, start=first):
            recorder.log(
                step,
                mean_variance=row,
                mean_mu=np.zeros_like(row),
                mu_squared=1 - row,
                latent_kl=-0.5 * np.log(row),
                mse=1.0 / step,
                gamma=step**-0.5,
                loss=float(step),
            )

    return log
