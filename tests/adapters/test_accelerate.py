"""The tracker in real loops of Accelerate."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState, GradientState, PartialState

from vaemon import open_run
from vaemon.adapters.accelerate import VaemonTracker


@pytest.fixture(autouse=True)
def fresh():
    """Accelerate's state is one a process."""
    yield
    AcceleratorState._reset_state(True)
    PartialState._reset_state()
    GradientState._reset_state()


def test_the_example(example, assert_is_whole, assert_has_found):
    run = example("accelerate")
    assert_is_whole(run, 400, 8)
    assert_has_found(run)
    assert run.info().config["gamma"] == 0.3
    assert run.series("epoch").mean.tolist() == [epoch for epoch in range(20) for _ in range(20)]


def test_logs_of_one_step_are_one_row_and_steps_between_logs_its_mean(runs, make_vae):
    vae = make_vae()()
    accelerator = Accelerator(log_with=VaemonTracker("run42", encoder=vae.encoder), cpu=True)
    accelerator.init_trackers("project", config={"lr": 0.1})
    _, optimizer = accelerator.prepare(vae, torch.optim.SGD(vae.parameters(), lr=0.1))
    seen = []
    for step in range(1, 7):
        x = torch.randn(10, 6)
        seen.append(vae.encoder.layer(x)[:, :3].detach().mean(0))
        mse, kl = vae.losses(x)
        accelerator.backward(mse + kl)
        optimizer.step()
        optimizer.zero_grad()
        if step % 3 == 0:
            accelerator.log({"mse": mse, "words": "are left out"}, step=step)
            accelerator.log({"kl": kl.item(), "extra": torch.tensor([2.0])}, step=step)
            vae.eval()
            vae.losses(torch.randn(50, 6))
            vae.train()
    accelerator.end_training()
    with open_run("run42") as run:
        assert run.series("mean_mu").step.tolist() == [3, 6]
        expected = torch.stack(seen).reshape(2, 3, 3).mean(1).numpy()
        np.testing.assert_allclose(run.series("mean_mu").mean, expected, rtol=1e-4, atol=1e-6)
        assert run.series("extra").mean.tolist() == [2, 2]
        assert run.series("kl").step.tolist() == [3, 6]
        assert (run.info().config["lr"], run.info().state.value) == (0.1, "finished")


def test_a_run_goes_on_where_that_is_asked(runs):
    for resume, steps in ((False, range(1, 6)), (True, range(4, 9))):
        accelerator = Accelerator(log_with="vaemon", cpu=True)
        accelerator.init_trackers("run42", init_kwargs={"vaemon": {"resume": resume}})
        for step in steps:
            accelerator.log({"loss": float(step)}, step=step)
        accelerator.end_training()
    with open_run("run42") as run:
        assert run.series("loss").mean.tolist() == [1, 2, 3, 4, 5, 6, 7, 8]


FAILING = """
from accelerate import Accelerator
import vaemon.adapters.accelerate
accelerator = Accelerator(log_with="vaemon", cpu=True)
accelerator.init_trackers("run42")
accelerator.log({"loss": 1.0}, step=1)
raise ArithmeticError("it diverged")
"""

DISTRIBUTED = """
import torch, vaemon.adapters.accelerate
from accelerate import Accelerator
encoder = torch.nn.Linear(4, 4)
accelerator = Accelerator(log_with="vaemon", cpu=True)
assert accelerator.num_processes == 2
init = {"vaemon": {"encoder": encoder, "extract": lambda output: output.chunk(2, 1)}}
accelerator.init_trackers("run42", init_kwargs=init)
for step in range(1, 4):
    loss = encoder(torch.randn(5, 4)).square().mean()
    accelerator.log({"loss": loss}, step=step)
accelerator.end_training()
"""


def test_an_exception_that_ends_the_process_is_the_end_of_the_run(runs, tmp_path, pytestconfig):
    done = _run([sys.executable, "-c", FAILING], runs, pytestconfig.rootpath)
    assert done.returncode == 1
    with open_run("run42") as run:
        assert (run.info().state.value, run.info().reason) == ("failed", "ArithmeticError: it diverged")
        assert run.series("loss").mean.tolist() == [1]


def test_of_several_processes_the_first_records(runs, tmp_path, pytestconfig):
    script = tmp_path / "distributed.py"
    script.write_text(DISTRIBUTED)
    words = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(script)]
    done = _run(words, runs, pytestconfig.rootpath)
    assert done.returncode == 0, done.stderr[-3000:]
    with open_run("run42") as run:
        assert run.series("mean_variance").step.tolist() == [1, 2, 3]
        assert run.info().state.value == "finished"


def _run(words, runs, root):
    environment = {**os.environ, "PYTHONPATH": str(root), "VAEMON_RUNS": str(runs)}
    return subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
