"""What every dataset becomes: two arrays of bytes, and a sentence for people.

Knows no files, no formats and no torch.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vaemon.errors import DataNotFound

Pixels = npt.NDArray[np.uint8]
"""Images as bytes, (n, H, W, C), C = 1 (grey) or 3 (red, green, blue)."""

CHANNELS = (1, 3)
PAIRS = (("train", "test"), ("x_train", "x_test"))
"""Names under which a file of arrays holds train and test images."""


@dataclass(frozen=True, eq=False, slots=True)
class Images:
    """A dataset in memory."""

    train: Pixels
    """(n, H, W, C), 0 to 255."""
    test: Pixels
    """(m, H, W, C), of the same H, W and C."""
    source: str
    """One sentence for people: what was read, from where, how many."""
    factors: tuple[str, ...] = ()
    """Names of the independent factors that the images were rendered from; empty where nobody knows them."""

    def __post_init__(self) -> None:
        """Refuse arrays that a network could not be trained on.

        Raises:
            DataNotFound: wrong dtype, wrong number of axes, no images, or train and test of unequal shape.
        """
        for part, pixels in (("train", self.train), ("test", self.test)):
            _check(part, pixels)
        if self.train.shape[1:] != self.test.shape[1:]:
            raise DataNotFound(
                f"train and test images differ: {sides(self.train.shape[1:])} against {sides(self.test.shape[1:])} "
                f"({self.source})"
            )


def sides(shape: Iterable[int]) -> str:
    """Height, width and channels of an image, in words: "32 × 32 × 3"."""
    return " × ".join(map(str, shape))


def _check(part: str, pixels: Pixels) -> None:
    if pixels.dtype != np.uint8:
        raise DataNotFound(f"the {part} images are {pixels.dtype}, but bytes (uint8, 0 to 255) are needed")
    if pixels.ndim != 4 or pixels.shape[3] not in CHANNELS:
        raise DataNotFound(f"the {part} images have shape {pixels.shape}, but (n, height, width, 1 or 3) is needed")
    if pixels.size == 0:
        raise DataNotFound(f"there are no {part} images: their shape is {pixels.shape}")
