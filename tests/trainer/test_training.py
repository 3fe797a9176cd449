"""Whole runs, recorded for real."""

import numpy as np
import pytest
import torch

from trainer import checkpoint, training
from trainer.device import choose_device
from vaemon import open_run
from vaemon.batch import RunState
from vaemon.channels import CHANNELS, CLOCKS, DROPPED
from vaemon.errors import BadLoss, OutOfMemory, RunExists, RunFileError, UsageError
from vaemon.thresholds import Thresholds

TRAINED = set(CHANNELS) - {DROPPED, "posterior_variance", "mixture_kl"}
"""What is recorded at every step where the prior is N(0, I)."""
"""What the trainer records at every step."""


def series(name, runs, channel, stage):
    with open_run(name, runs) as run:
        return run.series(channel, stage=stage)


def test_both_stages_are_trained_and_recorded(start, tiny, runs):
    assert start("a", tiny())
    with open_run("a", runs) as run:
        assert run.info().state is RunState.FINISHED
        assert run.info().config["preset"] == "shapes"
        assert run.info().config["stage1"]["epochs"] == 2
        assert [(s.number, s.latents, s.total_steps, s.steps_per_epoch) for s in run.stages] == [
            (1, 3, 8, 4),
            (2, 3, 8, 4),
        ]
        for stage in (1, 2):
            assert set(run.channels(stage)) == TRAINED
            for channel in TRAINED - set(CLOCKS):
                found = run.series(channel, stage=stage)
                assert found.step.tolist() == list(range(1, 9))
                assert np.isfinite(found.mean).all()
                assert found.mean.shape == ((8, 3) if CHANNELS[channel].kind == "latent" else (8,))


def test_each_stage_begins_with_a_gamma_of_one(start, tiny, runs):
    start("a", tiny())
    for stage in (1, 2):
        gamma = series("a", runs, "gamma", stage).mean
        assert gamma[0] == 1.0
        assert (np.diff(gamma) <= 0).all()


def test_a_run_is_recorded_by_its_thresholds(start, tiny, runs):
    start("a", tiny("thresholds.wake=.25", "thresholds.hold=5", "stage2.enabled=false"))
    with open_run("a", runs) as run:
        assert run.info().thresholds == Thresholds(wake=0.25, hold=5)


def test_the_second_stage_can_be_left_out(start, tiny, runs):
    assert start("a", tiny("stage2.enabled=false"))
    assert not checkpoint.path_of(runs / "a", 2).exists()


def test_the_same_seed_trains_the_same_network_and_another_does_not(start, tiny, runs):
    start("a", tiny())
    start("b", tiny())
    start("c", tiny("seed=1"))
    a, b, c = (checkpoint.load(runs / name, 2)["network"] for name in "abc")
    assert all(torch.equal(a[key], b[key]) for key in a)
    assert not all(torch.equal(a[key], c[key]) for key in a)


RESNET = ("network=resnet", "network.base_dim=2", "network.num_scale=2", "network.fc_dim=4")


def test_a_bad_loss_stops_the_run_with_its_step_and_term(start, tiny, runs):
    with pytest.raises(BadLoss, match=r"(mse|kl|a weight) became NaN or infinite (at|in) step \d+ of stage 1"):
        start("a", tiny("stage1.lr=1e11", "stage1.epochs=100"))
    with open_run("a", runs) as run:
        info = run.info()
        assert info.state is RunState.FAILED
        assert "became NaN or infinite" in info.reason
        assert run.series("mse", stage=1).mean[0] > 0  # what came before is recorded
    state = checkpoint.load(runs / "a", 1)
    assert all(value.isfinite().all() for value in state["network"].values())


def test_a_checkpoint_that_cannot_be_written_in_between_does_not_end_a_run(start, tiny, runs, monkeypatch, screen):
    save = checkpoint.save

    def full_once(folder, stage, state, config, shape):
        if (stage, state["step"]) == (1, 2):
            raise RunFileError("cannot write the checkpoint: No space left on device")
        return save(folder, stage, state, config, shape)

    monkeypatch.setattr(checkpoint, "save", full_once)
    assert start("a", tiny("checkpoint.seconds=1e-9"))
    assert any("No space left on device; training goes on" in said for said in screen.said)
    with open_run("a", runs) as run:
        assert [event.step for event in run.events() if event.kind == "error"] == [2]


