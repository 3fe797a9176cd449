"""Fréchet distances while a network trains: their names, their values, and what is left of them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from analysis.features.images import arrays_set
from analysis.features.recipes import RECIPES
from analysis.fid.compare import Asked, compare
from analysis.fid.during import TrainingDistance
from analysis.fid.sides import Means, Passes, no_bar
from trainer.data.watch import Stopped
from trainer.generation import generated
from trainer.images import load_images
from trainer.networks.vae import draw, images_to_input
from trainer.settings import load_preset, resolve
from trainer.stages import image_stage, latent_stage
from vaemon import open_run
from vaemon.cli import vaemon
from vaemon.errors import UsageError
from vaemon.evaluations import evaluations

TINY = ("data.limit=120", "stage1.batch=40", "stage2.batch=40", "stage1.epochs=2", "stage2.epochs=1")


def stages(*settings):
    config = resolve(load_preset("shapes"), (*TINY, "network.hidden=[8]", "stage2.second_dim=8", *settings))
    images = load_images(config)
    first = image_stage(config, images.train, torch.device("cpu"))
    first.network.eval()
    return config, first, images


def noise():
    return torch.Generator().manual_seed(3)


def test_the_distances_are_those_of_vaemon_fid_and_leave_nothing_but_the_test_images_features(tmp_path):
    _, first, images = stages()
    found = TrainingDistance("pixels", "")(first, first.network, images.test, noise())
    assert list(found) == ["FD-pixels.REC", "FD-pixels.GEN-1"]

    with torch.no_grad():
        drawn = noise()
        back = first.network.decode(draw(*first.network.encode(images_to_input(torch.from_numpy(images.test))), drawn))
        made = generated(first, first.network, len(images.test), drawn)
    passes = Passes(Means("pixels"), no_bar, lambda sentence: None)
    reference = arrays_set("test", "", images.test)
    extractor = passes.extractor([reference])
    true = passes.side_of(reference, extractor, "reference")
    for name, each in (("REC", back), ("GEN-1", made)):
        judged = arrays_set(name, "", each.permute(0, 2, 3, 1).numpy())
        wanted = compare(true, passes.side_of(judged, extractor, "judged"), Asked()).value
        assert found[f"FD-pixels.{name}"] == pytest.approx(wanted, rel=1e-6)
    assert len(list((tmp_path / "cache").rglob("features-*"))) == 1


def test_of_the_second_stage_it_is_gen_2():
    config, first, images = stages()
    statistics = torch.zeros(len(images.train), first.network.latents)
    second = latent_stage(config, statistics, statistics, images.train.shape[1:])
    found = TrainingDistance("pixels", "")(second, first.network, images.test, noise())
    assert list(found) == ["FD-pixels.GEN-2"]


def test_codes_without_a_prior_are_not_sampled():
    _, first, images = stages("balance=rae-sn")
    assert list(TrainingDistance("pixels", "")(first, first.network, images.test, noise())) == ["FD-pixels.REC"]


class Means4:
    """Stands in for Inception: the means of the channels, and of the whole."""

    distance, made_by, width = "FID", "", 4

    def __init__(self, recipe):
        self.recipe = RECIPES[recipe]

    def fetch(self):
        pass

    def __call__(self, block, role):
        x = self.recipe.prepared(block, role, torch.device("cpu"))
        return torch.cat([x.mean((2, 3)), x.square().mean((1, 2, 3))[:, None]], 1).numpy()


@pytest.mark.parametrize(("recipe", "names"), [("tf", ["FID-tf.REC", "FID-tf.GEN-1"]), ("asperti", ["REC", "GEN-1"])])
def test_a_fid_tells_its_recipe_and_the_papers_has_the_names_of_its_tables(monkeypatch, recipe, names):
    _, first, images = stages()
    monkeypatch.setattr("analysis.features.weights.find", lambda given, progress: None)
    monkeypatch.setattr("analysis.fid.sides.InceptionFeatures", lambda recipe, *rest, **more: Means4(recipe.name))
    found = TrainingDistance("inception", recipe)(first, first.network, images.test, noise())
    assert list(found) == names
    assert all(np.isfinite(value) for value in found.values())


def test_a_pass_leaves_off_where_it_is_told_to_stop():
    _, first, images = stages()
    asked = []
    with pytest.raises(Stopped):
        TrainingDistance("pixels", "")(
            first, first.network, images.test, noise(), lambda: len(asked) > 3 or asked.append(1)
        )


def test_features_are_made_on_the_device_that_is_trained_on(monkeypatch):
    Path("channels.py").write_text("def means(x):\n    return x.mean((2, 3))\n")
    _, first, images = stages()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)  # and yet the training is on the CPU
    found = TrainingDistance("channels:means", "")(first, first.network, images.test, noise())
    assert list(found) == ["FD-means.REC", "FD-means.GEN-1"]


def test_features_that_change_as_it_trains_are_refused():
    with pytest.raises(UsageError, match="change as it trains"):
        TrainingDistance("encoder", "")


def train(*words):
    settings = [word for setting in (*TINY, "network.hidden=[8]", "stage2.second_dim=8") for word in ("--set", setting)]
    return CliRunner().invoke(vaemon, ["train", "shapes", "--runs", "runs", "--quiet", *settings, *words])


def test_train_records_them_with_each_evaluation():
    done = train("--run", "r", "--fid", "--features", "pixels")
    assert done.exit_code == 0, done.output
    assert train("--run", "plain").exit_code == 0
    with open_run("runs/r") as run, open_run("runs/plain") as plain:
        found = evaluations(run.events())
        assert [sorted(name for name in each.values if "FD" in name) for each in found] == [
            *[["FD-pixels.GEN-1", "FD-pixels.REC"]] * 2,
            ["FD-pixels.GEN-2"],
        ]
        for one, other in zip(found, evaluations(plain.events()), strict=True):
            assert {name: one.values[name] for name in other.values} == other.values, "nothing else is changed by it"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--features", "pixels"), "--features is of --fid"),
        (("--recipe", "tf"), "--recipe is of --fid"),
        (("--fid", "--recipe", "tff"), "did you mean 'tf'"),
        (("--fid", "--features", "nothing:there"), "MODULE:NAME of what Python can import"),
        (("--fid", "--features", "pixels", "--recipe", "tf"), "are of Inception"),
    ],
)
def test_what_cannot_be_taken_is_refused_before_anything_is_recorded(tmp_path, words, said):
    done = CliRunner().invoke(vaemon, ["train", "shapes", "--runs", "runs", *words])
    assert isinstance(done.exception, UsageError)
    assert said in str(done.exception)
    assert not (tmp_path / "runs").exists()
