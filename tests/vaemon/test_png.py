import io

import numpy as np
import pytest
from PIL import Image

from vaemon.png import png


@pytest.mark.parametrize("shape", [(1, 1, 4), (7, 5, 4), (64, 33, 4), (64, 33, 3), (1, 9, 1), (28, 28, 1)])
def test_another_program_reads_the_same_pixels(shape):
    pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    image = Image.open(io.BytesIO(png(pixels)))
    image.verify()
    read = np.asarray(Image.open(io.BytesIO(png(pixels))))
    np.testing.assert_array_equal(read.reshape(shape), pixels)
