"""What `vaemon export --to tensorboard` writes, as TensorBoard itself reads it: with either of its two loaders."""

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import numpy as np
import pytest
from click.testing import CliRunner

from vaemon import Recorder, open_run
from vaemon.cli import vaemon

PATIENCE = 120.0
STEPS = 300


@pytest.fixture
def log(runs, tmp_path):
    """The folder that a run was exported to."""
    rng = np.random.default_rng(0)
    with Recorder("r", latents=4, config={"lr": 1e-4, "net": {"kind": "dense"}}) as recorder:
        for step in range(1, STEPS + 1):
            recorder.log(step, mean_variance=rng.random(4), kl=0.1 * step, own=rng.random())
        recorder.evaluation(mse=0.25)
        recorder.images("GEN-1", rng.random((3, 8, 8)))
        recorder.stage(2, latents=2)
        recorder.log(1, loss=1.0)
    CliRunner().invoke(vaemon, ["export", "r", "--to", "tensorboard", "--out", str(tmp_path / "log")])
    return tmp_path / "log"


def test_its_own_reader_finds_every_value(log):
    from tensorboard.backend.event_processing.event_accumulator import DEFAULT_SIZE_GUIDANCE, EventAccumulator
    from tensorboard.util.tensor_util import make_ndarray

    found = EventAccumulator(str(log / "stage1"), size_guidance=dict.fromkeys(DEFAULT_SIZE_GUIDANCE, 0)).Reload()
    with open_run("r") as run:
        for name in ("kl", "own", "mean_variance"):
            events = found.Tensors(name)
            expected = run.series(name, stage=1)
            assert [each.step for each in events] == expected.step.tolist()
            values = np.array([make_ndarray(each.tensor_proto) for each in events])
            np.testing.assert_array_equal(values, expected.mean.astype(np.float32))
            assert [each.wall_time for each in events] == run.series("time", stage=1).mean.tolist()


@pytest.mark.parametrize("fast", ["true", "false"])
def test_it_is_shown(log, fast):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["--logdir", str(log), "--host", "127.0.0.1", "--port", str(port), "--load_fast", fast]
    server = subprocess.Popen([sys.executable, "-m", "tensorboard.main", *words], stderr=subprocess.DEVNULL)
    try:
        ask = Asked(f"http://127.0.0.1:{port}/data/")
        tags = ask.until("plugin/scalars/tags", lambda tags: {"stage1", "stage2"} <= set(tags))
        assert {"kl", "own", "epoch", "vaemon/evaluation/mse"} <= set(tags["stage1"])
        assert "loss" in tags["stage2"]
        points = ask("plugin/scalars/scalars?run=stage1&tag=kl")
        assert [step for _, step, _ in points] == list(range(1, STEPS + 1))
        np.testing.assert_allclose([value for *_, value in points], 0.1 * np.arange(1, STEPS + 1), rtol=1e-6)
        assert "vaemon/latents/mean_variance" in ask("plugin/histograms/tags")["stage1"]
        histograms = ask("plugin/histograms/histograms?run=stage1&tag=vaemon%2Flatents%2Fmean_variance")
        assert sum(count for *_, count in histograms[-1][2]) == 4
        assert "vaemon/events" in ask("plugin/text/tags")["stage1"]
        assert ask("plugin/images/tags")["stage1"]["GEN-1"]["samples"] == 3
    finally:
        server.terminate()
        server.wait()


class Asked:
    """A server, by what it answers as JSON."""

    def __init__(self, address):
        self.address = address

    def __call__(self, what):
        with urllib.request.urlopen(self.address + what) as answer:
            return json.load(answer)

    def until(self, what, holds):
        deadline = time.monotonic() + PATIENCE
        while True:
            assert time.monotonic() < deadline, f"TensorBoard never told its {what}"
            try:
                if holds(found := self(what)):
                    return found
            except (urllib.error.URLError, ConnectionError):
                pass
            time.sleep(0.5)
