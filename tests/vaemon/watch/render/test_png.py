import io

import numpy as np
import pytest
from PIL import Image

from vaemon.watch.render.png import png


@pytest.mark.parametrize("shape", [(1, 1, 4), (7, 5, 4), (64, 33, 4)])
def test_another_program_reads_the_same_pixels(shape):
    pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    image = Image.open(io.BytesIO(png(pixels)))
    image.verify()
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(png(pixels)))), pixels)
