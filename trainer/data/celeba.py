"""CelebA (Liu et al. 2015), aligned and cropped: 202,599 faces of 178 × 218, from their folder or zip.

The middle of each is cut out and brought to 64 × 64, as Asperti & Trentin (2020) do. Validation images are left out.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath

from trainer.data.decode import Fit
from trainer.data.gallery import Divided, gallery
from trainer.data.images import Images
from trainer.data.members import members
from trainer.data.missing import listing
from trainer.data.watch import Watch
from trainer.data.ways import Ways
from vaemon.errors import DataNotFound

SIDE = 64
"""Pixels a side, where none is asked for."""
STORED = (178, 218)
"""Width and height of the aligned pictures."""
BOX = (25, 45, 153, 173)
"""What is cut out of them, 128 × 128: left, top, right, bottom."""
COUNT = 202_599
LAST = {"train": 162_770, "validation": 182_637, "test": COUNT}
"""The number of each part's last picture; the official split goes by number."""
PARTS = ("train", "validation", "test")
"""By their number in the official split file."""
SPLITS = ("list_eval_partition.txt", "list_eval_partition.csv")
"""The official split, and the form in which it goes about elsewhere."""
FOLDERS = ("img_align_celeba", "Img/img_align_celeba", "celeba/img_align_celeba")
NUMBERED = re.compile(r"\d{6}\.\w+")


def images(path: Path, *, size: int, ways: Ways, watch: Watch) -> Images:
    """Read the training and test images.

    Args:
        path: the folder of the aligned pictures, img_align_celeba.zip, or a folder that holds either. The split file
            may lie beside them, in a folder Eval, or in the zip; without it the split goes by the pictures' numbers.
        size: pixels a side; 0 is 64.
        ways: how to read them.
        watch: shown how far it is.

    Raises:
        DataNotFound: there are no pictures, one is damaged or not of the aligned ones, or the split does not fit them.
        Stopped: the watch said so.
    """
    pictures = _found(path)
    beside = _beside(path, pictures)
    fit = Fit(size or SIDE, ways.resize, BOX, STORED, ways.colour)

    def division(names: Iterable[str]) -> Divided:
        return _divided(pictures, list(names), dict(_read_split(*(beside or _inside(pictures)))))

    # A split file within the pictures' zip is part of the content by which they are known.
    recipe = f"celeba {hashlib.sha256(beside[1]).hexdigest() if beside else ''}"
    found = gallery(pictures, fit, watch, skip_bad=ways.skip_bad, division=division, recipe=recipe)
    there = len(found.train) + len(found.test) + found.left_out + len(found.unreadable)
    lacking = "" if there == COUNT else f", only {there:,} of {COUNT:,} pictures"
    return Images(found.train, found.test, f"CelebA from {pictures}, {found.divided}{lacking}{found.note}")


def _found(path: Path) -> Path:
    """The folder or zip of the pictures; the path itself where it has no folder or zip of that name."""
    inside = [path / folder for folder in FOLDERS] + [path / f"{folder}.zip" for folder in FOLDERS]
    return next((each for each in inside if each.exists()), path)


def _beside(path: Path, pictures: Path) -> tuple[str, bytes] | None:
    """Where the official split file lies outside of an archive, and its content."""
    for folder in dict.fromkeys((path, pictures, pictures.parent, pictures.parent.parent)):
        for name in SPLITS:
            for place in (folder / name, folder / "Eval" / name):
                with suppress(FileNotFoundError, NotADirectoryError):
                    return str(place), place.read_bytes()
    return None


def _inside(pictures: Path) -> tuple[str, bytes]:
    """The same of one in the pictures' archive; no content where there is none."""
    if pictures.is_file():
        for member in members(pictures, lambda name: PurePosixPath(name).name in SPLITS):
            return f"{pictures}: {member.name}", member.read()
    return "", b""


def _read_split(where: str, data: bytes) -> Iterator[tuple[str, str]]:
    """File name and part of each picture."""
    for number, line in enumerate(data.decode("latin1").splitlines(), start=1):
        name, _, part = line.replace(",", " ").strip().partition(" ")
        if not name or (number == 1 and part == "partition"):
            continue
        if part.strip() not in ("0", "1", "2"):
            raise DataNotFound(
                f"{where}, line {number}: expected a file's name and 0, 1 or 2, found {line[:60]!r}; fetch it again"
            )
        yield name, PARTS[int(part)]


def _divided(path: Path, names: list[str], split: dict[str, str]) -> Divided:
    by = "official split file" if split else "split by number"
    if split:
        part = {name: split.get(PurePosixPath(name).name, "") for name in names}
    elif all(NUMBERED.fullmatch(PurePosixPath(name).name) for name in names):
        part = {name: _by_number(int(PurePosixPath(name).stem)) for name in names}
    elif len(names) == COUNT:
        part = {name: _by_number(number) for number, name in enumerate(sorted(names), start=1)}
    else:
        raise DataNotFound(
            f"{path}: expected CelebA's aligned pictures, 000001.jpg to {COUNT}.jpg, found {listing(sorted(names))}; "
            f"put {SPLITS[0]} beside them, which tells what each is for"
        )
    for wanted in ("train", "test"):
        if wanted not in part.values():
            raise DataNotFound(f"{path}: of {len(names):,} pictures none is for {wanted} by CelebA's split; get all")
    return Divided(part, by)


def _by_number(number: int) -> str:
    return next((part for part, last in LAST.items() if number <= last), "")
