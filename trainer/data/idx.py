"""MNIST and Fashion-MNIST as published: IDX files, gzip or not.

IDX (LeCun, Cortes & Burges, "The MNIST database"): big-endian 32-bit words, the first one two zero bytes,
the type (8 = unsigned byte) and the number of axes; then the length of each axis; then the values.
"""

import gzip
import struct
import zlib
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from trainer.data.images import Images, Pixels
from trainer.data.missing import missing
from trainer.data.sheet import fits
from vaemon.errors import DataNotFound

MAGIC = 0x00000803
"""Unsigned bytes, three axes."""
SIDE = 28
MOST = 10_000_000
"""More images than any published set has: a larger count is a damaged header."""
GZIP = b"\x1f\x8b"
ADVICE = "give --data the folder that holds both image files as published"


def images(path: Path, title: str) -> Images:
    """Read the two image files of a folder; the labels are not needed.

    Args:
        path: the folder.
        title: the dataset's name, for people. Both datasets use the same file names, so the files cannot tell.

    Returns:
        Train and test, (n, 28, 28, 1). Nothing is padded.

    Raises:
        DataNotFound: a file is missing, truncated, or of another kind.
    """
    for place in ("", "raw", f"{title.replace('-', '')}/raw"):  # the others are where torchvision downloads to
        folder = path / place
        train, test = _find(folder, "train"), _find(folder, "t10k")
        if train and test:
            return Images(read(train), read(test), f"{title} from {folder}")
    wanted = "train-images-idx3-ubyte and t10k-images-idx3-ubyte, plain or .gz,"
    raise missing(wanted, path, ADVICE)


def read(path: Path) -> Pixels:
    """One image file, (n, 28, 28, 1).

    Raises:
        DataNotFound: saying which file, what was expected and what was found.
    """
    with path.open("rb") as file:
        packed = file.read(2) == GZIP
        file.seek(0)
        try:
            return _images(path, cast(BinaryIO, gzip.open(file)) if packed else file)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise DataNotFound(f"{path} is damaged, or its download was cut short ({error}); fetch it again") from error


def _images(path: Path, file: BinaryIO) -> Pixels:
    count = _count(path, file.read(16))
    expected = count * SIDE * SIDE
    if not fits(expected):
        raise DataNotFound(f"{path}: {count:,} images, as its header says, do not fit in memory; fetch it again")
    values = file.read(expected + 1)
    if len(values) != expected:
        found = f"{len(values):,}" if len(values) < expected else "more"
        raise DataNotFound(
            f"{path}: expected {expected:,} bytes for {count:,} images of {SIDE} × {SIDE}, found {found}; "
            "fetch it again"
        )
    return np.frombuffer(values, np.uint8).reshape(count, SIDE, SIDE, 1)


def _count(path: Path, header: bytes) -> int:
    if len(header) < 16:
        raise DataNotFound(f"{path}: expected a header of 16 bytes, found {len(header)}; fetch it again")
    magic, count, height, width = struct.unpack(">4I", header)
    if magic != MAGIC:
        raise DataNotFound(
            f"{path}: expected the magic number 0x{MAGIC:08x} of an image file, found 0x{magic:08x}: it is no image "
            "file of MNIST's kind; fetch it again"
        )
    if (height, width) != (SIDE, SIDE):
        raise DataNotFound(
            f"{path}: expected images of {SIDE} × {SIDE}, found {height} × {width}; fetch it again, or save such "
            "images as an .npy file, for --set data.name=arrays"
        )
    if not 0 < count <= MOST:
        raise DataNotFound(f"{path}: expected 1 to {MOST:,} images, found {count:,} in the header; fetch it again")
    return int(count)


def _find(folder: Path, part: str) -> Path | None:
    names = (f"{part}-images{sign}idx3-ubyte{end}" for sign in "-." for end in ("", ".gz"))
    return next((folder / name for name in names if (folder / name).is_file()), None)
