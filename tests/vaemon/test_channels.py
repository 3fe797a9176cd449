import pytest

from vaemon.channels import CHANNELS, not_defined, undefined_as


def test_what_a_training_says_is_not_defined_is_told_by_name_and_kind():
    config = {"lr": 1e-3, **undefined_as("RAE", ("kl", "mean_variance"))}
    assert not_defined(config, "kl") == "not defined for RAE"
    assert not_defined(config, "mse") == ""
    assert undefined_as("VAE", ()) == {}
    assert not_defined({}, "kl") == ""


@pytest.mark.parametrize("told", [None, 3, "kl", ["kl"], {"RAE": "kl"}, {"RAE": None}, {"RAE": {"kl": 1}}])
def test_a_config_of_someone_elses_own_says_nothing(told):
    assert not_defined({"not_defined": told}, "kl") == ""


def test_weights_are_told_in_one_convention():
    assert {"gamma", "beta", "kl_weight"} <= set(CHANNELS)
