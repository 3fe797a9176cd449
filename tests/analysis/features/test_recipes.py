import numpy as np
import pytest
import torch

from analysis.features.recipes import RECIPES, SIDE, recipe_named
from analysis.fid.command import RECIPES as OFFERED
from vaemon.errors import UnknownName

CPU = torch.device("cpu")


def full_size(seed=0, count=2):
    return np.random.default_rng(seed).integers(0, 256, (count, SIDE, SIDE, 3), dtype=np.uint8)


def seen(name, images, role="judged"):
    return RECIPES[name].prepared([images], role, CPU).numpy()


def channels_first(images):
    return images.transpose(0, 3, 1, 2).astype(np.float64)


@pytest.mark.parametrize(
    ("name", "formula"),
    [
        ("tf", lambda x: (x - 128) / 128),
        ("pytorch", lambda x: 2 * (x / 255) - 1),
        ("clean", lambda x: (x - 128) / 128),
        ("asperti", lambda x: 2 * (x / 255) - 1),
    ],
)
def test_bytes_of_the_right_size_are_only_scaled(name, formula):
    images = full_size()
    np.testing.assert_allclose(seen(name, images), formula(channels_first(images)), atol=1e-5)


@pytest.mark.parametrize(("name", "rounded"), [("tf", True), ("pytorch", True), ("clean", True), ("asperti", False)])
def test_floats_are_rounded_as_png_would_or_not(name, rounded):
    floats = np.random.default_rng(1).random((1, SIDE, SIDE, 3), np.float32)
    as_bytes = np.rint(floats * 255).astype(np.uint8)
    same = np.allclose(seen(name, floats), seen(name, as_bytes), atol=1e-5)
    assert same == rounded
    assert RECIPES[name].quantisation(True, "judged") == ("rounded to bytes" if rounded else "floats, not rounded")


def test_dai_and_wipf_stretch_judged_images_alone():
    narrow = (full_size() // 4 + 60).astype(np.uint8)
    judged, reference = seen("dai-wipf", narrow), seen("dai-wipf", narrow, "reference")
    np.testing.assert_allclose(judged.min((1, 2, 3)), -1, atol=1e-5)
    np.testing.assert_allclose(judged.max((1, 2, 3)), (255 - 128) / 128, atol=1e-5)
    np.testing.assert_allclose(reference, (channels_first(narrow) - 128) / 128, atol=1e-5)


def test_a_constant_image_is_not_stretched():
    flat = np.full((1, 8, 8, 3), 90, np.uint8)
    np.testing.assert_allclose(seen("dai-wipf", flat), (90 - 128) / 128, atol=1e-6)


def test_bicubic_overshoots_and_is_clipped():
    edge = np.zeros((1, 16, 16, 3), np.uint8)
    edge[:, :, 8:] = 255
    x = seen("clean", edge)
    assert x.min() == -1
    assert x.max() == np.float32((255 - 128) / 128)


def test_grey_is_repeated_and_sizes_may_be_mixed():
    grey = np.random.default_rng(2).integers(0, 256, (2, 8, 8, 1), dtype=np.uint8)
    other = np.random.default_rng(3).integers(0, 256, (1, 9, 7, 3), dtype=np.uint8)
    x = RECIPES["tf"].prepared([grey, other], "judged", CPU)
    assert x.shape == (3, 3, SIDE, SIDE)
    assert torch.equal(x[0, 0], x[0, 2])
    np.testing.assert_array_equal(x[2:].numpy(), seen("tf", other))


def test_large_images_are_resized_a_few_at_a_time(monkeypatch):
    images = np.random.default_rng(4).integers(0, 256, (5, 20, 30, 3), dtype=np.uint8)
    whole = seen("clean", images)
    monkeypatch.setattr("analysis.features.recipes.LARGE", 2 * images[0].size)
    np.testing.assert_allclose(seen("clean", images), whole, atol=1e-5)


def test_only_the_published_code_of_asperti_leaves_a_partial_batch_out():
    assert RECIPES["asperti"].images_used(10_000) == 9984
    assert RECIPES["dai-wipf"].images_used(10_000) == 10_000


def test_the_command_line_offers_them_all():
    assert tuple(RECIPES) == OFFERED
    with pytest.raises(UnknownName, match="did you mean 'pytorch'"):
        recipe_named("pytorhc")
