"""Each way of resizing against the original that it stands for."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional

from analysis.features.resize import (
    antialiased_bicubic,
    antialiased_bilinear,
    half_pixel_bilinear,
    resized,
    tensorflow_bilinear,
)

SIDES = [(8, 8), (32, 32), (50, 31), (299, 299), (310, 600)]


@pytest.fixture(params=SIDES, ids=str)
def images(request):
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (2, 3, *request.param)).astype(np.float32)


def ours(images, way, size=299):
    return resized(torch.from_numpy(images), way, size).numpy()


def slow_tensorflow(image, out):
    """TF1's ResizeBilinear, align_corners=False, half_pixel_centers=False, pixel by pixel, for one channel."""
    height, width = image.shape
    found = np.empty((out, out), np.float32)
    scales = np.float32(height / out), np.float32(width / out)
    for y in range(out):
        at_y = np.float32(y) * scales[0]
        top = int(at_y)
        bottom = min(top + 1, height - 1)
        for x in range(out):
            at_x = np.float32(x) * scales[1]
            left = int(at_x)
            right = min(left + 1, width - 1)
            upper = image[top, left] + (image[top, right] - image[top, left]) * (at_x - left)
            lower = image[bottom, left] + (image[bottom, right] - image[bottom, left]) * (at_x - left)
            found[y, x] = upper + (lower - upper) * (at_y - top)
    return found


def test_tensorflow_1s_bilinear(images):
    wanted = slow_tensorflow(images[0, 0], 67)
    np.testing.assert_allclose(ours(images, tensorflow_bilinear, 67)[0, 0], wanted, atol=2e-4, rtol=0)


def test_pytorchs_bilinear(images):
    wanted = functional.interpolate(torch.from_numpy(images), (299, 299), mode="bilinear", align_corners=False)
    # In float32 the original is itself 0.014 of 255 off where 600 pixels become 299.
    np.testing.assert_allclose(ours(images, half_pixel_bilinear), wanted.numpy(), atol=3e-3, rtol=0)


@pytest.mark.parametrize(
    ("way", "filter_"),
    [(antialiased_bicubic, Image.Resampling.BICUBIC), (antialiased_bilinear, Image.Resampling.BILINEAR)],
)
def test_pillows(images, way, filter_):
    for size in (16, 299):
        wanted = np.asarray(Image.fromarray(images[1, 2]).resize((size, size), filter_))
        np.testing.assert_allclose(ours(images, way, size)[1, 2], wanted, atol=3e-4, rtol=0)


def test_a_constant_stays_one():
    flat = np.full((1, 1, 40, 20), 7, np.float32)
    for way in (tensorflow_bilinear, half_pixel_bilinear, antialiased_bicubic, antialiased_bilinear):
        np.testing.assert_allclose(ours(flat, way, 33), 7, rtol=1e-6)
