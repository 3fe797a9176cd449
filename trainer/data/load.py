"""The registry of datasets, and the one way in: a name and a path -> images in memory.

A new dataset is one file in this folder and one line in `_DATASETS`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from trainer.data import arrays, celeba, cifar, folder, idx, shapes
from trainer.data.images import Images, Pixels, sides
from trainer.data.missing import in_path
from trainer.data.split import TEST, TRAIN, first
from trainer.data.watch import Watch
from trainer.data.ways import Ways
from vaemon.errors import DataNotFound, UnknownName, UsageError


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a reader may need to know."""

    path: Path
    size: int
    seed: int
    limit: int | None
    ways: Ways
    watch: Watch


@dataclass(frozen=True, slots=True)
class _Dataset:
    read: Callable[[_Asked], Images]
    wants: str = ""
    """What --data must be, for people; empty for a dataset that takes none."""
    example: str = ""
    takes: frozenset[str] = frozenset()
    """Names of the ways of reading that it can be read by."""


_PICTURES = frozenset({"colour", "skip_bad"})
_IDX = "the folder with train-images-idx3-ubyte and t10k-images-idx3-ubyte, plain or .gz"
_CIFAR = "a published archive of CIFAR-10, its unpacked folder, or pictures as train/CLASS/NAME.jpg and test/…"

_DATASETS = {
    "shapes": _Dataset(lambda asked: shapes.images(size=asked.size, seed=asked.seed, limit=asked.limit)),
    "mnist": _Dataset(lambda asked: idx.images(asked.path, "MNIST"), _IDX, "mnist"),
    "fashion": _Dataset(lambda asked: idx.images(asked.path, "Fashion-MNIST"), _IDX, "fashion-mnist"),
    "cifar10": _Dataset(
        lambda asked: cifar.images(asked.path, asked.ways, asked.watch),
        _CIFAR,
        "cifar-10-python.tar.gz",
        _PICTURES | {"jpeg_roundtrip"},
    ),
    "celeba": _Dataset(
        lambda asked: celeba.images(asked.path, size=asked.size, ways=asked.ways, watch=asked.watch),
        "the folder img_align_celeba or img_align_celeba.zip, list_eval_partition.txt beside it",
        "img_align_celeba.zip",
        _PICTURES | {"resize"},
    ),
    "folder": _Dataset(
        lambda asked: folder.images(asked.path, size=asked.size, seed=asked.seed, ways=asked.ways, watch=asked.watch),
        "a folder, a tar or a zip of pictures",
        "pics",
        _PICTURES | {"resize"},
    ),
    "arrays": _Dataset(
        lambda asked: arrays.images(asked.path, seed=asked.seed, dataset=asked.ways.dataset, watch=asked.watch),
        "an .npy, .npz or HDF5 file",
        "images.npz",
        frozenset({"dataset"}),
    ),
}

NAMES = tuple(_DATASETS)
"""Every dataset's name."""

AS_USUAL = Ways()
UNWATCHED = Watch()


def load(
    name: str,
    path: Path | None,
    *,
    size: int,
    seed: int,
    limit: int | None = None,
    ways: Ways = AS_USUAL,
    watch: Watch = UNWATCHED,
) -> Images:
    """Read or render a dataset.

    Args:
        name: one of NAMES.
        path: where it lies; None for `shapes`, which is built in.
        size: side wanted, for `shapes`, `celeba` and `folder`; 0 is as stored, 64 for `celeba`. The other datasets
            have a size of their own.
        seed: of all that is left to chance: the rendering, the split of undivided images, the choice under a limit.
        limit: at most so many images in each of train and test, the first ones of a seeded shuffle.
        ways: how to read them.
        watch: shown how far it is; looked to while pictures are decoded.

    Returns:
        Arrays that are contiguous, writable and the caller's own; of pictures, mapped from the cache where it is there.

    Raises:
        UnknownName: no such dataset.
        DataNotFound: the path is missing, empty, or not what the dataset needs.
        UsageError: a size or limit that makes no sense, a way that the dataset is not read by, or pictures that
            need a size.
        Stopped: the watch said so.
    """
    path = check(name, path, ways)
    if size < 0:
        raise UsageError(f"data.size is {size}, but must be 0 (as stored) or a number of pixels")
    if limit is not None and limit < 1:
        raise UsageError(f"data.limit is {limit}, but must be at least 1")
    with reading(path):
        images = _DATASETS[name].read(_Asked(path, size, seed, limit, ways, watch))
    return _finished(images, seed, limit)


def check(name: str, path: Path | None, ways: Ways = AS_USUAL) -> Path:
    """Refuse at once what `load` could not read: the path to read, `~` expanded.

    Raises:
        UnknownName: no such dataset.
        DataNotFound: the path is missing or empty.
        UsageError: the dataset takes no path, or is not read in such a way.
    """
    if name not in _DATASETS:
        raise UnknownName("dataset", name, NAMES)
    dataset = _DATASETS[name]
    for way in ways.chosen():
        if way not in dataset.takes:
            takers = ", ".join(each for each, other in _DATASETS.items() if way in other.takes)
            raise UsageError(f"data.{way} is of no use to {name}; it is for {takers}: leave it out")
    if not dataset.wants:
        if path is not None:
            raise UsageError(f"the dataset {name} is built in; leave out --data {path}")
        return Path()
    example = f"for example --data {dataset.example}"
    if path is None:
        raise DataNotFound(f"the dataset {name} needs --data: {dataset.wants}; {example}")
    with reading(path):
        path = _at_home(path)
        empty = path.is_dir() and not any(path.iterdir())
        if empty or not (path.is_dir() or path.is_file()):
            raise DataNotFound(f"looked for {dataset.wants} in {path}: {in_path(path)}; {example}")
    return path


def _at_home(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise DataNotFound(f"cannot tell where {path} lies: {error}") from error


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Say in words what the file system refuses of a path that is read, and that memory is full.

    Raises:
        DataNotFound: it refuses something.
        UsageError: the images do not fit in memory.
    """
    try:
        yield
    except OSError as error:
        raise DataNotFound(f"cannot read {error.filename or path}: {error.strerror or error}") from error
    except MemoryError as error:
        raise UsageError(f"the images of {path} do not fit in memory; give fewer, or smaller ones") from error


def _finished(images: Images, seed: int, limit: int | None) -> Images:
    train, test = first(images.train, limit, seed, TRAIN), first(images.test, limit, seed, TEST)
    cut = ""
    if len(train) + len(test) < len(images.train) + len(images.test):
        cut = f", cut from {len(images.train):,} + {len(images.test):,}"
    counts = f"{len(train):,} + {len(test):,} images of {sides(train.shape[1:])}{cut}"
    return replace(images, train=_own(train), test=_own(test), source=f"{images.source}: {counts}")


def _own(pixels: Pixels) -> Pixels:
    """Torch takes arrays only where they are writable, and fast where they are contiguous."""
    return np.require(pixels, requirements=["C", "W"])
