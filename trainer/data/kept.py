"""What the cache of decoded images holds, for `vaemon doctor`."""

import os
from pathlib import Path

from trainer.data.cache import place
from vaemon.diagnosis import Diagnosis, fine, nearest_folder, warning


def examine() -> Diagnosis:
    """How many sets of decoded images are kept, and how much room they take."""
    folder = place()
    if folder is None:
        return warning(
            "cache", "there is no home to keep decoded images in", "set XDG_CACHE_HOME to a folder", folder=None
        )
    sizes = [_size(each) for each in folder.glob("images-*.u8")]
    rest = sum(_size(each) for each in folder.glob("*") if each.is_file()) - sum(sizes)
    facts = {"folder": str(folder), "sets": len(sizes), "images": sum(sizes), "rest": rest}
    if not os.access(nearest_folder(folder), os.W_OK):
        text = f"{folder} cannot be written: images are decoded anew by every training"
        return warning("cache", text, "set XDG_CACHE_HOME to a folder that you may write", **facts)
    images = f"decoded images of {len(sizes)} sources, {sum(sizes) / 2**20:,.0f} MiB"
    return fine("cache", f"{folder}: {images}; other files, {rest / 2**20:,.0f} MiB", **facts)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # it was removed at this moment
        return 0
