"""The documented script of a plain loop does what it says."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from vaemon import open_run

SCRIPT = Path(__file__).parents[3] / "docs" / "examples" / "with_torch.py"


def test_the_plain_loop(runs, tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(SCRIPT.parents[2])}
    subprocess.run([sys.executable, str(SCRIPT)], cwd=tmp_path, env=environment, check=True)
    with open_run("plain") as run:
        variance = run.series("mean_variance").mean
        assert variance.shape == (400, 8)
        # Three latents tell of the three factors that the data are made of, and five nothing.
        assert ((variance[-20:].mean(0) < 0.1).sum(), (variance[-20:].mean(0) > 0.5).sum()) == (3, 5)
        np.testing.assert_allclose(run.series("kl").mean, run.series("latent_kl").mean.sum(1), rtol=1e-4)
        assert run.series("loss").mean[-1] < run.series("loss").mean[0] / 2
        assert run.info().state.value == "finished"
