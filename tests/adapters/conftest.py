"""The adapters against the libraries themselves: `make test-adapters`, one environment for each.

A file here is collected where its library is installed.
"""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from vaemon import open_run

ROOT = Path(__file__).parents[2]
LIBRARIES = ("lightning", "transformers", "accelerate", "pythae", "scvi", "diffusers", "tensorboard")
collect_ignore = [f"test_{name}.py" for name in LIBRARIES if find_spec(name) is None]


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.adapters)
            item.add_marker(pytest.mark.filterwarnings("ignore"))  # the libraries' own
            item.add_marker(pytest.mark.timeout(600))


@pytest.fixture
def example(runs, tmp_path):
    """run(name) -> the run that the documented script has recorded, open for reading."""
    opened = []

    def run(name):
        script = ROOT / "docs" / "examples" / f"with_{name}.py"
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "VAEMON_RUNS": str(runs)}
        done = subprocess.run(
            [sys.executable, str(script)], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-3000:]
        assert "was not recorded" not in done.stderr
        opened.append(open_run(f"with-{name}"))
        return opened[-1]

    yield run
    for each in opened:
        each.close()


@pytest.fixture
def assert_is_whole():
    """check(run, steps, latents): every step once, finite posteriors that fit each other, ended as planned."""

    def check(run, steps, latents):
        info = run.info()
        assert (info.state.value, info.reason) == ("finished", "")
        assert info.stages[0].total_steps == steps
        variance = run.series("mean_variance")
        assert variance.step.tolist() == list(range(1, steps + 1))
        assert variance.mean.shape == (steps, latents)
        assert np.isfinite(run.series("latent_kl").mean).all()
        assert not [event for event in run.events() if event.kind in ("error", "drop")]

    return check


@pytest.fixture
def assert_has_found():
    """check(run): three latents tell of the three factors that the data are made of, and five nothing."""

    def check(run):
        variance = np.sort(run.series("mean_variance").mean[-20:].mean(0))
        assert (variance[:3] < 0.1).all()
        assert (variance[3:] > 0.5).all()

    return check


@pytest.fixture
def make_vae():
    """make(base) -> the class of a small VAE: `losses(x)` gives its mean squared error and KL."""
    import torch
    from torch import nn

    class Encoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(6, 6)

        def forward(self, x):
            return self.layer(x).chunk(2, dim=1)

    def make(base=nn.Module):
        class Vae(base):
            def __init__(self):
                super().__init__()
                self.encoder, self.decoder = Encoder(), nn.Linear(3, 6)

            def losses(self, x):
                mean, log_variance = self.encoder(x)
                z = mean + (log_variance / 2).exp() * torch.randn_like(mean)
                kl = 0.5 * (mean**2 + log_variance.exp() - log_variance - 1).sum(1).mean()
                return (self.decoder(z) - x).square().mean(), kl

        return Vae

    return make
