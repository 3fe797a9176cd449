"""The published adjustment of contrast, against NumPy on all images at once."""

import numpy as np
import pytest

from analysis.measures.contrast import adjust_contrast, contrast_factor, pixel_moments


@pytest.fixture
def images():
    return np.random.default_rng(0).uniform(0.3, 0.6, (53, 4, 3, 3)).astype(np.float32)


@pytest.mark.parametrize("block", [1, 10, 53])
def test_moments_in_any_cut(images, block):
    found = pixel_moments(images[start : start + block] for start in range(0, 53, block))
    whole = images.astype(np.float64)
    assert found.count == 53
    np.testing.assert_allclose(found.mean, whole.mean(axis=0), rtol=1e-13)
    assert found.mean_deviation == pytest.approx(whole.std(axis=0).mean(), rel=1e-12)


def test_the_deviation_becomes_that_of_the_real_images_about_the_same_mean(images):
    real, made = pixel_moments([0.5 + 1.3 * (images - 0.5)]), pixel_moments([images])
    factor = contrast_factor(real, made)
    assert factor == pytest.approx(1.3, rel=1e-6)
    adjusted = pixel_moments([adjust_contrast(images, made.mean, factor)])
    assert adjusted.mean_deviation == pytest.approx(real.mean_deviation, rel=1e-6)
    np.testing.assert_allclose(adjusted.mean, made.mean, atol=1e-6)


def test_what_leaves_the_range_is_clipped(images):
    adjusted = adjust_contrast(images, images.mean(axis=0), 50.0)
    assert (adjusted.min(), adjusted.max()) == (0.0, 1.0)


def test_images_that_are_all_alike_are_left_as_they_are(images):
    assert contrast_factor(pixel_moments([images]), pixel_moments([np.ones_like(images)])) == 1.0
