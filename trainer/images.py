"""The images of a config: read, and padded where it says so."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from trainer.config import Config
from trainer.data.images import Images, sides
from trainer.data.load import UNWATCHED, check, load
from trainer.data.watch import Watch
from trainer.data.ways import Ways
from trainer.settings import resolve
from vaemon.errors import DataNotFound, UsageError


def check_images(config: Config) -> None:
    """Refuse data that are not there, without reading them.

    Raises:
        UnknownName: data.name is no dataset.
        DataNotFound: data.path is missing or empty.
        UsageError: an option that those images are not read by.
    """
    check(config.data.name, _path(config), _ways(config))


def load_images(config: Config, watch: Watch = UNWATCHED) -> Images:
    """Training and test images as the config's network sees them.

    Args:
        config: of the run.
        watch: shown how far it is; looked to while pictures are decoded.

    Raises:
        DataNotFound: data.path is missing, empty, or not what the data need.
        UsageError: a size or limit that makes no sense.
        Stopped: the watch said so.
    """
    data = config.data
    images = load(
        data.name,
        _path(config),
        size=data.size,
        seed=config.seed,
        limit=data.limit or None,
        ways=_ways(config),
        watch=watch,
    )
    if not data.pad:
        return images
    edges = ((0, 0), (data.pad, data.pad), (data.pad, data.pad), (0, 0))
    return Images(np.pad(images.train, edges), np.pad(images.test, edges), images.source, images.factors)


def load_images_of_run(config: Config, shape: Sequence[int], data: Path | None = None) -> Images:
    """The images that a run was trained and tested on.

    Args:
        config: of the run.
        shape: of an image of those that its network was built for, (H, W, C).
        data: where they are, if not where the run was trained from.

    Raises:
        DataNotFound: they are not there, or not those that the network was trained on.
        UsageError: the run's images are built in, and `data` was given.
    """
    found = load_images(resolve(config, data=data))
    if found.test.shape[1:] != tuple(shape):
        raise DataNotFound(
            f"the network was trained on images of {sides(shape)}, these are {sides(found.test.shape[1:])} "
            f"({found.source}); --data says where the run's own are"
        )
    return found


def check_batches(config: Config, images: Images) -> None:
    """Refuse images that are too few for a batch of either stage.

    Raises:
        UsageError: there are fewer training images than a batch takes.
    """
    count = len(images.train)
    batches = {"stage1": config.stage1.batch, **({"stage2": config.stage2.batch} if config.stage2.enabled else {})}
    keys = [f"{name}.batch={batch}" for name, batch in batches.items() if batch > count]
    if keys:
        smaller = " ".join(f"--set {key.partition('=')[0]}={count}" for key in keys)
        raise UsageError(
            f"{images.source}: too few training images for {' and '.join(keys)}; {smaller} or less, or more images"
        )


def fingerprint(images: Images) -> dict[str, Any]:
    """What tells these images from others, as JSON takes it: how many, their shape (H, W, C), a checksum of all bytes.

    CRC-32 knows the order of the images, too: 0.4 s of one core for each GB.
    """
    return {
        "train": len(images.train),
        "test": len(images.test),
        "shape": list(images.train.shape[1:]),
        "crc32": zlib.crc32(images.test.data, zlib.crc32(images.train.data)),
    }


def check_same_images(before: Mapping[str, Any], now: Mapping[str, Any], source: str) -> None:
    """Refuse to go on with other images than a run began with.

    Args:
        before: what is known of the fingerprint of those that it began with.
        now: the fingerprint of those at hand.
        source: of those at hand, in words.

    Raises:
        UsageError: they are others.
    """
    changed = [key for key, value in before.items() if key in now and now[key] != value]
    if not changed:
        return
    told = ", ".join(f"{key} {before[key]}, now {now[key]}" for key in changed if key != "crc32")
    raise UsageError(
        f"{source}: these are not the images that the run began with "
        f"({told or 'as many, of other content: their files, or what decodes them, changed'}); put "
        "them back, or begin a new run"
    )


def _path(config: Config) -> Path | None:
    return Path(config.data.path) if config.data.path else None


def _ways(config: Config) -> Ways:
    return Ways(**{each.name: getattr(config.data, each.name) for each in fields(Ways)})
