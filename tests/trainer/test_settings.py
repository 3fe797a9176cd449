import re
from importlib import resources

import pytest

from trainer.catalogue import layers, presets
from trainer.config import KEYS, MAY_CHANGE, Config, Network, flattened, nested, thresholds_of, to_tree
from trainer.networks.build import IMAGE_NETWORKS
from trainer.options import BUILT_BY
from trainer.settings import (
    config_from,
    config_of,
    load_preset,
    origins,
    resolve,
    resolve_resumed,
    to_toml,
    with_settings,
)
from vaemon.errors import UnknownName, UsageError
from vaemon.thresholds import DEFAULT, NAMES, Thresholds


def test_a_setting_changes_its_key_and_no_other():
    changed = with_settings(Config(), ["stage1.epochs=3"])
    before, after = flattened(to_tree(Config())), flattened(to_tree(changed))
    assert {key for key in KEYS if before[key] != after[key]} == {"stage1.epochs"}
    assert changed.stage1.epochs == 3


@pytest.mark.parametrize(
    ("setting", "key", "value"),
    [
        ("stage1.lr=1e-4", "stage1.lr", 1e-4),
        ("stage1.lr=.5", "stage1.lr", 0.5),
        ("stage1.lr=1", "stage1.lr", 1.0),
        ("seed = 7", "seed", 7),
        ("stage2.enabled=false", "stage2.enabled", False),
        ("balance=fixed", "balance.name", "fixed"),
        ("network=dense", "network.name", "dense"),
        ("data=folder", "data.name", "folder"),
        ("lr=1e-3", "stage1.lr", 1e-3),
        ("second_dim=8", "stage2.second_dim", 8),
        ("latents=3", "network.latents", 3),
        ("data.path=12", "data.path", "12"),
        ("data.path=a=b", "data.path", "a=b"),
        ("device=cuda:1", "device", "cuda:1"),
    ],
)
def test_a_value_is_read_as_its_key_wants_it(setting, key, value):
    assert flattened(to_tree(with_settings(Config(), [setting])))[key] == value


@pytest.mark.parametrize("value", [[32, 16], []])
def test_a_list_is_read_as_in_toml(value):
    assert with_settings(Config(), ["network=dense", f"hidden={value}"]).network.hidden == tuple(value)


def test_later_settings_win():
    assert with_settings(Config(), ["seed=1", "seed=2"]).seed == 2


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("stage1.epochs=-1", "stage1.epochs must be a whole number from 1 on, not -1"),
        ("stage1.batch=0", "stage1.batch must be a whole number from 1 on, not 0"),
        ("stage1.epochs=2.5", "stage1.epochs must be a whole number from 1 on, not 2.5"),
        ("stage1.lr=fast", "stage1.lr must be a number above 0 and below 1e+12, not 'fast'"),
        ("stage1.lr=nan", "stage1.lr must be a number above 0"),
        ("stage1.lr=inf", "stage1.lr must be a number above 0"),
        ("stage1.lr=", "stage1.lr must be a number above 0"),
        ("balance.momentum=1", "balance.momentum must be a number from 0 on and below 1, not 1"),
        ("stage2.enabled=yes", "stage2.enabled must be true or false, not 'yes'"),
        ("network.hidden=[3, 0]", "network.hidden must be a list, each a whole number from 1 on"),
        ("network.hidden=3", "network.hidden must be a list"),
        ("balance.rise=0", "balance.rise must be a number above 0 and at most 1, not 0"),
        ("balance.rise=1.5", "balance.rise must be a number above 0 and at most 1, not 1.5"),
        ("balance.cycles=0", "balance.cycles must be a whole number from 1 on, not 0"),
        ("balance.warm_up=-1", "balance.warm_up must be a number from 0 on"),
        ("balance.floor=-1", "balance.floor must be a number from 0 on"),
        ("balance.beta=-1", "balance.beta must be a number from 0 on"),
        ("balance.tolerance=-1", "balance.tolerance must be a number from 0 on"),
        ("balance.rate=0", "balance.rate must be a number above 0"),
        ("balance.gamma=big", "balance.gamma must be a number above 0, not 'big'"),
        ("balance.gamma=-0.2", "balance.gamma must be a number above 0, not '-0.2'"),
        ("stage1.epochs", "--set takes key=value"),
    ],
)
def test_a_wrong_value_is_named_with_its_key_and_what_it_takes(setting, said):
    with pytest.raises(UsageError) as caught:
        with_settings(Config(), [setting])
    assert said in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("setting", "nearest"),
    [
        ("stage1.epohcs=3", "stage1.epochs"),
        ("network.latent=3", "network.latents"),
        ("sead=3", "seed"),
        ("epohcs=3", "stage1.epochs"),
        ("stage2.epohcs=3", "stage2.epochs"),
        ("balance.gama=3", "balance.gamma"),
        ("latnets=3", "network.latents"),
        ("balance=compted", "computed"),
        ("network=resnt", "resnet"),
        ("precision=bfloat", "bfloat16"),
    ],
)
def test_a_typo_is_answered_with_the_nearest_name(setting, nearest):
    with pytest.raises(UnknownName, match=f"did you mean '{nearest}'"):
        with_settings(Config(), [setting])


