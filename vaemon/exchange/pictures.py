"""Images of another program's on their way into a run's folder."""

import io
import struct
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vaemon.exchange.tally import Tally
from vaemon.runfile.images import LARGEST, MOST, drop_images, file_name, write_images

MOST_PIXELS = 1 << 24
FORMATS = ("PNG", "JPEG", "GIF")
"""What TensorBoard shows. Of other formats some would have another program started: Ghostscript, for EPS."""
UNREADABLE = (OSError, ValueError, SyntaxError, LookupError, ArithmeticError, TypeError, struct.error, Warning)
"""What Pillow's decoders say of what is no image."""


class Pictures:
    """Writes the sets of images that come; what is wrong with some is counted, and told at the end."""

    def __init__(self, run_folder: Path) -> None:
        self._folder = run_folder
        self._stages: set[int] = set()
        self._odd = Tally()

    def take(self, stage: int, step: int, kind: str, encoded: Sequence[bytes]) -> None:
        """Write a set, of files as PNG or JPEG, in place of an earlier one of the step; the first 64 of them."""
        try:
            pixels = np.stack([_decoded(each) for each in encoded[:MOST]])
        except ModuleNotFoundError:
            self._odd.add("sets of images were left out, for they take Pillow: pip install 'vaemon[images]'")
            return
        except (*UNREADABLE, MemoryError) as error:
            self._odd.add(f"sets of images could not be read ({str(error)[:80]})")
            return
        write_images(self._folder, file_name(stage, step, kind or "images"), pixels)
        self._stages.add(stage)

    def purge(self, step: int) -> None:
        """Forget the sets of this step and later ones."""
        for stage in self._stages:
            drop_images(self._folder, stage, step, frozenset())

    def told(self) -> list[str]:
        """What was left out."""
        return self._odd.told()


def _decoded(data: bytes) -> npt.NDArray[np.uint8]:
    """An image as it is kept, (h, w, c); where it is too large, means over neighbours, as of what is recorded."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("error")  # of a picture that is larger than it should be
        try:
            opened = Image.open(io.BytesIO(data), formats=FORMATS)
        except Image.DecompressionBombError as error:
            raise ValueError(str(error)) from error
        with opened as image:
            if image.width * image.height > MOST_PIXELS:
                raise ValueError(f"{image.width} x {image.height} pixels")
            made = image.convert("L" if image.mode in ("1", "L", "LA", "I;16") else "RGB")
            factor = -(-max(made.size) // LARGEST)
            return np.atleast_3d(np.asarray(made.reduce(factor) if factor > 1 else made))
