"""Presets and files: what they are built on, their quick variants, and where each value comes from."""

import pytest

from trainer.catalogue import about, layers, presets
from trainer.config import KEYS, flattened, to_tree
from trainer.settings import config_of, load_preset, origins, resolve, to_toml
from vaemon.errors import UnknownName, UsageError


@pytest.fixture
def file(tmp_path):
    """file(text) -> the path of a TOML file of one's own."""

    def write(text):
        path = tmp_path / "mine.toml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


def changed(one, other) -> set[str]:
    before, after = flattened(to_tree(one)), flattened(to_tree(other))
    return {key for key in KEYS if before[key] != after[key]}


@pytest.mark.parametrize("preset", presets())
def test_every_preset_says_what_it_is_and_has_a_smaller_quick_variant(preset):
    assert about(preset).endswith(".")
    whole, quick = load_preset(preset), load_preset(preset, quick=True)
    assert 0 < quick.data.limit <= 10_000
    assert changed(whole, quick) == set(layers(preset, quick=True)[-1].values)
    steps = [stage.epochs * quick.data.limit // stage.batch for stage in (quick.stage1, quick.stage2)]
    assert max(steps) <= 1000
    for mine, theirs in ((quick.stage1, whole.stage1), (quick.stage2, whole.stage2)):
        assert mine.epochs <= theirs.epochs
        assert mine.kl_weight == theirs.kl_weight
    assert quick.network.base_dim <= whole.network.base_dim
    assert quick.network.latents == whole.network.latents


def test_a_file_may_differ_from_a_preset_in_a_few_keys(file):
    mine = file('base = "cifar10"\nstage1.lr = 2e-4\n[quick]\nstage1.epochs = 1\n')
    assert changed(load_preset("cifar10"), load_preset(mine)) == {"stage1.lr"}
    quick = load_preset(mine, quick=True)
    assert changed(load_preset("cifar10", quick=True), quick) == {"stage1.epochs"}  # its --quick wins over its own rate
    assert (quick.stage1.epochs, quick.stage1.lr) == (1, 1e-3)


def test_a_file_without_a_quick_variant_has_none(file):
    with pytest.raises(UsageError, match=r"has no table \[quick\]"):
        load_preset(file("seed = 3"), quick=True)


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ('base = "cifar01"', UnknownName, "unknown preset 'cifar01' .did you mean 'cifar10'"),
        ("base = 3", UnknownName, "unknown preset '3'"),
        ('base = "cifar10"\nstage1 = 3', UnknownName, "unknown config key 'stage1'"),
        ('base = "cifar10"\nstage1.epoch = 3', UnknownName, "did you mean 'stage1.epochs'"),
        ("[quick]\nstage1.epoch = 3", UnknownName, "did you mean 'stage1.epochs'"),
        ("[quick]\nstage1.epochs = 0", UsageError, "from 1 on, not 0"),
        ("quick = 3", UsageError, "must be a table"),
        ('[quick]\nabout = "x"', UnknownName, "unknown config key 'about'"),
    ],
)
def test_what_is_wrong_in_a_file_is_named(file, text, error, said):
    with pytest.raises(error, match=said):
        load_preset(file(text), quick=True)


def test_each_value_is_told_with_where_it_comes_from(file):
    mine = file('base = "cifar10"\nnetwork.latents = 32\n[quick]\ndata.limit = 200\n')
    found = layers(mine, quick=True)
    settings = ["stage1.epochs=3", "balance=fixed", "balance.gamma=0.5"]
    config = resolve(config_of(found), settings, "here")
    known = origins(found, settings, "here")
    assert known.keys() == KEYS.keys()
    assert {key: known[key] for key in ("seed", "device", "network.latents", "data.limit", "stage2.epochs")} == {
        "seed": "preset cifar10",
        "device": "default",
        "network.latents": "mine.toml",
        "data.limit": "--quick",
        "stage2.epochs": "--quick",
    }
    assert {key for key, origin in known.items() if origin == "--set"} == {
        *("stage1.epochs", "balance.name", "balance.gamma_squared"),
    }
    assert known["data.path"] == "--data"
    printed = to_toml(config, known).splitlines()
    assert "stage1.epochs = 3                     # --set" in printed
    assert "network.latents = 32                  # mine.toml" in printed