@pytest.mark.parametrize("key", ["balance.gamma", "gamma"])
def test_gamma_is_another_spelling_of_its_square(key):
    config = resolve(Config(), ["balance=fixed", f"{key}=0.5"])
    assert config.balance.gamma_squared == 0.25
    assert resolve(Config(), ["balance=fixed", f"{key}=0.1"]).balance.gamma_squared == 0.01


def test_a_last_word_of_several_sections_is_refused():
    with pytest.raises(UsageError, match=r"may mean balance\.name or data\.name or network\.name"):
        with_settings(Config(), ["name=dense"])


def test_a_key_without_its_section_is_answered_in_a_file_too():
    with pytest.raises(UnknownName, match=r"unknown config key 'epochs' \(did you mean 'stage1\.epochs'"):
        config_from({"epochs": 3})


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (["balance=fixed"], r"balance=fixed needs its gamma_squared: --set balance\.gamma=0\.2"),
        (["balance=beta"], r"balance=beta needs its beta: --set balance\.beta="),
        (["balance=linear", "balance.warm_up=1"], r"balance=linear needs its gamma_squared"),
        (["balance=linear"], r"needs its gamma_squared: --set balance\.gamma=.*; and its warm_up: --set balance\.warm"),
        (["balance=linear", "balance.gamma=1"], r"balance=linear needs its warm_up: --set balance\.warm_up="),
        (["balance=cyclical"], r"balance=cyclical needs its gamma_squared"),
        (["balance=free-bits", "balance.gamma=1"], r"balance=free-bits needs its floor: --set balance\.floor="),
        (["balance=geco"], r"balance=geco needs its tolerance: --set balance\.tolerance="),
    ],
)
def test_what_only_the_user_can_choose_has_to_be_given(settings, said):
    with pytest.raises(UsageError, match=said):
        resolve(Config(), settings)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (["balance.beta=1"], "balance=computed takes no balance.beta; add --set balance=beta"),
        (
            ["balance=learned", "balance.momentum=.9"],
            "no balance.momentum; add --set balance=computed .or average, geco",
        ),
        (["balance=fixed", "balance.warm_up=3"], "balance=fixed takes no balance.warm_up; add --set balance=linear"),
        (["network=dense", "base_dim=8"], "network=dense takes no network.base_dim; add --set network=resnet"),
        (["network.conv_dim=8"], "network=resnet takes no network.conv_dim; add --set network=infogan .or wae"),
    ],
)
def test_an_option_of_another_strategy_or_network_is_refused(settings, said):
    with pytest.raises(UsageError, match=said):
        with_settings(Config(), settings)


def test_every_network_is_told_of_with_its_options():
    assert set(BUILT_BY) == set(IMAGE_NETWORKS)
    assert {each for options in BUILT_BY.values() for each in options} == set(Network.__struct_fields__) - {"name"}


def test_what_has_no_effect_is_told_in_a_printed_config():
    found = layers("cifar10")
    told = to_toml(config_of(found), origins(found)).splitlines()
    assert "balance.beta = 0.0                    # default, no effect with balance=computed" in told
    assert "network.hidden = [256, 64]            # default, no effect with network=resnet" in told
    assert "balance.momentum = 0.99               # preset cifar10" in told
    alone = resolve(config_of(found), ["stage2.enabled=false"])
    assert "stage2.lr = 0.0001                    # preset cifar10, no effect with stage2.enabled=false" in to_toml(
        alone, origins(found)
    )


def test_a_gamma_for_a_strategy_that_sets_its_own_is_refused():
    with pytest.raises(UsageError, match="add --set balance=fixed"):
        with_settings(Config(), ["balance.gamma=0.5"])


