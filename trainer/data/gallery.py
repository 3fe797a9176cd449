"""The pictures of a folder or an archive as arrays: divided into train and test, and kept in the cache."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from trainer.data.cache import Notes, cached
from trainer.data.decode import Fit, is_picture, version
from trainer.data.images import Pixels
from trainer.data.members import members, names
from trainer.data.missing import listing, missing
from trainer.data.pictures import decode_each, quietly
from trainer.data.sheet import Sheet
from trainer.data.watch import Watch
from vaemon.errors import DataNotFound, UsageError

ADVICE = "give --data a folder, a tar or a zip with png, jpg, webp … files"
PARTS = ("train", "test")
"""Folders that divide pictures, wherever both stand side by side."""


@dataclass(frozen=True, slots=True)
class Divided:
    """Pictures divided into train and test."""

    part: Mapping[str, str]
    """By the name of each: train, test, one that is left out, or, for all of them, ""."""
    by: str = ""
    """By what they were divided, in words; empty where that goes without saying."""


Division = Callable[[Iterable[str]], Divided]


@dataclass(frozen=True, eq=False, slots=True)
class Gallery:
    """The pictures of a folder or archive, in the order of their names."""

    train: Pixels
    """(n, H, W, C); all pictures where the source is not divided."""
    test: Pixels
    """(m, H, W, C); m = 0 where the source is not divided."""
    unreadable: dict[str, str]
    """Pictures that are left out since they cannot be read, and why."""
    left_out: int
    """Pictures that belong neither to train nor to test."""
    divided: str
    """By what they were divided, in words."""

    @property
    def note(self) -> str:
        """What was passed over, in words; empty where nothing was."""
        notes = []
        if self.unreadable:
            notes.append(f"{len(self.unreadable):,} unreadable skipped: {listing(self.unreadable)}")
        if self.left_out:
            notes.append(f"{self.left_out:,} outside train and test left out")
        return f" ({'; '.join(notes)})" if notes else ""


def divide(pictures: Iterable[str]) -> Divided:
    """The part that each name belongs to: "train" and "test" by the folders of that name, "" elsewhere.

    The folders count only where both stand side by side, nearest to the top; so a class `train/` beside
    `boat/` divides nothing.
    """
    folders = {name: tuple(part.lower() for part in PurePosixPath(name).parts[:-1]) for name in pictures}
    places = [{at[:i] for at in folders.values() for i, each in enumerate(at) if each == part} for part in PARTS]
    top = min(set.intersection(*places), key=lambda place: (len(place), place), default=None)
    return Divided({name: "" if top is None else _part(at, top) for name, at in folders.items()})


def _part(at: tuple[str, ...], top: tuple[str, ...]) -> str:
    below = at[len(top) : len(top) + 1] if at[: len(top)] == top else ()
    return below[0] if below and below[0] in PARTS else ""


def gallery(
    path: Path, fit: Fit, watch: Watch, *, skip_bad: bool = False, division: Division = divide, recipe: str = "folders"
) -> Gallery:
    """Every picture of a folder or archive.

    Args:
        path: the folder or archive.
        fit: how they come to be of one shape.
        watch: shown how far it is.
        skip_bad: leave out those that cannot be read.
        division: into train and test.
        recipe: tells this division from others of the same pictures.

    Raises:
        DataNotFound: no readable picture, one that cannot be read, a damaged archive, or train and test of which one
            has no picture.
        UsageError: pictures of several sizes or colours, or more than fit in memory and on the disk.
        OSError: the path cannot be read.
        Stopped: the watch said so.
    """
    kept = cached(path, f"{recipe} {fit} {version()}", _Builder(path, fit, watch, division), watch)
    found = Gallery(kept.parts["train"], kept.parts["test"], **kept.notes)
    if found.unreadable and not skip_bad:
        _refuse_bad(path, found)
    return found


def _refuse_bad(path: Path, found: Gallery) -> None:
    bad = len(found.unreadable)
    raise DataNotFound(
        f"{path}: {bad:,} of {bad + len(found.train) + len(found.test):,} pictures cannot be read "
        f"({_reasons(found.unreadable)}); "
        "mend or remove them, or leave them out with --skip-bad"
    )


@dataclass(frozen=True, slots=True)
class _Builder:
    """Decodes the pictures into a sheet."""

    path: Path
    fit: Fit
    watch: Watch
    division: Division

    def __call__(self, sheet: Sheet) -> Notes:
        parts, left_out, by = self._divided()
        wanted = {name: (part, row) for part, chosen in parts.items() for row, name in enumerate(chosen)}
        bad = self._decode(parts, wanted, sheet)
        for part, chosen in parts.items():
            if chosen and bad.keys() >= set(chosen):
                raise DataNotFound(f"{self.path}: there is no readable picture in {part} ({_reasons(bad)})")
            sheet.keep(part, [row for row, name in enumerate(chosen) if name not in bad])
        return {"unreadable": dict(sorted(bad.items())), "left_out": left_out, "divided": by}

    def _divided(self) -> tuple[dict[str, list[str]], int, str]:
        """Names of the pictures to decode, by part and sorted; how many others there are; by what they were divided."""
        pictures = set()
        for name in names(self.path):
            self.watch.look()
            if is_picture(name):
                pictures.add(name)
        if not pictures:
            raise missing("pictures", self.path, ADVICE, names(self.path))
        division = self.division(pictures)
        part = division.part
        whole = not any(part.values())
        parts = {
            "train": sorted(name for name in pictures if whole or part[name] == "train"),
            "test": sorted(name for name in pictures if part[name] == "test"),
        }
        return parts, len(pictures) - sum(map(len, parts.values())), division.by

    def _decode(self, parts: dict[str, list[str]], wanted: dict[str, tuple[str, int]], sheet: Sheet) -> dict[str, str]:
        """Fill the sheet; the names of those that cannot be read, and why."""
        bad: dict[str, str] = {}
        first: tuple[str, Pixels] | None = None
        found_members = members(self.path, wanted.__contains__)
        with quietly(), closing(decode_each(found_members, self.fit)) as decoded:
            for done, (name, found) in enumerate(decoded, start=1):
                self.watch.tell("decoding", min(done, len(wanted)), len(wanted))
                if isinstance(found, str):
                    bad[name] = found
                    continue
                if first is None:
                    first = name, found
                    shape = found.shape if found.ndim == 3 else (*found.shape, 1)
                    sheet.allocate({part: len(chosen) for part, chosen in parts.items()}, shape)
                _refuse_odd(self.path, name, found, *first)
                sheet.write(*wanted[name], found if found.ndim == 3 else found[..., None])
        if first is None:
            raise missing(
                f"readable pictures (of {len(bad):,} found none can be read: {_reasons(bad)})",
                *(self.path, ADVICE, names(self.path)),
            )
        return bad


def _reasons(bad: dict[str, str]) -> str:
    return listing(f"{name}: {why}" for name, why in bad.items())


def _refuse_odd(path: Path, name: str, pixels: Pixels, first: str, model: Pixels) -> None:
    if pixels.shape[:2] != model.shape[:2]:
        raise UsageError(
            f"the pictures in {path} differ in size: {name} is {_sides(pixels)}, but {first} is {_sides(model)}; "
            "cut and resize all to squares with --set data.size=N"
        )
    if pixels.ndim != model.ndim:
        raise UsageError(
            f"the pictures in {path} differ in colour: {name} is {_colour(pixels)}, but {first} is {_colour(model)}; "
            "--set data.colour=rgb makes three channels of all, --set data.colour=grey one"
        )


def _colour(pixels: Pixels) -> str:
    return "in colour" if pixels.ndim == 3 else "grey"


def _sides(pixels: Pixels) -> str:
    """Width and height, as people name them."""
    return f"{pixels.shape[1]} × {pixels.shape[0]}"
