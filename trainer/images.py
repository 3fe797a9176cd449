"""The images of a config: read, and padded where it says so."""

from dataclasses import fields
from pathlib import Path

import numpy as np

from trainer.config import Config
from trainer.data.images import Images
from trainer.data.load import UNWATCHED, check, load
from trainer.data.watch import Watch
from trainer.data.ways import Ways


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


def _path(config: Config) -> Path | None:
    return Path(config.data.path) if config.data.path else None


def _ways(config: Config) -> Ways:
    return Ways(**{each.name: getattr(config.data, each.name) for each in fields(Ways)})
