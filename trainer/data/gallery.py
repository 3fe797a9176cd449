"""The pictures of a folder or tar as arrays: divided into train and test, and kept in the cache."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from trainer.data.cache import Arrays, cached
from trainer.data.decode import is_picture
from trainer.data.images import Pixels
from trainer.data.members import members, names
from trainer.data.missing import listing, missing
from trainer.data.pictures import decode_all
from vaemon.errors import DataNotFound

PARTS = ("train", "test")
"""Folders that divide pictures, wherever both stand side by side."""


@dataclass(frozen=True, eq=False, slots=True)
class Gallery:
    """The pictures of a folder or tar, in the order of their names."""

    train: Pixels
    """(n, H, W, C); all pictures where the source has no train and test folders."""
    test: Pixels
    """(m, H, W, C); m = 0 where the source has no train and test folders."""
    unreadable: tuple[str, ...]
    left_out: int
    """Readable pictures that lie neither in the train nor in the test folder."""

    @property
    def note(self) -> str:
        """What was passed over, in words; empty where nothing was."""
        notes = []
        if self.unreadable:
            notes.append(f"{len(self.unreadable):,} unreadable skipped: {listing(self.unreadable)}")
        if self.left_out:
            notes.append(f"{self.left_out:,} outside train and test left out")
        return f" ({'; '.join(notes)})" if notes else ""


def gallery(path: Path, size: int) -> Gallery:
    """Every picture of a folder or tar.

    Args:
        path: the folder or tar.
        size: side of the squares to bring them to; 0 for pictures that are all of one size already.

    Raises:
        DataNotFound: no readable picture, a damaged tar, or train and test of which one has no picture.
        UsageError: pictures of several sizes with size 0, or more than fit in memory.
        OSError: the path cannot be read.
    """
    arrays = cached(path, f"gallery {size}", lambda: _build(path, size))
    return Gallery(
        arrays["train"], arrays["test"], tuple(arrays["unreadable"].tolist()), int(arrays["left_out"].item())
    )


def divide(pictures: Iterable[str]) -> dict[str, str]:
    """The part that each name belongs to: "train" and "test" by the folders of that name, "" elsewhere.

    The folders count only where both stand side by side, nearest to the top; so a class `train/` beside
    `boat/` divides nothing.
    """
    folders = {name: tuple(part.lower() for part in PurePosixPath(name).parts[:-1]) for name in pictures}
    places = [{at[:i] for at in folders.values() for i, each in enumerate(at) if each == part} for part in PARTS]
    top = min(set.intersection(*places), key=lambda place: (len(place), place), default=None)
    return {name: "" if top is None else _part(at, top) for name, at in folders.items()}


def _part(at: tuple[str, ...], top: tuple[str, ...]) -> str:
    below = at[len(top) : len(top) + 1] if at[: len(top)] == top else ()
    return below[0] if below and below[0] in PARTS else ""


def _build(path: Path, size: int) -> Arrays:
    decoded = decode_all(members(path, is_picture), size)
    part = divide(decoded)
    readable = {name: pixels for name in sorted(decoded) if (pixels := decoded[name]) is not None}
    if not readable:
        raise _nothing(path, len(decoded))
    del decoded  # so that `_stack` lets go of each picture as it copies it
    divided = any(part.values())
    train = [name for name in readable if part[name] == ("train" if divided else "")]
    test = [name for name in readable if part[name] == "test"]
    if divided and not (train and test):
        empty = "test" if train else "train"
        raise DataNotFound(f"{path} has folders train and test, but no readable picture in {empty}")
    arrays = {
        "unreadable": np.array(sorted(part.keys() - readable.keys()), dtype=np.str_),
        "left_out": np.array(len(readable) - len(train) - len(test)),
    }
    height, width, channels = _shape(readable.values())
    for name, chosen in (("train", train), ("test", test)):
        arrays[name] = _stack(chosen, readable, np.empty((len(chosen), height, width, channels), np.uint8))
    return arrays


def _nothing(path: Path, unreadable: int) -> DataNotFound:
    wanted = f"readable pictures (of {unreadable:,} found none can be read)" if unreadable else "pictures"
    return missing(wanted, path, "give --data a folder or tar with png, jpg, webp … files", names(path))


def _shape(pictures: Iterable[Pixels]) -> tuple[int, int, int]:
    """Height and width that all have, and 3 channels where any has colour."""
    shapes = {each.shape for each in pictures}
    height, width = next(iter(shapes))[:2]
    return height, width, 3 if any(len(shape) == 3 for shape in shapes) else 1


def _stack(chosen: list[str], pictures: dict[str, Pixels], stacked: Pixels) -> Pixels:
    for i, name in enumerate(chosen):
        picture = pictures.pop(name)
        stacked[i] = picture if picture.ndim == 3 else picture[..., None]  # a grey one becomes three equal channels
    return stacked
