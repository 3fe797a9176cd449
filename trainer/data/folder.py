"""A folder or tar of pictures of any kind as a dataset."""

from pathlib import Path

from trainer.data.gallery import gallery
from trainer.data.images import Images
from trainer.data.split import hold_out


def images(path: Path, *, size: int = 0, seed: int = 0) -> Images:
    """Read every picture.

    Args:
        path: the folder or tar; its folders train and test, where it has both, are kept apart.
        size: side of the squares to cut and resize to; 0 where all pictures are of one size already.
        seed: of the split, where there are no folders train and test: a tenth is held out.

    Raises:
        DataNotFound: no readable picture, or too few to hold one out.
        UsageError: pictures of several sizes with size 0, or more than fit in memory.
    """
    found = gallery(path, size)
    if len(found.test):
        return Images(found.train, found.test, f"Pictures in {path}{found.note}")
    train, test = hold_out(found.train, seed, str(path))
    return Images(train, test, f"Pictures in {path}, a tenth held out by seed {seed}{found.note}")
