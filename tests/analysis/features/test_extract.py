import numpy as np
import pytest
import torch

from analysis.features.extract import features_of
from analysis.features.extractors import CallableFeatures, EncoderFeatures, InceptionFeatures
from analysis.features.images import arrays_set
from analysis.features.pixels import PixelFeatures
from analysis.features.recipes import BLOCK, RECIPES
from vaemon.errors import DataNotFound, UsageError

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (3 * BLOCK + 5, 6, 6, 3), dtype=np.uint8)


class Means:
    """The mean of each channel; counts its calls, and may be killed in one of them."""

    distance = "FD-means"
    recipe = None
    width = 3
    made_by = "means"

    def __init__(self, killed_at=None):
        self.calls = 0
        self.killed_at = killed_at

    def fetch(self):
        pass

    def __call__(self, block, role):
        self.calls += 1
        if self.calls == self.killed_at:
            raise KeyboardInterrupt
        return np.concatenate([part.mean((1, 2), dtype=np.float64) for part in block]).astype(np.float32)


def the_set(images=IMAGES, key="key"):
    return arrays_set("set", key, images)


def test_statistics_are_those_of_all_features():
    found = features_of(the_set(), Means(), "judged", keep_rows=True)
    wanted = IMAGES.mean((1, 2))
    np.testing.assert_allclose(found.rows, wanted, rtol=1e-6)
    np.testing.assert_allclose(found.statistics.mean, wanted.mean(0), rtol=1e-7)
    np.testing.assert_allclose(found.statistics.covariance, np.cov(wanted.T), rtol=1e-5)
    assert found.statistics.count == len(IMAGES)
    assert (found.grey, found.mixed, found.floats) == (0, False, False)


def test_a_killed_pass_goes_on_where_it_was_and_comes_to_the_same():
    alone = features_of(the_set(key="alone"), Means(), "judged").statistics
    with pytest.raises(KeyboardInterrupt):
        features_of(the_set(), Means(killed_at=3), "judged")
    after = Means()
    found = features_of(the_set(), after, "judged").statistics
    assert after.calls == 2
    np.testing.assert_array_equal(found.covariance, alone.covariance)
    again = Means()
    features_of(the_set(), again, "judged")
    assert again.calls == 0


def test_other_images_or_features_are_passed_anew():
    features_of(the_set(), Means(), "judged")
    other, another = Means(), Means()
    another.made_by = "other means"
    features_of(the_set(key="other"), other, "judged")
    features_of(the_set(), another, "judged")
    assert other.calls == another.calls == 4


def test_too_few_images_are_refused():
    for count in (0, 1):
        with pytest.raises(DataNotFound, match="a covariance needs two"):
            features_of(the_set(IMAGES[:count]), Means(), "judged")
    asperti = Means()
    asperti.recipe = RECIPES["asperti"]
    with pytest.raises(DataNotFound, match="whole batches of 64"):
        features_of(the_set(IMAGES[:50]), asperti, "judged")
    assert features_of(the_set(), asperti, "judged").statistics.count == 3 * BLOCK


def test_features_that_are_not_finite_are_refused():
    broken = Means()
    with pytest.raises(DataNotFound, match="images from 0 have features that are not finite"):
        features_of(the_set(), lambda_of(broken, lambda rows: rows * np.nan), "judged")


def lambda_of(means, change):
    class Changed(Means):
        def __call__(self, block, role):
            return change(means(block, role))

    return Changed()


def test_grey_images_are_told():
    assert (
        features_of(the_set(IMAGES[..., :1]), lambda_of(Means(), lambda rows: rows.repeat(3, 1)), "judged").grey == 197
    )


def test_components_of_pixels_are_those_of_the_reference():
    made = PixelFeatures(the_set(), lambda done, total: None)
    again = PixelFeatures(the_set(), lambda done, total: None)
    assert made.width == 64
    rows = made([IMAGES], "reference")
    np.testing.assert_array_equal(rows, again([IMAGES], "reference"))
    flat = IMAGES.reshape(len(IMAGES), -1) / 255
    wanted = np.linalg.eigvalsh(np.cov(flat.T))[::-1][:64]
    np.testing.assert_allclose(np.cov(rows.T.astype(np.float64)), np.diag(wanted), atol=1e-7)
    np.testing.assert_allclose(rows.mean(0), 0, atol=1e-6)
    assert PixelFeatures(the_set(IMAGES[:9]), lambda done, total: None).width == 8


def test_a_function_of_the_users_is_called_with_three_channels_and_never_kept(tmp_path, monkeypatch):
    (tmp_path / "theirs.py").write_text(
        "def mean(x):\n    assert x.shape[1] == 3 and x.max() <= 1\n    return x.mean((2, 3))\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    made = CallableFeatures("theirs:mean", device=torch.device("cpu"))
    assert made.distance == "FD-mean"
    found = features_of(the_set(IMAGES[..., :1]), made, "judged", keep_rows=True)
    np.testing.assert_allclose(found.rows, IMAGES[..., :1].mean((1, 2)).repeat(3, 1) / 255, rtol=1e-5)
    assert made.made_by == ""


@pytest.mark.parametrize("name", ["nowhere:mean", "math:mean", ":"])
def test_a_function_that_is_not_there_is_named(name):
    with pytest.raises(UsageError, match=f"--features {name}"):
        CallableFeatures(name, device=torch.device("cpu"))


def test_bfloat16_that_is_emulated_is_refused(monkeypatch):
    monkeypatch.setattr("analysis.features.extractors.emulates_bfloat16", lambda device: True)
    with pytest.raises(UsageError, match="only emulates bfloat16"):
        InceptionFeatures(RECIPES["tf"], None, bf16=True, device=torch.device("cpu"), progress=None)


def test_an_encoder_gives_its_means_and_refuses_other_sizes(small_run):
    folder, images = small_run
    made = EncoderFeatures(folder, device=torch.device("cpu"))
    as_bytes, as_floats = made([images], "judged"), made([(images / 255).astype(np.float32)], "judged")
    assert as_bytes.shape == (len(images), made.width)
    np.testing.assert_allclose(as_bytes, as_floats, atol=1e-5)
    with pytest.raises(DataNotFound, match="takes images of"):
        made([images[:, :5]], "judged")