def test_choosing_geco_sets_its_momentum_unless_it_is_set():
    chosen = ["balance=geco", "balance.tolerance=0.01"]
    assert resolve(load_preset("cifar10"), chosen).balance.momentum == 0.9
    assert resolve(load_preset("cifar10"), [*chosen, "balance.momentum=0.99"]).balance.momentum == 0.99


def test_a_fixed_preset_may_be_made_computed():
    assert resolve(load_preset("mnist-dense"), ["balance=computed"]).balance.name == "computed"


def test_the_data_path_becomes_absolute_and_data_wins(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert resolve(Config(), ["data.path=x"], "y").data.path == str(tmp_path / "y")
    assert resolve(Config(), ["data.path=x"]).data.path == str(tmp_path / "x")
    assert resolve(Config()).data.path == ""


def test_the_home_of_nobody_is_a_path_that_there_is_not(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    place = "~nobody-of-that-name/a.toml"
    assert resolve(Config(), data=place).data.path == str(tmp_path / place)
    with pytest.raises(UsageError, match=f"cannot read {place}: No such file"):
        load_preset(place)


def test_a_resumed_run_may_get_more_epochs_but_no_other_network():
    old = resolve(Config())
    assert resolve_resumed(old, ["stage1.epochs=9"]).stage1.epochs == 9
    with pytest.raises(UsageError, match=r"network.latents cannot change .*this run has network.latents=64"):
        resolve_resumed(old, ["network.latents=3"])


def test_what_may_change_exists():
    assert set(KEYS) >= MAY_CHANGE


@pytest.mark.parametrize("quick", [False, True], ids=["whole", "quick"])
@pytest.mark.parametrize("preset", presets())
def test_every_preset_parses_and_its_printed_form_loads_back(preset, quick, tmp_path):
    config = load_preset(preset, quick)
    file = tmp_path / "printed.toml"
    file.write_text(to_toml(config, origins(layers(preset, quick))), encoding="utf-8")
    assert load_preset(str(file)) == config
    file.write_text(to_toml(config), encoding="utf-8")
    assert load_preset(str(file)) == config


@pytest.mark.parametrize("preset", presets())
def test_every_value_of_a_preset_says_where_it_comes_from(preset):
    text = resources.files("trainer").joinpath(f"presets/{preset}.toml").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if re.match(r"[\w.]+ = ", line)]
    values = [line for line in lines if line.split(" ")[0] not in ("about", "base")]
    silent = [line for line in values if not re.search(r"\S  # \w+", line)]
    assert len(values) >= (1 if re.search("^base = ", text, re.MULTILINE) else 10)
    assert [line.split(" ")[0] for line in silent] == []


def test_an_unknown_preset_names_the_nearest():
    with pytest.raises(UnknownName, match="did you mean 'shapes'"):
        load_preset("shaeps")


def test_a_file_that_is_missing_or_no_toml_is_said(tmp_path):
    with pytest.raises(UsageError, match="cannot read"):
        load_preset(str(tmp_path / "none.toml"))
    broken = tmp_path / "broken.toml"
    broken.write_text("stage1.epochs = = 3")
    with pytest.raises(UsageError, match="is not TOML"):
        load_preset(str(broken))


def test_a_table_in_the_place_of_a_value_is_refused():
    with pytest.raises(UnknownName):
        config_from({"seed": {"x": 1}})
    with pytest.raises(UnknownName):
        config_from({"stage1": 3})


def test_flat_and_nested_are_each_others_inverse():
    tree = to_tree(Config())
    assert nested(flattened(tree)) == tree


def test_thresholds_of_latents_are_keys_like_all_others():
    assert {key.partition(".")[2] for key in KEYS if key.startswith("thresholds.")} == set(NAMES)
    assert thresholds_of(Config()) == DEFAULT
    changed = resolve(Config(), ["thresholds.wake=.25", "thresholds.grace=500"])
    assert thresholds_of(changed) == Thresholds(wake=0.25, grace=500)
    with pytest.raises(UsageError, match=r"wake < doze <= 1, not wake=0\.6, doze=0\.5"):
        resolve(Config(), ["thresholds.wake=.6"])
    with pytest.raises(UsageError, match="cannot change when a run goes on"):
        resolve_resumed(Config(), ["thresholds.wake=.2"])
