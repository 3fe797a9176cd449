"""The images of a config: read, and padded where it says so."""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from trainer.config import Config
from trainer.data.checksum import checksum
from trainer.data.images import Images
from trainer.data.load import UNWATCHED, check, load
from trainer.data.watch import Watch
from trainer.data.ways import Ways
from vaemon.errors import UsageError


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


def fingerprint(images: Images) -> dict[str, int]:
    """What tells these images from others: how many there are, and a checksum of those to train on."""
    return {
        "train": len(images.train),
        "test": len(images.test),
        "checksum": checksum(np.ascontiguousarray(images.train).reshape(-1)),
    }


def check_same_images(before: Mapping[str, Any] | None, images: Images) -> str:
    """Refuse to go on with images of another number than a run began with.

    Args:
        before: their fingerprint; None where it is not known.
        images: those at hand.

    Returns:
        What is to be told of them; empty where they are the same.

    Raises:
        UsageError: they are more, or fewer.
    """
    now = fingerprint(images)
    if before is None or before == now:
        return ""
    there, here = (f"{each.get('train')} + {each.get('test')}" for each in (before, now))
    if there != here:
        raise UsageError(
            f"{images.source}: the run began with {there} images, and a run goes on with those it began with; "
            "put them back, or begin a new run"
        )
    return (
        "these are not the images that the run began with, though as many: their files, or what decodes them, changed"
    )


def _path(config: Config) -> Path | None:
    return Path(config.data.path) if config.data.path else None


def _ways(config: Config) -> Ways:
    return Ways(**{each.name: getattr(config.data, each.name) for each in fields(Ways)})
