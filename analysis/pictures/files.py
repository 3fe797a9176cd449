"""Generated images as files: whole or not there.

A folder of PNGs is written under a hidden name beside its place and renamed when it is whole; an array, or one picture
of all, likewise.
"""

import io
import os
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator
from itertools import count as counting
from pathlib import Path

import numpy as np
import numpy.typing as npt

from analysis.pictures.pixels import in_rows, tiled, to_bytes
from vaemon.errors import UsageError
from vaemon.exchange.file import refusals_told, write_file
from vaemon.exchange.npz import npz_parts
from vaemon.png import png

Array = npt.NDArray[np.float32]
Blocks = Iterable[Array]
Shape = tuple[int, ...]

ARRAY = "images"
"""Name of the array in an .npz file."""
_OURS = re.compile(r"\d{5,}\.png")
_NOT_HERE = (".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".zip", ".tar", ".gz", ".tgz", ".h5", ".hdf5")
_OVERWRITE = "--overwrite replaces it"


def check_place(path: Path, overwrite: bool) -> None:
    """Refuse a place that is taken, before anything is computed.

    Args:
        path: FILE.npz, FILE.npy, FILE.png, or a folder.
        overwrite: whether what images were written there before may be replaced.

    Raises:
        UsageError: it is taken, or of a kind that is not written.
        VaemonError: it cannot be looked at.
    """
    if path.suffix.lower() in _NOT_HERE:
        raise UsageError(f"{path}: images are written to a folder (as PNG), or to FILE.npz, FILE.npy or FILE.png")
    with refusals_told(path):
        (_check_file if is_file(path) else _check_folder)(path, overwrite)


def _check_file(path: Path, overwrite: bool) -> None:
    if path.is_dir():
        raise UsageError(f"{path} is a folder; give the name of a file in it, or of a folder without {path.suffix}")
    if path.exists() and not overwrite:
        raise UsageError(f"{path} is there already; {_OVERWRITE}")


def _check_folder(path: Path, overwrite: bool) -> None:
    if path.exists() and not path.is_dir():
        raise UsageError(f"{path} is a file, no folder; images are written to a folder, FILE.npz, FILE.npy or FILE.png")
    there = [each.name for each in os.scandir(path)] if path.exists() else []
    if foreign := sorted(name for name in there if not _OURS.fullmatch(name)):
        raise UsageError(f"the folder {path} has other files ({foreign[0]}, …), which are left alone; name another")
    if there and not overwrite:
        raise UsageError(f"the folder {path} is not empty, it has {len(there):,} images; {_OVERWRITE}")


def is_file(path: Path) -> bool:
    """Whether a place is one file; else it is a folder of PNGs."""
    return path.suffix.lower() in (".npz", ".npy", ".png")


def write_images(path: Path, blocks: Blocks, shape: Shape, overwrite: bool = False) -> Path:
    """Write images to a place that `check_place` has found free.

    Args:
        path: of the place. FILE.npz and FILE.npy hold float32 as it is, shape (n, H, W, C); a folder has a PNG an
            image, FILE.png all of them in a grid, both clamped to [0, 1] and rounded to bytes.
        blocks: of images (n, H, W, C) in [0, 1]; whatever they raise is passed on, and leaves nothing.
        shape: of all of them together, (n, H, W, C).
        overwrite: take the place of what was written there before.

    Returns:
        Where they are.

    Raises:
        VaemonError: they cannot be written: no such folder, no permission, a full disk.
    """
    kind = path.suffix.lower() if is_file(path) else ""
    if not kind:
        return _write_folder(path, blocks, overwrite)
    if kind == ".npz":
        named = ({ARRAY: block} for block in blocks)
        return write_file(path, npz_parts((ARRAY,), shape[0], lambda name: named), replace=overwrite)
    parts = _npy_parts(blocks, shape) if kind == ".npy" else _grid_parts(blocks)
    return write_file(path, parts, replace=overwrite)


def _npy_parts(blocks: Blocks, shape: Shape) -> Iterator[bytes]:
    header = io.BytesIO()
    described = {"descr": np.dtype(np.float32).str, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(header, described)
    yield header.getvalue()
    for block in blocks:
        yield np.ascontiguousarray(block, np.float32).tobytes()


def _grid_parts(blocks: Blocks) -> Iterator[bytes]:
    yield png(tiled(in_rows(np.concatenate(list(blocks)))))


def _write_folder(folder: Path, blocks: Blocks, overwrite: bool) -> Path:
    """A PNG an image, 00000.png, 00001.png, …; the folder gets its name when all are there."""
    folder = folder.resolve()
    temporary = folder.with_name(f".{secrets.token_hex(6)}.part")
    try:
        with refusals_told(folder):
            temporary.mkdir()
        _fill(temporary, folder, blocks)
        with refusals_told(folder):
            _put_in_place(temporary, folder, overwrite)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return folder


def _fill(temporary: Path, folder: Path, blocks: Blocks) -> None:
    numbers = counting()
    for block in blocks:
        with refusals_told(folder):
            for pixels in to_bytes(block):
                _write_png(temporary, pixels, next(numbers))


def _write_png(folder: Path, pixels: npt.NDArray[np.uint8], number: int) -> None:
    (folder / f"{number:05d}.png").write_bytes(png(pixels))


def _put_in_place(temporary: Path, folder: Path, overwrite: bool) -> None:
    if not (overwrite and folder.exists()):
        os.rename(temporary, folder)  # in the place of an empty one, too; one that was filled since is refused
        return
    check_place(folder, overwrite)  # while the images were made, somebody may have put other files there
    aside = folder.with_name(f".{secrets.token_hex(6)}.old")
    os.rename(folder, aside)
    try:
        os.rename(temporary, folder)
    except OSError:
        os.rename(aside, folder)
        raise
    shutil.rmtree(aside, ignore_errors=True)
