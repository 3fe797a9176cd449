import numpy as np
import pytest

from trainer.data.images import Images, sides
from vaemon.errors import DataNotFound


def _pixels(*shape, dtype=np.uint8):
    return np.zeros(shape, dtype)


def test_images_hold_what_they_are_given():
    images = Images(_pixels(3, 8, 6, 1), _pixels(2, 8, 6, 1), "made up")
    assert sides(images.train.shape[1:]) == "8 × 6 × 1"
    assert images.factors == ()


@pytest.mark.parametrize(
    ("train", "test", "said"),
    [
        (_pixels(3, 8, 8, 3, dtype=np.float32), _pixels(2, 8, 8, 3), "train images are float32"),
        (_pixels(3, 8, 8), _pixels(2, 8, 8, 1), r"shape \(3, 8, 8\)"),
        (_pixels(3, 8, 8, 4), _pixels(2, 8, 8, 4), "1 or 3"),
        (_pixels(3, 8, 8, 3), _pixels(0, 8, 8, 3), "no test images"),
        (_pixels(3, 8, 8, 3), _pixels(2, 8, 8, 1), "8 × 8 × 3 against 8 × 8 × 1"),
    ],
)
def test_arrays_that_cannot_be_trained_on_are_refused(train, test, said):
    with pytest.raises(DataNotFound, match=said):
        Images(train, test, "made up")
