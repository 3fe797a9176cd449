"""The run of a training that a library drives, as its callbacks tell of it by and by."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from vaemon import open_run
from vaemon.adapters.ledger import Ledger, numbers
from vaemon.errors import RunExists, UsageError


@pytest.fixture
def ledger(runs):
    made = Ledger("run42", "library", None, {})
    yield made
    made.end()


def test_what_is_told_of_one_step_is_one_row(runs, ledger):
    ledger.begin(0, {"lr": 0.1}, total_steps=2, steps_per_epoch=1)
    for step in (1, 2):
        ledger.gather({"loss": 1.0})
        ledger.gather({"loss": torch.tensor(4.0, requires_grad=True)})
        ledger.row(step, {"lr": 0.1})
        ledger.row(step, {"mse": 0.5})
        ledger.also({"mse": 7.0, "grad_norm": 3.0})
    ledger.end()
    with open_run("run42") as run:
        assert run.series("loss").mean.tolist() == [2.5, 2.5]
        assert run.series("mse").mean.tolist() == [0.5, 0.5]
        assert run.series("grad_norm").mean.tolist() == [3, 3]
        assert run.series("epoch").mean.tolist() == [0, 1]
        assert run.info().config == {"library": "library", "lr": 0.1}
        assert run.info().state.value == "finished"


def test_an_evaluation_is_of_the_row_before_it(runs, ledger):
    ledger.begin(0, {})
    for step in (1, 2, 3):
        ledger.row(step, {"loss": 1.0})
        if step == 2:
            ledger.evaluation({"val_loss": 2.0})
    ledger.end()
    with open_run("run42") as run:
        assert [(each.step, dict(each.values)) for each in run.evaluations()] == [(2, {"val_loss": 2.0})]


def test_a_training_that_goes_on_goes_on_with_its_run(runs):
    for done in (0, 2):
        ledger = Ledger("run42", "library", None, {})
        ledger.begin(done, {})
        for step in range(done + 1, done + 4):
            ledger.row(step, {"loss": float(step + done)})
        ledger.end()
    with open_run("run42") as run:
        assert run.series("loss").mean.tolist() == [1, 2, 5, 6, 7]


def test_a_training_from_its_beginning_is_no_run_that_goes_on(runs, ledger):
    ledger.begin(0, {})
    ledger.row(1, {"loss": 1.0})
    ledger.end()
    with pytest.raises(RunExists):
        ledger.begin(0, {})


def test_runs_without_names_are_called_after_the_library_each_by_its_own(runs):
    ledger = Ledger(None, "library", None, {})
    names = []
    for _ in range(2):
        ledger.begin(0, {})
        ledger.row(1, {"loss": 1.0})
        ledger.end()
        names.append(ledger.run)
    assert len(set(names)) == 2
    assert all(name.startswith("library-2") for name in names)


@pytest.mark.parametrize(
    ("error", "state", "reason"),
    [
        (ValueError("no"), "failed", "ValueError: no"),
        (KeyboardInterrupt(), "stopped", "Ctrl-C"),
        (SystemExit(3), "stopped", "3"),
    ],
)
def test_an_exception_ends_a_run_as_what_it_was(runs, ledger, error, state, reason):
    ledger.begin(0, {})
    ledger.row(1, {"loss": 1.0})
    ledger.fail(error)
    ledger.end()
    with open_run("run42") as run:
        assert (run.info().state.value, run.info().reason) == (state, reason)
        assert len(run.series("loss").step) == 1


@pytest.mark.parametrize(
    ("last", "state", "reason"),
    [
        ("raise ArithmeticError('it diverged')", "failed", "ArithmeticError: it diverged"),
        ("raise KeyboardInterrupt", "stopped", "Ctrl-C"),
        ("", "stopped", "the process ended before the training did"),
    ],
)
def test_where_nobody_tells_how_it_ended_the_end_of_the_process_does(runs, last, state, reason):
    code = "from vaemon.adapters.ledger import Ledger; a = Ledger('run42', 'library', None, {}); a.begin(0, {})\n"
    subprocess.run([sys.executable, "-c", f"{code}a.row(1, {{'loss': 1.0}})\n{last}"], capture_output=True, check=False)
    with open_run("run42") as run:
        assert (run.info().state.value, run.info().reason) == (state, reason)
        assert run.series("loss").mean.tolist() == [1]


def test_an_option_that_is_none_is_told_at_once():
    with pytest.raises(UsageError, match="interval: no such option; there are config, runs, every"):
        Ledger("run42", "library", None, {"interval": 10})


def test_numbers_are_told_from_what_is_none():
    values = {
        "loss": torch.tensor(1.5),
        "one": torch.tensor([2.0]),
        "yes": torch.tensor(True),
        "count": 3,
        "small": np.float32(0.5),
        "zero_d": np.array(4.0),
        "map": torch.zeros(3),
        "name": "text",
        "nothing": None,
        "step": 7,
        "mean_variance": 1.0,
    }
    assert {name: float(value) for name, value in numbers(values).items()} == {
        "loss": 1.5,
        "one": 2.0,
        "yes": 1.0,
        "count": 3.0,
        "small": 0.5,
        "zero_d": 4.0,
    }
    assert numbers((1.0, 2.0)) == {}
