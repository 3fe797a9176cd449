"""Arrays as a dataset: NumPy files, .npy and .npz, and HDF5. Files with pickled objects are refused."""

from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from trainer.data import damage
from trainer.data.images import CHANNELS, PAIRS, Images, Pixels
from trainer.data.missing import NAMED, missing
from trainer.data.sheet import fits
from trainer.data.split import hold_out
from trainer.data.watch import Watch, WatchedFile
from vaemon.errors import DataNotFound

Array = npt.NDArray[Any]

NPY = b"\x93NUMPY"
ZIP = b"PK"
HDF5 = b"\x89HDF\r\n\x1a\n"
SLACK = 1e-6
"""How far a float may leave [0, 1], for the rounding of whoever computed it."""
BLOCK = 1024
"""Images turned from floats into bytes at a time."""
ADVICE = "give --data an .npy file, or an .npz or HDF5 file with arrays train and test, or with one array of images"


def images(path: Path, *, seed: int = 0, dataset: str = "", watch: Watch) -> Images:
    """Read the images of an .npy, .npz or HDF5 file.

    Args:
        path: the file; arrays are (n, H, W), (n, H, W, C) or (n, C, H, W) with C = 1 or 3, bytes or floats in [0, 1].
        seed: of the split, where the file has no test images: a tenth is held out.
        dataset: name of the array, or of those to train and to test on, with a comma between; else train and test,
            x_train and x_test, or the only one there is (in HDF5, of the shape of images).
        watch: shown how far it is.

    Raises:
        DataNotFound: no such arrays, or a damaged file.
        Stopped: the watch said so.
    """
    if not path.is_file():
        raise missing("an .npy, .npz or HDF5 file", path, ADVICE)
    train, test = _read(path, dataset, watch)
    if test is not None:
        return Images(to_pixels(train, f"{path} (train)"), to_pixels(test, f"{path} (test)"), f"Arrays in {path}")
    parts = hold_out(to_pixels(train, str(path)), seed, str(path))
    return Images(*parts, f"Array in {path}, a tenth held out by seed {seed}")


def to_pixels(array: Array, where: str) -> Pixels:
    """Bytes, channels last, (n, H, W, C), of an array of images.

    Raises:
        DataNotFound: another shape, another dtype, or values outside of the dtype's range for images.
    """
    return _bytes(channels_last(array, where), where)


def channels_last(array: Array, where: str) -> Array:
    """Images (n, H, W), (n, H, W, C) or (n, C, H, W) as (n, H, W, C), C being 1 or 3; a view.

    Raises:
        DataNotFound: it has another shape; `where` says of what.
    """
    if array.ndim == 3:
        return array[..., None]
    if array.ndim == 4 and array.shape[3] in CHANNELS:
        return array
    if array.ndim == 4 and array.shape[1] in CHANNELS:
        return array.transpose(0, 2, 3, 1)
    raise DataNotFound(
        f"{where} has shape {array.shape}; images are (n, H, W), (n, H, W, C) or (n, C, H, W) with C = 1 or 3"
    )


def _bytes(array: Array, where: str) -> Pixels:
    if array.size == 0:
        raise DataNotFound(f"{where} is empty: its shape is {array.shape}")
    if array.dtype == np.uint8:
        if array.max() <= 1:
            raise DataNotFound(
                f"{where} holds bytes from {array.min()} to {array.max()}, almost black; scale them to 255"
            )
        return array
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * np.uint8(255)
    if array.dtype.kind != "f":
        raise DataNotFound(f"{where} holds {array.dtype}; images are bytes (uint8) or floats in [0, 1]")
    low, high = float(array.min()), float(array.max())
    if not (low >= -SLACK and high <= 1 + SLACK):  # NaN fails too
        raise DataNotFound(f"{where} holds floats from {low:.6g} to {high:.6g}; images are floats in [0, 1], or bytes")
    return _scaled(array)


def _scaled(array: Array) -> Pixels:
    """Floats in [0, 1] as bytes, rounded to the nearest."""
    pixels = np.empty(array.shape, np.uint8)
    for start in range(0, len(array), BLOCK):
        block = array[start : start + BLOCK].astype(np.float32)
        pixels[start : start + BLOCK] = np.rint(np.clip(block, 0, 1) * 255)
    return pixels


def _read(path: Path, dataset: str, watch: Watch) -> tuple[Array, Array | None]:
    """The file's train and test arrays; no test array where the file holds but one."""
    with path.open("rb") as file:
        begin = file.read(len(HDF5))
        if begin == HDF5:
            from trainer.data import hdf5

            return hdf5.read(path, dataset, watch)
        if not begin.startswith((NPY, ZIP)):
            raise DataNotFound(f"{path} is neither an .npy, an .npz nor an HDF5 file; {ADVICE}")
        file.seek(0)
        try:
            if begin.startswith(NPY):
                return _array(path, file, dataset, watch), None
            return _arrays(path, file, dataset, watch)
        except damage.NUMPY as error:
            why = str(error) or type(error).__name__
            raise DataNotFound(f"{path} cannot be read as a NumPy file of plain arrays: {why}") from error


def _array(path: Path, file: BinaryIO, dataset: str, watch: Watch) -> Array:
    """The only array of an .npy file."""
    if dataset:
        raise DataNotFound(f"{path} holds one array, without a name; leave out data.dataset={dataset}")
    refuse_large(path, path.stat().st_size)
    return np.asarray(np.load(WatchedFile(file, watch), allow_pickle=False))


def _arrays(path: Path, file: BinaryIO, dataset: str, watch: Watch) -> tuple[Array, Array | None]:
    """The train and test arrays of an .npz file; no test array where it holds but one."""
    with np.load(WatchedFile(file, watch), allow_pickle=False) as loaded:
        train, test = _names(path, loaded.files, dataset)
        # Of a few packed bytes an array of any size may come.
        sizes = {info.filename.removesuffix(".npy"): info.file_size for info in loaded.zip.infolist()}
        refuse_large(path, sum(sizes[name] for name in {train, test or train}))
        return np.asarray(loaded[train]), None if test is None else np.asarray(loaded[test])


def refuse_large(path: Path, size: int) -> None:
    """See that images of so many bytes fit in memory. Raises DataNotFound."""
    if not fits(size):
        raise DataNotFound(f"{path}: {size:,} bytes of images do not fit in memory; give fewer, or smaller ones")


def _names(path: Path, names: list[str], dataset: str) -> tuple[str, str | None]:
    if dataset:
        train, comma, test = (each.strip() for each in dataset.partition(","))
        if not {train, test or train} <= set(names):
            raise missing(f"the array {dataset.replace(',', ' and ')}", path, NAMED, names)
        return train, test if comma else None
    for pair in PAIRS:
        if set(pair) <= set(names):
            return pair
    if len(names) == 1:
        return names[0], None
    raise missing("arrays train and test, x_train and x_test, or a single array", path, NAMED, names)
