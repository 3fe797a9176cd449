"""Runs that were stopped, killed or changed, and gone on with."""

import shutil

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from trainer import checkpoint, training
from trainer.networks.dense import Dense
from trainer.networks.second_stage import SecondStage
from vaemon import open_run
from vaemon.batch import RunState
from vaemon.errors import RunFileError, RunLocked, UsageError
from vaemon.runfile import lock

RESNET = ("network=resnet", "network.base_dim=2", "network.num_scale=2", "network.fc_dim=4")


def series(name, runs, channel, stage):
    with open_run(name, runs) as run:
        return run.series(channel, stage=stage)


@pytest.mark.parametrize(
    ("network", "asked"), [*(((), ask) for ask in (3, 5, 6, 11, 13, 17, 18)), (RESNET, 5), (RESNET, 17)]
)
def test_a_run_stopped_and_resumed_is_the_run_that_went_through(
    assert_same, start, straight, tiny, runs, network, asked, after
):
    """Stops within and between epochs, between the stages and within the second, all bitwise equal in the end."""
    assert not start("halted", tiny(*network), stop=after(asked))
    with open_run("halted", runs) as run:
        assert run.info().state is RunState.STOPPED
    assert start("halted", tiny(*network), resume=True)

    assert_same(straight(*network), runs / "halted")


def test_what_draws_from_torchs_own_generator_goes_on_in_its_stream(start, tiny, runs, monkeypatch, after):
    """None of the networks does so; a layer of dropout would."""
    for network in (Dense, SecondStage):

        def encode(self, x, encode=network.encode):
            mean, log_variance = encode(self, x)
            return F.dropout(mean, 0.5, self.training), log_variance

        monkeypatch.setattr(network, "encode", encode)
    start("straight", tiny())
    assert not start("halted", tiny(), stop=after(4))
    torch.rand(3)
    assert not start("halted", tiny(), stop=after(9), resume=True)  # within the second stage
    assert start("halted", tiny(), resume=True)
    for stage in (1, 2):
        one, other = (series(name, runs, "loss", stage) for name in ("straight", "halted"))
        np.testing.assert_array_equal(one.mean, other.mean)


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


def test_rows_after_the_checkpoint_are_replaced(start, straight, tiny, runs, monkeypatch, after):
    """A crash between two checkpoints: the run goes on from the first of them."""
    start("crashed", tiny(), stop=after(4))
    early = checkpoint.path_of(runs / "crashed", 1).read_bytes()
    start("crashed", tiny(), stop=after(3), resume=True)
    checkpoint.path_of(runs / "crashed", 1).write_bytes(early)
    assert start("crashed", tiny(), resume=True)
    one, other = (series(folder.name, folder.parent, "mse", 1) for folder in (runs / "crashed", straight()))
    np.testing.assert_array_equal(one.mean, other.mean)


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


def test_a_run_stopped_before_its_first_step_can_be_resumed(start, tiny, runs, after):
    assert not start("a", tiny(), stop=after(1))
    assert checkpoint.load(runs / "a", 1)["step"] == 0
    assert start("a", tiny(), resume=True)


def test_a_checkpoint_of_another_config_is_refused_with_the_keys_that_differ(start, tiny, runs, after):
    start("a", tiny(), stop=after(3))
    start("b", tiny("seed=4", "network.latents=2", "stage1.lr=.002"), stop=after(3))
    path = checkpoint.path_of(runs / "a", 1)
    path.write_bytes(checkpoint.path_of(runs / "b", 1).read_bytes())
    with pytest.raises(UsageError, match=r"stage1.pt is of another config") as caught:
        start("a", tiny(), resume=True)
    assert "it has seed=4 (the run: 0), network.latents=2 (the run: 3); put back" in str(caught.value)


def test_a_run_killed_before_it_could_say_that_it_is_finished_says_so_when_resumed(start, tiny, runs):
    from vaemon.runfile import manifest

    start("a", tiny())
    manifest.end(runs / "a", "", "")
    assert start("a", tiny(), resume=True)
    with open_run("a", runs) as run:
        assert run.info().state is RunState.FINISHED
        assert run.series("loss", stage=2).step.tolist() == list(range(1, 9))


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
def test_a_run_that_another_process_went_on_with_meanwhile_is_left_to_it(start, tiny, runs, monkeypatch, stage, after):
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

    start("a", tiny("stage1.epochs=3", "stage2.enabled=false"), stop=after(4 if stage == 1 else 99))
    monkeypatch.setattr(training, "load_images", load_slowly)
    with pytest.raises(RunLocked, match="another process has trained the run a further while this one read the images"):
        start("a", tiny("stage1.epochs=3"), resume=True)
    assert [path.read_bytes() for path in files()] == others[1:]
    with open_run("a", runs) as run:
        assert run.info().state is RunState.FINISHED


def test_a_run_is_not_let_go_of_between_a_look_at_its_checkpoints_and_recording(start, tiny, runs, monkeypatch, after):
    """The second look and the opening of the recorder happen under one lock, which ends with the run."""
    start("a", tiny(), stop=after(4))
    descriptors, version = [], checkpoint.version

    def look(folder):
        descriptors.append(lock._held.get(folder.resolve()))
        return version(folder)

    class Recorder(training.Recorder):
        def __init__(self, *given, **named):
            descriptors.append(lock._held[(runs / "a").resolve()])
            super().__init__(*given, **named)
            descriptors.append(lock._held[(runs / "a").resolve()])

    monkeypatch.setattr(checkpoint, "version", look)
    monkeypatch.setattr(training, "Recorder", Recorder)
    assert start("a", tiny(), resume=True)
    first, *rest = descriptors
    assert first is None
    assert len(rest) == 3
    assert len(set(rest)) == 1
    assert lock.holder(runs / "a") is None


def test_a_run_that_is_refused_before_it_is_recorded_is_let_go_of(start, tiny, runs, monkeypatch, after):
    start("a", tiny(), stop=after(4))

    def refuse(*given, **named):
        raise UsageError("no")

    with monkeypatch.context() as patched:
        patched.setattr(training, "Recorder", refuse)
        with pytest.raises(UsageError, match="no"):
            start("a", tiny(), resume=True)
    assert lock.holder(runs / "a") is None
    assert start("a", tiny(), resume=True)
