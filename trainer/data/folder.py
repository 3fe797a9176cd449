"""A folder or archive of pictures of any kind as a dataset."""

from pathlib import Path

from trainer.data.decode import Fit
from trainer.data.gallery import gallery
from trainer.data.images import Images
from trainer.data.split import hold_out
from trainer.data.watch import Watch
from trainer.data.ways import Ways


def images(path: Path, *, size: int = 0, seed: int = 0, ways: Ways, watch: Watch) -> Images:
    """Read every picture.

    Args:
        path: the folder, tar or zip; its folders train and test, where it has both, are kept apart.
        size: side of the squares to cut and resize to; 0 where all pictures are of one size already.
        seed: of the split, where there are no folders train and test: a tenth is held out.
        ways: how to read them.
        watch: shown how far it is.

    Raises:
        DataNotFound: no readable picture, one that is damaged, or too few to hold one out.
        UsageError: pictures of several sizes with size 0, or of several colours, or more than there is room for.
        Stopped: the watch said so.
    """
    found = gallery(path, Fit(size, ways.resize, colour=ways.colour), watch, skip_bad=ways.skip_bad)
    if len(found.test):
        return Images(found.train, found.test, f"Pictures in {path}{found.note}")
    train, test = hold_out(found.train, seed, str(path))
    return Images(train, test, f"Pictures in {path}, a tenth held out by seed {seed}{found.note}")
