"""One picture file's bytes -> pixels. The only module of this room that knows Pillow; it loads it on first use."""

import ctypes
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, Literal

import numpy as np

from trainer.data import damage
from trainer.data.images import Pixels

if TYPE_CHECKING:
    from PIL.Image import Image

ENDINGS = (
    ".avif", ".bmp", ".gif", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".pnm", ".ppm",
    ".qoi", ".tga", ".tif", ".tiff", ".webp",
)  # fmt: skip
"""File names that promise a picture."""

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM", "TGA", "AVIF", "JPEG2000", "QOI", "MPO")
"""What a file may turn out to be, whatever its name. EPS is left out: Pillow would hand it to Ghostscript."""

JPEG_ENDINGS = (".jfif", ".jpe", ".jpeg", ".jpg")
JPEG_FORMATS = ("JPEG", "MPO")

MOST_PIXELS = 2**26
"""More than a picture may have: a few bytes can promise any number, and several are decoded at once."""

PAPER = (255, 255, 255, 255)
"""What shows through where a picture is transparent."""

TURNED = frozenset({"exif", "Raw profile type exif", "xmp", "XML:com.adobe.xmp"})
"""Where Pillow keeps what may tell that a picture is to be turned; looking into it costs as much as decoding."""


Resize = Literal["nearest", "bilinear", "bicubic"]
"""Pillow's filters. When they shrink, the last two average over what a pixel covers; nearest takes one point of it."""

Colour = Literal["stored", "grey", "rgb"]
"""One channel, three, or as many as a picture has."""


@dataclass(frozen=True, slots=True)
class Fit:
    """How a picture is brought into the shape that all of a set have."""

    size: int = 0
    """Pixels a side; 0 leaves the picture as it is."""
    resize: Resize = "bilinear"
    box: tuple[int, int, int, int] | None = None
    """What is cut out first: left, top, right and bottom; by default, with a size, the largest centred square."""
    stored: tuple[int, int] | None = None
    """Width and height that a picture must have; any where None."""
    colour: Colour = "stored"
    jpeg: bool = False
    """Send it once through JPEG, as `through_jpeg` does, when all else is done."""


AS_STORED = Fit()


class Unreadable(Exception):
    """These bytes are not a picture that can be shown in 8 bits a channel; caught where pictures are counted."""


def is_picture(name: str) -> bool:
    """Whether a file's name promises a picture."""
    return name.lower().endswith(ENDINGS)


def decode(data: bytes, fit: Fit = AS_STORED) -> Pixels:
    """Decode, turn as its EXIF data say, and bring to a size.

    Args:
        data: a whole picture file; of an animation the first frame is taken.
        fit: the size, and how to come to it.

    Returns:
        (H, W) for a grey picture, (H, W, 3) for one in colour; transparency is laid on white.

    Raises:
        Unreadable: the bytes are no picture of the known formats, damaged, or not of the size that `fit` expects; or
            JPEG, where `fit` is to send it through JPEG.
    """
    image_module, formats = _pillow()
    try:
        with image_module.open(io.BytesIO(data), formats=formats) as image:
            if fit.jpeg and image.format in JPEG_FORMATS:
                raise Unreadable("is JPEG already, whatever its name says; leave out --jpeg-roundtrip")
            pixels = np.asarray(_fitted(_plain(image, fit), fit))
            return through_jpeg(pixels) if fit.jpeg else pixels
    except image_module.UnidentifiedImageError as error:
        raise Unreadable("is no picture of a known format") from error
    except (*damage.PILLOW, image_module.DecompressionBombError) as error:
        raise Unreadable(str(error)) from error


def through_jpeg(pixels: Pixels) -> Pixels:
    """An image (H, W) or (H, W, 3) as it comes back from a JPEG of quality 75 with 4:2:0 chroma: Pillow's defaults."""
    image_module, _ = _pillow()
    file = io.BytesIO()
    image_module.fromarray(pixels).save(file, "JPEG", quality=75, subsampling="4:2:0")
    with image_module.open(file) as image:
        return np.asarray(image)


@cache
def version() -> str:
    """Of what turns files into pixels: another one may round otherwise."""
    from PIL import __version__, features

    return f"Pillow {__version__}, libjpeg {features.version('libjpeg_turbo') or features.version('jpg')}"


@contextmanager
def silent_libtiff() -> Iterator[None]:
    """Have libtiff, which tells of damaged files past Python, write nothing to stderr, where it can be told so."""
    from PIL import _imaging

    try:
        libraries = ctypes.CDLL(_imaging.__file__)  # which finds what it was linked with, too
        setters = [libraries.TIFFSetErrorHandler, libraries.TIFFSetWarningHandler]
    except (OSError, AttributeError, TypeError):
        yield
        return
    for each in setters:
        each.argtypes, each.restype = [ctypes.c_void_p], ctypes.c_void_p
    former = [each(None) for each in setters]
    try:
        yield
    finally:
        for each, handler in zip(setters, former, strict=True):
            each(handler)


@cache
def _pillow() -> tuple[ModuleType, tuple[str, ...]]:
    from PIL import Image

    Image.init()
    return Image, tuple(each for each in FORMATS if each in Image.OPEN)  # AVIF and others only where built in


def _plain(image: "Image", fit: Fit) -> "Image":
    """The picture upright, in mode L or RGB."""
    from PIL import Image, ImageOps

    if image.width * image.height > MOST_PIXELS:
        raise ValueError(
            f"is {image.width:,} × {image.height:,}, more than the {MOST_PIXELS:,} pixels that are decoded"
        )
    image.load()
    if TURNED & image.info.keys():
        ImageOps.exif_transpose(image, in_place=True)
    if image.mode.startswith("I;16"):
        wide = np.asarray(image).astype(np.uint32)  # Pillow's own conversion clips at 255 instead of scaling
        return Image.fromarray(((wide + 128) // 257).astype(np.uint8))
    if image.mode in ("I", "F"):
        raise ValueError(f"pixels of mode {image.mode} have no known range")
    grey = image.mode in ("1", "L", "LA", "La")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, PAPER), image)
    mode = "L" if fit.colour == "grey" or (grey and fit.colour == "stored") else "RGB"
    return image if image.mode == mode else image.convert(mode)


def _fitted(image: "Image", fit: Fit) -> "Image":
    from PIL import Image

    if fit.stored is not None and image.size != fit.stored:
        raise ValueError(f"is {image.width} × {image.height}, not {fit.stored[0]} × {fit.stored[1]}")
    if fit.box is None and not fit.size:
        return image
    # Cropping first is not the same as resize(box=...), which lets pixels outside the box in.
    cut = image.crop(fit.box or _square(image))
    return cut.resize((fit.size, fit.size), Image.Resampling[fit.resize.upper()]) if fit.size else cut


def _square(image: "Image") -> tuple[int, int, int, int]:
    """The largest centred square: left, top, right, bottom."""
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return left, top, left + side, top + side
