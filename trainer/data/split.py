"""Seeded choices: which images are held out for testing, which remain under a limit."""

import numpy as np

from trainer.data.images import Pixels
from vaemon.errors import DataNotFound

HELD_OUT = 0.1
"""Share of the images held out for testing where a dataset has no test images of its own."""

TRAIN, TEST, HOLD_OUT = range(3)
"""What a stream of random numbers is drawn for; each purpose has its own, so that none follows another."""


def stream(seed: int, purpose: int) -> np.random.Generator:
    """The random numbers for one purpose under a seed; any integer is a seed."""
    return np.random.default_rng([seed % 2**64, purpose])


def hold_out(pixels: Pixels, seed: int, where: str) -> tuple[Pixels, Pixels]:
    """Split images into train and test, by the seed alone.

    Args:
        pixels: (n, H, W, C).
        seed: of the run.
        where: what the images came from, for the error.

    Returns:
        Train and test; a tenth of the images, at least one, is for testing. Both keep the order of `pixels`.

    Raises:
        DataNotFound: fewer than two images.
    """
    count = len(pixels)
    if count < 2:
        raise DataNotFound(f"{where} holds {count} image; at least 2 are needed, one to train on and one to test on")
    held = np.zeros(count, bool)
    held[stream(seed, HOLD_OUT).permutation(count)[: max(1, round(HELD_OUT * count))]] = True
    return pixels[~held], pixels[held]


def first(pixels: Pixels, limit: int | None, seed: int, purpose: int) -> Pixels:
    """The first `limit` images of a seeded shuffle; all of them, in their own order, where fewer are there.

    A smaller limit gives the beginning of what a larger one gives.
    """
    if limit is None or limit >= len(pixels):
        return pixels
    return pixels[stream(seed, purpose).permutation(len(pixels))[:limit]]
