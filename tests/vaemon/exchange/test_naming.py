"""Which channel a tag becomes."""

import pytest

from vaemon.errors import UnknownName, UsageError
from vaemon.exchange.naming import assign, by_rule, check_chosen, check_there


@pytest.mark.parametrize(
    ("tag", "shape", "channel"),
    [
        ("loss/kl", (), "kl"),
        ("kl", (), "kl"),
        ("train/KL_loss", (), "kl"),
        ("train/loss", (), "loss"),
        ("Learning_Rate", (), "lr"),
        ("val/loss", (), "val/loss"),
        ("loss/validation", (), "loss/validation"),
        ("eval.kl", (), "eval.kl"),
        ("val_epoch/mse", (), "val_epoch/mse"),
        ("my/own", (), "my/own"),
        ("z/mean_variance", (8,), "mean_variance"),
        ("mean_variance", (), "mean_variance'"),
        ("kl", (3,), "kl'"),
        ("step", (), "step'"),
        ("time", (), "time'"),
        ("a/step", (), "a/step"),
    ],
)
def test_a_tag_means_a_channel_by_its_last_word(tag, shape, channel):
    assert by_rule(tag, shape) == channel


def test_of_several_that_mean_a_channel_the_one_of_its_name_is_it():
    found = assign({"a/kl": (), "kl": (), "b/mse": (), "c/mse": ()}, {})
    assert found.scalars == {"a/kl": "a/kl", "kl": "kl", "b/mse": "b/mse", "c/mse": "c/mse"}
    assert found.told == ("b/mse, c/mse could each be 'mse', and keep their names; --map says which is meant",)


def test_what_was_chosen_goes_before_the_rule():
    found = assign({"nll": (), "mse": (), "a": ()}, {"nll": "mse", "a": "b"})
    assert found.scalars == {"mse": "nll", "mse'": "mse", "b": "a"}


def test_vectors_are_latent_channels_where_one_is_of_the_posterior():
    shapes = {"z/mean_variance": (4,), "extra": (4,), "other": (5,), "matrix": (4, 4)}
    found = assign(shapes, {})
    assert (found.latents, found.size) == ({"mean_variance": "z/mean_variance", "extra": "extra"}, 4)
    assert found.arrays == ("other", "matrix")
    found = assign({"var": (4,), "x": (4,)}, {})
    assert (found.latents, found.arrays) == ({}, ("var", "x"))
    assert "--map" in found.told[0]
    assert assign({"var": (4,)}, {"var": "mean_variance"}).latents == {"mean_variance": "var"}


@pytest.mark.parametrize(
    ("shapes", "chosen", "said"),
    [
        ({"a": (3,), "b": (4,)}, {"a": "mean_mu", "b": "mu_squared"}, "a has 3, b has 4"),
        ({"a": ()}, {"a": "mean_mu"}, "one number for each latent variable"),
        ({"a": (3,)}, {"a": "kl"}, "kl is one number"),
        ({"a": (3, 3)}, {"a": "kl"}, "shape"),
    ],
)
def test_what_does_not_fit_is_refused(shapes, chosen, said):
    with pytest.raises(UsageError, match=said):
        assign(shapes, chosen)


def test_what_cannot_be_chosen():
    for channel in ("time", "dropped", "x" * 201):
        with pytest.raises(UsageError, match="no channel can be named"):
            check_chosen({"a": channel})
    with pytest.raises(UsageError, match="cannot both be 'kl'"):
        check_chosen({"a": "kl", "b": "kl"})
    with pytest.raises(UnknownName, match="did you mean 'loss/kl'"):
        check_there({"loss/lk": "kl"}, ["loss/kl", "x"])


def test_a_name_that_no_channel_can_have_is_told():
    found = assign({"": (), "x" * 201: (), "ok": ()}, {})
    assert list(found.scalars) == ["ok"]
    assert len(found.told) == 2
