"""Sets of images to compare: a folder, tar or zip of pictures, an array, or blocks that a program makes.

A set is read as blocks of 64, each by its number, so that a pass can be gone on with, and shared among processes.
"""

import os
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.npyio import NpzFile

from analysis.features.recipes import BLOCK, Block
from trainer.data import damage
from trainer.data.arrays import NPY, SLACK, channels_last, refuse_large
from trainer.data.cache import place
from trainer.data.decode import AS_STORED, is_picture, version
from trainer.data.digest import Source
from trainer.data.load import reading
from trainer.data.members import ZIP, members, names
from trainer.data.missing import listing, missing
from trainer.data.pictures import decode_each, quietly
from trainer.data.watch import Watch
from vaemon.errors import DataNotFound

Array = npt.NDArray[Any]
Wanted = Callable[[int], bool]
"""Takes a block's number, says whether it is to be read."""

ADVICE = (
    "give a folder, a tar or a zip of pictures, an .npy or .npz file of images, or one of statistics (mu and sigma)"
)


@dataclass(frozen=True, slots=True)
class ImageSet:
    """Images, by block."""

    name: str
    """As people know it."""
    key: str
    """A checksum of what is in it; empty: nobody knows, and nothing of it is kept."""
    count: int
    read: Callable[[Wanted], Generator[tuple[int, Block], None, None]]
    """Gives the wanted blocks with their numbers, in order: images of the same shape that follow one another as one
    array (n, H, W, C), bytes or floats in [0, 1]."""


def image_set(path: Path, watch: Watch) -> ImageSet:
    """The images of a folder, an archive, or an array file.

    Raises:
        DataNotFound: there are no images, or a file is damaged or cannot be read.
        Stopped: the watch said so.
    """
    with reading(path):
        return _image_set(path, watch)


def _image_set(path: Path, watch: Watch) -> ImageSet:
    if not path.exists():
        raise missing("images", path, ADVICE)
    array = None if path.is_dir() else _array(path)
    if array is not None:
        return arrays_set(str(path), _key(path, watch), array)
    wanted = [name for name in names(path) if is_picture(name)]
    if not wanted:
        raise missing("pictures", path, ADVICE, names(path))
    return ImageSet(
        str(path), f"{_key(path, watch)} {version()}", len(wanted), lambda asked: _pictures(path, wanted, asked)
    )


def arrays_set(name: str, key: str, images: Array) -> ImageSet:
    """The images of an array: (n, H, W), (n, H, W, C) or (n, C, H, W), C = 1 or 3, bytes or floats in [0, 1].

    Raises:
        DataNotFound: another shape or dtype.
    """
    images = _channels_last(images, name)

    def read(wanted: Wanted) -> Generator[tuple[int, Block], None, None]:
        for block in range(-(-len(images) // BLOCK)):
            if wanted(block):
                part = np.asarray(images[block * BLOCK : (block + 1) * BLOCK])
                yield block, [_checked(part, f"{name}, images from {block * BLOCK}")]

    return ImageSet(name, key, len(images), read)


def made_set(name: str, key: str, count: int, make: Callable[[], Iterable[Array]]) -> ImageSet:
    """Images that a program makes, in blocks (n, H, W, C) of any length, `count` in all; made anew at each reading."""

    def read(wanted: Wanted) -> Generator[tuple[int, Block], None, None]:
        for block, images in enumerate(_cut(make(), count)):
            if wanted(block):
                yield block, [_checked(images, f"{name}, images from {block * BLOCK}")]

    return ImageSet(name, key, count, read)


def _cut(blocks: Iterable[Array], count: int) -> Iterator[Array]:
    """Blocks of any length as blocks of 64, the last one shorter."""
    held: list[Array] = []
    left = count
    for images in blocks:
        held.append(images)
        while left and sum(map(len, held)) >= min(BLOCK, left):
            whole = np.concatenate(held)
            taken = min(BLOCK, left)
            yield whole[:taken]
            held, left = [whole[taken:]], left - taken
        if not left:
            return


def _key(path: Path, watch: Watch) -> str:
    folder = place() or Path(os.devnull)  # without a home, what was hashed is not remembered
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    return Source(path, watch).digest(folder)


def _pictures(path: Path, pictures: list[str], wanted: Wanted) -> Generator[tuple[int, Block], None, None]:
    """Blocks of the wanted pictures, in the order in which they are stored."""
    number = {name: i for i, name in enumerate(pictures)}
    needed = members(path, lambda name: name in number and wanted(number[name] // BLOCK))
    held: list[Array] = []
    with reading(path), quietly(), closing(decode_each(needed, AS_STORED)) as decoded:
        for name, found in decoded:
            if isinstance(found, str):
                raise DataNotFound(f"{path}: {name} cannot be read ({found}); mend or remove it")
            held.append(found if found.ndim == 3 else found[..., None])
            block = number[name] // BLOCK
            if len(held) == min(BLOCK, len(pictures) - block * BLOCK):
                yield block, _grouped(held)
                held = []


def _grouped(images: list[Array]) -> Block:
    """Images (H, W, C) as arrays (n, H, W, C) of those that follow one another in one shape."""
    groups: list[list[Array]] = []
    for image in images:
        if groups and groups[-1][0].shape == image.shape:
            groups[-1].append(image)
        else:
            groups.append([image])
    return [np.stack(group) for group in groups]


def _array(path: Path) -> Array | None:
    """The images of an .npy or .npz file, from the disk as they are needed where that can be; None for other files."""
    with path.open("rb") as file:
        begin = file.read(len(NPY))
        file.seek(0)
        try:
            if begin.startswith(ZIP):
                return _of_npz(path, np.load(file, allow_pickle=False))
            return np.asanyarray(np.load(path, mmap_mode="r", allow_pickle=False)) if begin == NPY else None
        except damage.NUMPY as error:
            if begin.startswith(ZIP) and path.suffix != ".npz":
                return None  # a zip of pictures, which are read by others
            raise DataNotFound(f"{path} cannot be read as a NumPy file of plain arrays: {error}") from error


def _of_npz(path: Path, loaded: NpzFile) -> Array | None:
    if path.suffix != ".npz" and any(is_picture(name) for name in loaded.files):
        return None  # a zip of pictures
    if len(loaded.files) != 1:
        raise DataNotFound(
            f"{path} holds {listing(loaded.files)}, and nothing says which are the images; "
            "save them alone in an .npy file"
        )
    members = loaded.zip.infolist() if loaded.zip else []
    refuse_large(path, sum(member.file_size for member in members))
    return np.asarray(loaded[loaded.files[0]])


def _channels_last(array: Array, where: str) -> Array:
    if array.dtype != np.uint8 and array.dtype.kind != "f":
        raise DataNotFound(f"{where} holds {array.dtype}; images are bytes (uint8) or floats in [0, 1]")
    return channels_last(array, where)


def _checked(images: Array, where: str) -> Array:
    """Bytes as they are; floats, in float32, where they are finite and in [0, 1].

    Raises:
        DataNotFound: they are not.
    """
    if images.dtype == np.uint8:
        return images
    images = images.astype(np.float32)
    low, high = float(images.min()), float(images.max())
    if not (low >= -SLACK and high <= 1 + SLACK):  # NaN fails too
        what = "NaN" if np.isnan(images).any() else f"floats from {low:.6g} to {high:.6g}"
        raise DataNotFound(f"{where}: {what}; images are bytes, or floats in [0, 1]")
    return np.clip(images, 0, 1)
