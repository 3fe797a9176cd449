"""Installed with the train extra: a training and what its checkpoints are for."""

import json

import pytest

TINY = (
    *("data.size=8", "data.limit=40", "network.hidden=[8]", "network.latents=3", "threads=1", "device=cpu"),
    *("stage1.epochs=2", "stage1.batch=10", "stage2.epochs=2", "stage2.batch=10", "stage2.second_dim=8"),
)


@pytest.fixture(scope="module", autouse=True)
def trained(full):
    settings = [word for each in TINY for word in ("--set", each)]
    full.says("vaemon", "train", "shapes", "--run", "run42", "--quiet", *settings)


def test_it_is_the_one_that_was_installed(full):
    code = "import vaemon, trainer, analysis; print(vaemon.__file__, trainer.__file__, analysis.__file__)"
    assert all(str(full.bin.parent) in each for each in full.says("python", "-c", code).split())


def test_a_training_is_recorded_and_analyzed(full):
    (line,) = json.loads(full.says("vaemon", "ls", "--json"))
    assert (line["name"], line["state"], line["step"]) == ("run42", "finished", 8)
    assert "checkpoint" in full.says("vaemon", "analyze", "run42", "--inactive")


def test_images_are_sampled(full):
    done = full.run("vaemon", "sample", "run42", "--n", "4", "--to", "four.npz")
    assert done.returncode == 0, done.stderr
    assert (full.home / "four.npz").exists()
