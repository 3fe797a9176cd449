"""Images in an HDF5 file. The only module of the trainer that imports h5py: a data file is no run file.

Links to other files, virtual datasets and datasets stored outside of the file are not followed: a data set from
somewhere may name any file of this machine.
"""

from pathlib import Path
from typing import Any

import h5py
import numpy as np

from trainer.data.images import CHANNELS, PAIRS
from trainer.data.missing import NAMED, missing
from trainer.data.sheet import fits
from trainer.data.watch import Watch
from vaemon.errors import DataNotFound

BLOCK = 2**26
"""Bytes read between two looks at who may want to stop."""

Array = np.ndarray[Any, Any]


def read(path: Path, named: str, watch: Watch) -> tuple[Array, Array | None]:
    """The datasets of train and test images, as stored; no test images where there is but one dataset.

    Args:
        path: the file.
        named: the dataset, or both, with a comma between; empty for train and test, x_train and x_test, or the only one
            of the shape of images.
        watch: shown how far it is.

    Raises:
        DataNotFound: no such dataset, one that is stored elsewhere, or a damaged file.
        Stopped: the watch said so.
    """
    try:
        with h5py.File(path, "r") as file:
            chosen = [_dataset(path, file, name) for name in _names(path, file, named)]
            read = [_read(each, watch) for each in chosen]
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, OverflowError, MemoryError) as error:
        raise DataNotFound(f"{path} cannot be read as an HDF5 file: {str(error).splitlines()[0]}") from error
    return read[0], read[1] if len(read) > 1 else None


def _names(path: Path, file: h5py.File, named: str) -> list[str]:
    if named:
        names = [each.strip() for each in named.split(",")]
        if not 1 <= len(names) <= 2 or not all(names):
            raise DataNotFound(f"data.dataset={named} is neither one name nor two with a comma between")
        return names
    found: list[str] = []
    file.visititems(lambda name, each: found.append(name) if _like_images(each) else None)
    for pair in PAIRS:
        for parent in sorted({name.rpartition("/")[0] for name in found}):
            inside = [f"{parent}/{name}".lstrip("/") for name in pair]
            if set(inside) <= set(found):
                return inside
    if len(found) == 1:
        return found
    raise missing("one dataset of the shape of images, or train and test,", path, NAMED, sorted(found))


def _like_images(each: object) -> bool:
    if not isinstance(each, h5py.Dataset) or each.dtype.kind not in "uf" or not each.size:
        return False
    shape = each.shape
    return len(shape) == 3 or (len(shape) == 4 and bool({shape[1], shape[3]} & set(CHANNELS)))


def _dataset(path: Path, file: h5py.File, name: str) -> h5py.Dataset:
    at: Any = file
    for part in name.strip("/").split("/"):
        # visititems follows no soft or external link; nor may a name.
        there = isinstance(at, h5py.Group) and isinstance(at.get(part, getlink=True), h5py.HardLink)
        at = at[part] if there else None
    if not isinstance(at, h5py.Dataset):
        raise missing(f"the dataset {name}", path, NAMED, _datasets(file))
    if at.shape is None:
        raise DataNotFound(f"{path}: {name} has no values, not even a shape; {NAMED}")
    if at.is_virtual or at.external:
        raise DataNotFound(f"{path}: the images of {name} lie in other files, which are not read; copy them into one")
    return at


def _datasets(file: h5py.File) -> list[str]:
    found: list[str] = []
    file.visititems(lambda name, each: found.append(name) if isinstance(each, h5py.Dataset) else None)
    return sorted(found)


def _read(dataset: h5py.Dataset, watch: Watch) -> Array:
    rows = dataset.shape[0] if dataset.shape else 0
    if not fits(dataset.nbytes):
        raise DataNotFound(
            f"{dataset.file.filename}: {dataset.name} {dataset.shape} does not fit in memory; give fewer images, or "
            "smaller ones"
        )
    array = np.empty(dataset.shape, dataset.dtype)
    if not rows or not array.size:
        return array
    block = max(1, BLOCK // (array.nbytes // rows))
    if dataset.chunks:
        block = -(-block // dataset.chunks[0]) * dataset.chunks[0]  # else a chunk is decompressed twice
    for start in range(0, rows, block):
        watch.tell("reading", start, rows)
        dataset.read_direct(array, np.s_[start : start + block], np.s_[start : start + block])
    watch.tell("reading", rows, rows)
    return array
