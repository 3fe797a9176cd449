"""What a writer that died wrote last is verified before it is believed; a clock set back does not make it doubtful."""

import subprocess
import sys

import numpy as np
import pytest

from vaemon import open_run

KILLED = """
import os, signal, sys, time
from types import SimpleNamespace
from vaemon import Recorder
from vaemon.runfile import append
ahead = [3600.0]
append.time = SimpleNamespace(time=lambda: time.time() + ahead[0])
recorder = Recorder("r", latents=2)
for step in range(1, 101):
    recorder.log(step, mean_variance=[0.25, 0.75], mse=1 / step)
    if step % 10 == 0:
        recorder.flush()
    if step == int(sys.argv[1]):
        ahead[0] = 0.0
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("set_right_at", [10, 20, 90])
def test_a_clock_set_back_costs_a_killed_run_no_row(runs, set_right_at):
    subprocess.run([sys.executable, "-c", KILLED, str(set_right_at)], check=False)
    with open_run("r") as run:
        np.testing.assert_array_equal(run.series("step").mean, np.arange(1, 101))
        assert [event.text for event in run.events() if event.kind == "error"] == []
