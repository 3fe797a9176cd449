from types import SimpleNamespace

import pytest
import torch

from trainer import checkpoint, saving
from trainer.saving import Saver
from vaemon.errors import RunFileError


@pytest.fixture
def saver(tmp_path, tiny):
    recorder = SimpleNamespace(event=lambda *told, **named: None)
    (tmp_path / "checkpoints").mkdir()
    return Saver(tmp_path, tiny(), (8, 8, 3), recorder, lambda sentence: None)


def step_of(folder, stage=1, best=False):
    state = checkpoint.load(folder, stage, best=best)
    return state and state["step"]


def judged(saver, stage, step, mse):
    stage.step = step
    saver.judge(stage, {"mse": mse})


def test_the_best_is_kept_though_the_disk_refused_it_at_first(saver, tiny_stage, tmp_path, monkeypatch):
    stage, write = tiny_stage(), checkpoint.save

    def refuse(*given):
        raise RunFileError("full")

    judged(saver, stage, 4, 0.5)
    monkeypatch.setattr(saving.checkpoint, "save", refuse)
    judged(saver, stage, 8, 0.1)
    with torch.no_grad():
        weight = next(stage.network.parameters())
        before = weight.clone()
        weight.add_(1.0)
    stage.step = 12
    saver(stage)
    assert step_of(tmp_path, best=True) == step_of(tmp_path) == 4
    monkeypatch.setattr(saving.checkpoint, "save", write)
    saver(stage)
    assert (step_of(tmp_path, best=True), step_of(tmp_path)) == (8, 12)
    assert torch.equal(next(iter(checkpoint.load(tmp_path, 1, best=True)["network"].values())), before)


def test_nan_is_never_the_best(saver, tiny_stage, tmp_path):
    stage = tiny_stage()
    for step, mse in ((4, 0.5), (8, float("nan")), (12, 0.6)):
        judged(saver, stage, step, mse)
    assert (stage.best, stage.best_step, step_of(tmp_path, best=True)) == (0.5, 4, 4)


def test_a_void_stage_goes_when_the_next_of_the_first_is_written(saver, tiny_stage, tmp_path):
    stage = tiny_stage()
    saver(stage)
    path = checkpoint.path_of(tmp_path, 2)
    path.write_bytes(checkpoint.path_of(tmp_path, 1).read_bytes())
    saver.drop_with_next(2)
    assert path.exists()
    saver(stage)
    assert not path.exists()
