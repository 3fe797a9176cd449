from dataclasses import replace

import pytest

from trainer.config import Config, to_tree
from trainer.runs import new_run, resumable_run
from vaemon.errors import BadRunName, RunExists, RunFileError, UnknownName, UsageError
from vaemon.runfile import manifest


@pytest.fixture
def make_run(runs):
    """make_run(name, preset) -> the folder of a run as the trainer leaves it, or of another's where preset is ''."""

    def make(name, preset, **changes):
        folder = runs / name
        folder.mkdir(parents=True)
        config = {"preset": preset, **to_tree(Config(**changes))} if preset else {"lr": 1}
        manifest.begin(folder, name, config)
        return folder

    return make


def test_a_new_run_is_named_after_its_preset(runs):
    assert new_run(None, "shapes", runs).name.startswith("shapes-2")
    assert new_run(None, "/some/where/mine.toml", runs).name.startswith("mine-2")
    assert new_run("run42", "shapes", runs) == runs / "run42"


def test_a_taken_or_impossible_name_is_refused(runs, make_run):
    make_run("taken", "shapes")
    with pytest.raises(RunExists, match="--resume goes on with it"):
        new_run("taken", "shapes", runs)
    for name in ("a/b", "..", "-x", "a\nb", ""):
        with pytest.raises(BadRunName):
            new_run(name, "shapes", runs)


def test_a_named_run_goes_on_with_its_own_config(runs, make_run):
    folder = make_run("run42", "shapes", seed=5)
    assert resumable_run("run42", "shapes", runs) == (folder, Config(seed=5))


def test_without_a_name_it_is_the_newest_run_of_the_preset(runs, make_run):
    make_run("theirs", "")
    mine = make_run("mine", "shapes")
    make_run("other", "cifar10")
    assert resumable_run(None, "shapes", runs)[0] == mine


def test_a_run_of_another_preset_is_refused_and_the_right_command_said(runs, make_run):
    make_run("run42", "cifar10")
    with pytest.raises(UsageError, match="vaemon train cifar10 --run run42 --resume"):
        resumable_run("run42", "shapes", runs)


def test_a_run_of_another_program_is_refused(runs, make_run):
    make_run("theirs", "")
    with pytest.raises(UsageError, match="was not made by `vaemon train`"):
        resumable_run("theirs", "shapes", runs)


def test_an_unknown_run_or_preset_names_the_nearest(runs, make_run):
    make_run("run42", "shapes")
    with pytest.raises(UnknownName, match="did you mean 'run42'"):
        resumable_run("run24", "shapes", runs)
    with pytest.raises(UnknownName, match="did you mean 'shapes'"):
        resumable_run(None, "shaeps", runs)
    with pytest.raises(UsageError, match="there is no run of the preset cifar10"):
        resumable_run(None, "cifar10", runs)


def test_a_config_of_another_vaemon_names_its_file(runs, make_run):
    folder = make_run("a", "shapes")
    kept = manifest.read(folder)
    manifest.write(folder, replace(kept, config={**kept.config, "stage1": {**kept.config["stage1"], "warp": 9}}))
    with pytest.raises(RunFileError, match=r"a/run.json keeps a config .*'stage1.warp'.* use the vaemon that made"):
        resumable_run("a", "shapes")
