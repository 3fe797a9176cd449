import pytest

from trainer.settings import load_preset
from trainer.sweep import book
from trainer.sweep.plan import members_of
from vaemon.errors import RunExists, RunFileError, UnknownName, UsageError
from vaemon.runfile import sweeps


def members(*given, seeds=1, name="s"):
    return members_of(name, load_preset("shapes"), given, seeds, None)


def test_every_combination_with_every_seed():
    found = members("lr=2e-4,1e-4", "network.latents=8,16", "stage2.epochs=3", seeds=2)
    assert [each.run for each in found] == [
        f"s-lr{lr}-latents{latents}-seed{seed}" for lr in ("2e-4", "1e-4") for latents in (8, 16) for seed in (0, 1)
    ]
    assert found[3].settings == ["stage1.lr=2e-4", "network.latents=16", "stage2.epochs=3", "seed=1"]
    assert found[3].setting == "stage1.lr=2e-4 network.latents=16"


def test_nothing_set_is_one_setting_with_its_seeds():
    assert [(each.run, each.setting) for each in members(seeds=3)] == [(f"s-seed{i}", "") for i in range(3)]


def test_values_that_are_lists_and_keys_of_the_same_last_word():
    assert [each.settings[0] for each in members("network.hidden=[8,4],[16]")] == [
        "network.hidden=[8,4]",
        "network.hidden=[16]",
    ]
    assert members("stage1.lr=1e-3,1e-4", "stage2.lr=1e-3,1e-4")[0].run == "s-stage1.lr1e-3-stage2.lr1e-3-seed0"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["lr"], "--set takes key=value"),
        (["lr=1,"], "--set takes key=value"),
        (["lr=1e-3,1e-3"], "a value twice"),
        (["lr=1e-3", "stage1.lr=1e-4"], "stage1.lr is set twice"),
        (["seed=1,2"], "--seeds"),
        (["stage1.lr=1e-3,x"], "stage1.lr must be a number"),
        (["stage1.epoch=3"], "did you mean 'stage1.epochs'"),
        (["name=dense"], "balance.name or data.name or network.name"),
    ],
)
def test_what_is_wrong_is_said(given, said):
    with pytest.raises(UsageError) as caught:
        members(*given)
    assert said in str(caught.value)


@pytest.fixture
def noted(tmp_path):
    """A sweep of two members, noted in the folder of runs, which is tmp_path."""
    sweep = sweeps.Sweep(name="s", preset="shapes", at_most=2, slurm={"partition": "gpu"}, members=members(seeds=2))
    book.create(sweep, tmp_path)
    return sweep


def test_the_summary_comes_back_as_it_was(noted, tmp_path):
    assert sweeps.read("s", tmp_path) == noted
    assert sweeps.sweep_with("s-seed1", tmp_path) == noted
    assert [(setting, [each.seed for each in found]) for setting, found in noted.by_setting()] == [("", [0, 1])]
    with pytest.raises(RunExists):
        book.create(noted, tmp_path)
    with pytest.raises(UnknownName, match="did you mean 's-seed1'"):
        sweeps.sweep_with("s-sed1", tmp_path)
    for name in ("t", "", "..", "/s"):
        with pytest.raises(UnknownName, match="unknown sweep"):
            sweeps.read(name, tmp_path)


def test_what_others_have_noted_meanwhile_stays(noted, tmp_path):
    other = sweeps.read("s", tmp_path)
    noted.members[0].state = "finished"
    book.note(noted, noted.members[:1], tmp_path)
    other.members[1].state = "failed"
    book.note(other, other.members[1:], tmp_path)
    assert [member.state for member in sweeps.read("s", tmp_path).members] == ["finished", "failed"]
    assert [each.name for each in sweeps.folder_of("s", tmp_path).iterdir()] == ["sweep.json"]


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"format": 2, "name": "s", "preset": "shapes"}', b"\xff"])
def test_a_damaged_summary_is_told(content, noted, tmp_path):
    (sweeps.folder_of("s", tmp_path) / "sweep.json").write_bytes(content)
    with pytest.raises(RunFileError, match=r"sweep.json (cannot be read|has format 2)"):
        sweeps.read("s", tmp_path)


def test_a_sweep_that_has_not_begun_can_be_forgotten(noted, tmp_path):
    book.forget(noted, tmp_path)
    assert sweeps.names(tmp_path) == []