def test_a_last_checkpoint_that_cannot_be_written_is_an_error(start, tiny, monkeypatch, after):
    def full(folder, stage, state, config, shape):
        raise RunFileError("cannot write the checkpoint: No space left on device")

    start("a", tiny(), stop=after(2))
    monkeypatch.setattr(checkpoint, "save", full)
    with pytest.raises(RunFileError, match="No space left"):
        start("a", tiny(), resume=True)


def test_a_first_stage_that_could_not_be_saved_is_saved_with_the_second(start, tiny, runs, monkeypatch, screen):
    save, refused = checkpoint.save, []

    def full(folder, stage, state, config, shape):
        if (stage, state["step"]) == (1, 8) and len(refused) < 2:
            refused.append(stage)
            raise RunFileError("cannot write the checkpoint: No space left on device")
        return save(folder, stage, state, config, shape)

    monkeypatch.setattr(checkpoint, "save", full)
    assert start("a", tiny())
    assert len(refused) == 2
    assert checkpoint.load(runs / "a", 1)["step"] == checkpoint.load(runs / "a", 2)["step"] == 8
    assert screen.said.count("checkpoints are written again") == 1


def test_the_best_of_a_stage_is_kept_apart_from_its_newest(start, tiny, runs, monkeypatch):
    mse = {4: 0.5, 8: 0.2, 16: 0.4, 32: 0.2, 64: 0.3}
    monkeypatch.setattr(
        training.Evaluator, "__call__", lambda self, stage: {"mse": mse[stage.step]} if stage.step in mse else {}
    )
    start("a", tiny("stage1.epochs=3", "stage2.enabled=false"))
    start("a", tiny("stage1.epochs=16", "stage2.enabled=false"), resume=True)
    best, newest = (checkpoint.load(runs / "a", 1, best=best) for best in (True, False))
    assert (best["step"], newest["step"]) == (8, 64)
    assert (best["best_step"], best["best"]) == (newest["best_step"], newest["best"]) == (8, 0.2)
    assert checkpoint.restore_vae(runs / "a", best=True).step == 8
    assert checkpoint.restore_vae(runs / "a").step == 64


def test_a_device_whose_memory_is_full_says_what_to_lower(start, tiny, runs, monkeypatch):
    from trainer import loop

    train_batch = loop.train_batch

    def full_in_the_third(stage, rows):
        if stage.step == 2:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has …")
        return train_batch(stage, rows)

    monkeypatch.setattr(loop, "train_batch", full_in_the_third)
    with pytest.raises(OutOfMemory) as caught:
        start("a", tiny("stage1.batch=10", *RESNET))
    said = str(caught.value)
    for words in ("CUDA out of memory", "stage1.batch=5", "network.base_dim=1", "precision=bfloat16", "--resume"):
        assert words in said
    with open_run("a", runs) as run:
        assert run.info().state is RunState.FAILED
        assert "out of memory" in run.info().reason


def test_what_does_not_go_together_leaves_no_run_behind(start, tiny, runs):
    with pytest.raises(UsageError, match="square images"):
        start("a", tiny("network=resnet", "data.size=12"))
    assert not (runs / "a").exists()


def test_padding_makes_images_fit(start, tiny, runs):
    assert start("a", tiny("data.size=12", "data.pad=2", *RESNET))
    assert checkpoint.restore_vae(runs / "a").shape == (16, 16, 3)


def test_a_taken_name_is_refused(start, tiny):
    start("a", tiny())
    with pytest.raises(RunExists):
        start("a", tiny())


@pytest.mark.parametrize("name", ["warp", "cuda:99", "cpu:x", "meta"])
def test_a_device_that_is_not_there_is_said(tiny, name):
    with pytest.raises(UsageError, match=f"device={name} cannot be used here"):
        choose_device(tiny(f"device={name}"))


def test_auto_takes_what_is_there(tiny):
    assert choose_device(tiny("device=auto")).type == ("cuda" if torch.cuda.is_available() else "cpu")


def test_who_stops_while_images_are_read_has_recorded_nothing(start, tiny, runs, screen, tmp_path):
    np.savez(tmp_path / "a.npz", train=np.full((40, 8, 8), 9, np.uint8), test=np.full((10, 8, 8), 9, np.uint8))
    assert not start("a", tiny("data.name=arrays", f"data.path={tmp_path / 'a.npz'}", "data.size=0"), lambda: "Ctrl-C")
    assert screen.said[-1] == "stopped while the images were read; nothing was recorded"
    assert not runs.exists()
