"""Benchmarks in the shortest form that they have: what they print, never how fast it was."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def run(tmp_path):
    """run(name, *options): standard output and error of a benchmark that ends well."""

    def run(name, *options):
        done = subprocess.run(
            [sys.executable, ROOT / "benchmarks" / f"{name}.py", *options],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)},
            capture_output=True,
            encoding="utf-8",
        )
        assert done.returncode == 0, done.stderr
        return done.stdout, done.stderr

    return run


def test_the_hook_is_measured_beside_a_loop_that_logs_the_same(run):
    """The benchmark itself reads the runs back and compares them."""
    output, _ = run("encoder", "--rounds", "2", "--steps", "5")
    table = [line for line in output.splitlines() if line.startswith("| ")]
    named = [line.split("|")[1].strip() for line in table]
    assert named[1:5] == ["bare", "`recorder.log` in the loop", "`watch_encoder`", "its `take()`, logged in the loop"]
    assert "**Bars: " in output


def test_a_training_takes_its_steps_as_the_config_asks(run):
    """A step is made once, not anew in every round: on a GPU it would be captured each time."""
    small = ("--preset", "mnist-dense", "--set", "network.hidden=[2]", "--rounds", "1", "--steps", "2")
    output, error = run("training", *small, "--set", "graph=true")
    assert error.count("graph=true is for a single GPU; steps go one by one") == 1
    assert "| mnist-dense, recorded and watched |" in output
    assert "dense, 32 latents, batch 100: log" in output
