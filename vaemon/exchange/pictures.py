"""Images of another program's on their way into a run's folder."""

import io
import struct
import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vaemon.recorder.images import to_pixels
from vaemon.runfile.images import MOST, drop_images, file_name, write_images

MOST_PIXELS = 1 << 25
UNREADABLE = (OSError, ValueError, SyntaxError, LookupError, ArithmeticError, TypeError, struct.error, Warning)
"""What Pillow's decoders say of what is no image."""


class Pictures:
    """Writes the sets of images that come; what is wrong with some is counted, and told at the end."""

    def __init__(self, run_folder: Path) -> None:
        self._folder = run_folder
        self._stages: set[int] = set()
        self._odd: Counter[str] = Counter()

    def take(self, stage: int, step: int, kind: str, encoded: Sequence[bytes]) -> None:
        """Write a set, of files as PNG or JPEG, in place of an earlier one of the step; the first 64 of them."""
        try:
            pixels = np.stack([_decoded(each) for each in encoded[:MOST]])
        except ModuleNotFoundError:
            self._odd["sets of images were left out, for they take Pillow: pip install 'vaemon[images]'"] += 1
            return
        except UNREADABLE as error:
            self._odd[f"sets of images could not be read ({str(error)[:80]})"] += 1
            return
        write_images(self._folder, file_name(stage, step, kind or "images"), to_pixels(pixels)[0])
        self._stages.add(stage)

    def purge(self, step: int) -> None:
        """Forget the sets of this step and later ones."""
        for stage in self._stages:
            drop_images(self._folder, stage, step, frozenset())

    def told(self) -> list[str]:
        """What was left out."""
        return [f"{count:,} {what}" for what, count in self._odd.items()]


def _decoded(data: bytes) -> npt.NDArray[np.uint8]:
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("error")  # of a picture that is larger than it should be
        with Image.open(io.BytesIO(data)) as image:
            if image.width * image.height > MOST_PIXELS:
                raise ValueError(f"{image.width} x {image.height} pixels")
            return np.atleast_3d(np.asarray(image.convert("L" if image.mode in ("1", "L", "LA", "I;16") else "RGB")))
