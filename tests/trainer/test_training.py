"""Whole runs, recorded for real."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

from trainer import checkpoint, training
from trainer.device import choose_device
from trainer.training import Run, train
from vaemon import open_run
from vaemon.batch import RunState
from vaemon.channels import CHANNELS, CLOCKS, DROPPED
from vaemon.errors import BadLoss, OutOfMemory, RunExists, RunFileError, RunLocked, UsageError
from vaemon.thresholds import Thresholds

TRAINED = set(CHANNELS) - {DROPPED}
"""What the trainer records at every step."""


def go() -> str:
    return ""


@pytest.fixture
def start(runs, screen):
    """start(name, config, stop=…, resume=…) -> whether it was finished."""

    def call(name, config, stop=go, resume=False):
        return train(Run(name, runs / name, "shapes", config, resume), screen, stop)

    return call


class After:
    """Says stop once it has been asked so often; the loop asks before an epoch and after each step."""

    def __init__(self, count):
        self.left = count

    def __call__(self):
        self.left -= 1
        return "Ctrl-C" if self.left <= 0 else ""


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


def flat(tree, prefix=""):
    if isinstance(tree, dict):
        return {k: v for key, value in tree.items() for k, v in flat(value, f"{prefix}{key}.").items()}
    return {prefix: tree}


@pytest.mark.parametrize("network", [(), RESNET], ids=["dense", "resnet"])
@pytest.mark.parametrize("asked", [3, 5, 6, 11, 13, 17, 18], ids="stopped at ask {}".format)
def test_a_run_stopped_and_resumed_is_the_run_that_went_through(start, tiny, runs, network, asked):
    """Stops within and between epochs, between the stages and within the second, all bitwise equal in the end."""
    start("straight", tiny(*network))
    assert not start("halted", tiny(*network), stop=After(asked))
    with open_run("halted", runs) as run:
        assert run.info().state is RunState.STOPPED
    assert start("halted", tiny(*network), resume=True)

    for stage in (1, 2):
        one, other = (flat(checkpoint.load(runs / name, stage)) for name in ("straight", "halted"))
        assert one.keys() == other.keys()
        for key in one:
            same = torch.equal(one[key], other[key]) if isinstance(one[key], torch.Tensor) else one[key] == other[key]
            assert same, f"{key} of stage {stage}"
        for channel in TRAINED - {"time"}:
            one, other = (series(name, runs, channel, stage) for name in ("straight", "halted"))
            assert one.step.tolist() == other.step.tolist() == list(range(1, 9))
            np.testing.assert_array_equal(one.mean, other.mean, err_msg=channel)
    assert evaluated("halted", runs) == evaluated("straight", runs)


def evaluated(name, runs):
    with open_run(name, runs) as run:
        return [(each.stage, each.step, dict(each.values)) for each in run.evaluations()]


def test_a_run_whose_checkpoints_are_gone_is_not_begun_anew_over_its_rows(start, tiny, runs):
    start("a", tiny())
    shutil.rmtree(runs / "a" / "checkpoints")
    with pytest.raises(UsageError, match=r"stage1\.pt is not there"):
        start("a", tiny(), resume=True)
    assert len(series("a", runs, "mse", 1).step) == len(series("a", runs, "mse", 2).step) == 8
    with open_run("a", runs) as run:
        assert run.info().state is RunState.FINISHED


def test_rows_after_the_checkpoint_are_replaced(start, tiny, runs, monkeypatch):
    """A crash between two checkpoints: the run goes on from the first of them."""
    start("straight", tiny())
    start("crashed", tiny(), stop=After(4))
    early = checkpoint.path_of(runs / "crashed", 1).read_bytes()
    start("crashed", tiny(), stop=After(3), resume=True)
    checkpoint.path_of(runs / "crashed", 1).write_bytes(early)
    assert start("crashed", tiny(), resume=True)
    np.testing.assert_array_equal(series("crashed", runs, "mse", 1).mean, series("straight", runs, "mse", 1).mean)


def test_a_finished_run_has_nothing_left_to_do(start, tiny, runs, screen):
    start("a", tiny())
    before = {path: path.read_bytes() for path in (runs / "a").rglob("*") if path.is_file()}
    assert start("a", tiny(), resume=True)
    assert "nothing left to do" in screen.said[-1]
    assert {path: path.read_bytes() for path in (runs / "a").rglob("*") if path.is_file()} == before


def test_a_finished_run_may_get_more_epochs_and_a_fresh_second_stage(start, tiny, runs):
    start("a", tiny())
    assert start("a", tiny("stage1.epochs=4"), resume=True)
    start("straight", tiny("stage1.epochs=4"))
    for stage, steps in ((1, 16), (2, 8)):
        one, other = (series(name, runs, "loss", stage) for name in ("a", "straight"))
        assert len(one.step) == steps
        np.testing.assert_array_equal(one.mean, other.mean)


def test_a_second_stage_may_be_added_later(start, tiny, runs):
    start("a", tiny("stage2.enabled=false"))
    assert start("a", tiny(), resume=True)
    assert checkpoint.load(runs / "a", 2)["step"] == 8


def test_a_run_stopped_before_its_first_step_can_be_resumed(start, tiny, runs):
    assert not start("a", tiny(), stop=After(1))
    assert checkpoint.load(runs / "a", 1)["step"] == 0
    assert start("a", tiny(), resume=True)


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


def test_a_last_checkpoint_that_cannot_be_written_is_an_error(start, tiny, monkeypatch):
    def full(folder, stage, state, config, shape):
        raise RunFileError("cannot write the checkpoint: No space left on device")

    start("a", tiny(), stop=After(2))
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


def test_a_checkpoint_of_another_config_is_refused_with_the_keys_that_differ(start, tiny, runs):
    start("a", tiny(), stop=After(3))
    start("b", tiny("seed=4", "network.latents=2", "stage1.lr=.002"), stop=After(3))
    path = checkpoint.path_of(runs / "a", 1)
    path.write_bytes(checkpoint.path_of(runs / "b", 1).read_bytes())
    with pytest.raises(UsageError, match=r"stage1.pt is of another config") as caught:
        start("a", tiny(), resume=True)
    assert "it has seed=4 (the run: 0), network.latents=2 (the run: 3); put back" in str(caught.value)


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


def test_a_run_killed_before_it_could_say_that_it_is_finished_says_so_when_resumed(start, tiny, runs):
    from vaemon.runfile import manifest

    start("a", tiny())
    manifest.end(runs / "a", "", "")
    assert start("a", tiny(), resume=True)
    with open_run("a", runs) as run:
        assert run.info().state is RunState.FINISHED
        assert run.series("loss", stage=2).step.tolist() == list(range(1, 9))


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


@pytest.fixture
def write_pixels(tmp_path, tiny):
    """write_pixels(train, test) -> settings of a run of those images (n, 8, 8, C)."""

    def write(train, test):
        np.savez(tmp_path / "pixels.npz", train=train, test=test)
        return ("data.name=arrays", f"data.path={tmp_path / 'pixels.npz'}", "data.size=0", "data.limit=0")

    return write


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda train, test: (255 - train, test), "as many, of other content"),
        (lambda train, test: (train, 255 - test), "as many, of other content"),
        (lambda train, test: (train[::-1], test), "as many, of other content"),
        (lambda train, test: (np.concatenate((train, train[:5])), test), "train 40, now 45"),
        (lambda train, test: (train, test[:9]), "test 10, now 9"),
        (lambda train, test: (train[..., :1], test[..., :1]), r"shape \[8, 8, 3\], now \[8, 8, 1\]"),
        (lambda train, test: (train[:, :7, :7], test[:, :7, :7]), r"shape \[8, 8, 3\], now \[7, 7, 3\]"),
    ],
    ids=["train", "test", "order", "more", "fewer tests", "grey", "smaller"],
)
def test_other_images_are_refused_and_the_run_stays_as_it_was(start, tiny, runs, pixels, write_pixels, change, said):
    settings = write_pixels(pixels, pixels[:10])
    start("a", tiny(*settings))
    before = {path: path.read_bytes() for path in (runs / "a").rglob("*") if path.is_file()}
    write_pixels(*change(pixels, pixels[:10]))
    with pytest.raises(UsageError, match=rf"not the images that the run began with \({said}.*put them back"):
        start("a", tiny(*settings, "stage1.epochs=4"), resume=True)
    assert {path: path.read_bytes() for path in (runs / "a").rglob("*") if path.is_file()} == before
    write_pixels(pixels, pixels[:10])
    assert start("a", tiny(*settings, "stage1.epochs=4"), resume=True)


def test_a_run_that_noted_no_images_is_still_held_to_their_shape(start, tiny, runs, pixels, write_pixels):
    from vaemon.runfile import manifest

    settings = write_pixels(pixels, pixels[:10])
    start("a", tiny(*settings, "stage2.enabled=false"))
    kept = manifest.read(runs / "a")
    manifest.write(runs / "a", replace(kept, config={key: kept.config[key] for key in kept.config if key != "images"}))
    write_pixels(pixels[..., :1], pixels[:10, ..., :1])
    with pytest.raises(UsageError, match=r"shape \[8, 8, 3\], now \[8, 8, 1\]"):
        start("a", tiny(*settings), resume=True)
    write_pixels(pixels, pixels[:10])
    assert start("a", tiny(*settings), resume=True)


@pytest.mark.parametrize("stage", [1, 2])
@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: content.pop("noise"),
        lambda content: content["network"].popitem(),
        lambda content: content["optimizer"]["param_groups"].append({"params": []}),
        lambda content: content["balance"].update(warp=torch.ones(1)),
    ],
    ids=["key", "layer", "optimizer", "balance"],
)
def test_a_checkpoint_that_does_not_fit_is_said_and_the_run_stays_as_it_was(start, tiny, runs, stage, spoil):
    start("a", tiny())
    path = checkpoint.path_of(runs / "a", stage)
    content = torch.load(path, weights_only=True)
    spoil(content)
    torch.save(content, path)
    before = {path: path.read_bytes() for path in (runs / "a").rglob("*") if path.is_file()}
    with pytest.raises(RunFileError, match=rf"stage{stage}.pt does not fit its own config"):
        start("a", tiny("stage2.epochs=4"), resume=True)
    assert {path: path.read_bytes() for path in (runs / "a").rglob("*") if path.is_file()} == before


def test_a_second_stage_whose_checkpoint_was_removed_is_trained_anew(start, tiny, runs):
    start("a", tiny())
    checkpoint.path_of(runs / "a", 2).unlink()
    assert start("a", tiny(), resume=True)
    start("straight", tiny())
    np.testing.assert_array_equal(series("a", runs, "loss", 2).mean, series("straight", runs, "loss", 2).mean)


@pytest.mark.parametrize("stage", [1, 2])
def test_a_run_that_another_process_went_on_with_meanwhile_is_left_to_it(start, tiny, runs, monkeypatch, stage):
    """Its first stage from the beginning, or a second that was not there."""
    load_images, others = training.load_images, []

    def load_slowly(config, watch):
        if not others:
            others.append("reads while this one does, and is faster")
            assert start("a", tiny("stage1.epochs=3"), resume=True)
            others.extend(path.read_bytes() for path in files())
        return load_images(config, watch)

    def files():
        return sorted(path for path in (runs / "a").rglob("*") if path.is_file())

    start("a", tiny("stage1.epochs=3", "stage2.enabled=false"), stop=After(4 if stage == 1 else 99))
    monkeypatch.setattr(training, "load_images", load_slowly)
    with pytest.raises(RunLocked, match="another process has trained the run a further while this one read the images"):
        start("a", tiny("stage1.epochs=3"), resume=True)
    assert [path.read_bytes() for path in files()] == others[1:]
    with open_run("a", runs) as run:
        assert run.info().state is RunState.FINISHED
