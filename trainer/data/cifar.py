"""CIFAR-10 (Krizhevsky 2009): its three published archives, and the same images as picture files."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from trainer.data import matlab
from trainer.data.cache import Notes, cached
from trainer.data.decode import JPEG_ENDINGS, Fit, is_picture, through_jpeg, version
from trainer.data.gallery import gallery
from trainer.data.images import Images, Pixels, sides
from trainer.data.members import members, names
from trainer.data.missing import listing, missing
from trainer.data.sheet import Sheet
from trainer.data.unpickle import read_batch
from trainer.data.watch import Watch
from trainer.data.ways import Ways
from vaemon.errors import DataNotFound, UsageError

SIDE = 32
VALUES = 3 * SIDE * SIDE
TRAIN = tuple(f"data_batch_{i}" for i in range(1, 6))
TEST = "test_batch"
ADVICE = (
    "give --data cifar-10-python.tar.gz, cifar-10-matlab.tar.gz or cifar-10-binary.tar.gz "
    "(https://www.cs.toronto.edu/~kriz/cifar.html), its unpacked folder, or pictures as train/CLASS/NAME.jpg "
    "and test/CLASS/NAME.jpg"
)


def _python(data: bytes) -> Pixels:
    return np.asarray(read_batch(data)["data"])


def _binary(data: bytes) -> Pixels:
    """Records of one label and 3,072 values."""
    if len(data) % (1 + VALUES):
        raise ValueError(f"has {len(data):,} bytes, which is no multiple of {1 + VALUES:,}")
    return np.frombuffer(data, np.uint8).reshape(-1, 1 + VALUES)[:, 1:]


def _matlab(data: bytes) -> Pixels:
    return matlab.read_bytes(data, "data")


@dataclass(frozen=True, slots=True)
class Form:
    """One of the published archives."""

    title: str
    folder: str
    """What the archive unpacks to."""
    archive: str
    ending: str
    """Of its batches' file names."""
    read: Callable[[bytes], Pixels]
    """A batch's bytes -> (n, 3072) uint8: 1,024 red values row by row, then green, then blue."""


FORMS = (
    Form("Python version", "cifar-10-batches-py", "cifar-10-python.tar.gz", "", _python),
    Form("binary version", "cifar-10-batches-bin", "cifar-10-binary.tar.gz", ".bin", _binary),
    Form("MATLAB version", "cifar-10-batches-mat", "cifar-10-matlab.tar.gz", ".mat", _matlab),
)


def images(path: Path, ways: Ways, watch: Watch) -> Images:
    """Read CIFAR-10 in whichever form it lies there.

    Args:
        path: an archive, an unpacked archive, the folder that holds either, or a folder or archive of pictures.
        ways: how to read pictures.
        watch: shown how far it is.

    Returns:
        Train and test, (n, 32, 32, 3), in the published order (pictures: in the order of their names).

    Raises:
        DataNotFound: none of these, an incomplete or damaged one, or pictures of another size.
        UsageError: a JPEG round trip is asked for of JPEG pictures.
        Stopped: the watch said so.
    """
    path = _downloaded(path)
    form, place = _form(path)
    if form is None:
        return _pictures(path, ways, watch)
    return _through_jpeg(path, form, place, watch) if ways.jpeg_roundtrip else _published(path, form, place, watch)


def _downloaded(path: Path) -> Path:
    """The archive in a folder of downloads; the path itself where it is no such folder."""
    inside = [path / name for form in FORMS for name in (form.folder, form.archive)]
    return next((each for each in inside if each.exists()), path)


def _form(path: Path) -> tuple[Form | None, PurePosixPath]:
    """The form of the first batch found and the folder it lies in; None for pictures."""
    seen = []
    for name in names(path):
        seen.append(name)
        for form in FORMS:
            at = PurePosixPath(name)
            if at.name in {batch + form.ending for batch in (*TRAIN, TEST)}:
                return form, at.parent
        if is_picture(name):
            return None, PurePosixPath()
    raise missing("CIFAR-10", path, ADVICE, seen)


def _published(path: Path, form: Form, place: PurePosixPath, watch: Watch) -> Images:
    wanted = {str(place / (batch + form.ending)): batch for batch in (*TRAIN, TEST)}
    found: dict[str, Pixels] = {}
    for member in members(path, wanted.__contains__):
        watch.tell("reading", len(found), len(wanted))
        try:
            found[wanted[member.name]] = _upright(form.read(member.read()))
        except (ValueError, KeyError) as error:
            raise DataNotFound(f"{path}: {member.name} is not a batch of CIFAR-10's {form.title}: {error}") from error
    lacking = [batch + form.ending for batch in (*TRAIN, TEST) if batch not in found]
    if lacking:
        raise missing(f"all of CIFAR-10's {form.title}, but it lacks {listing(lacking)},", path, ADVICE, sorted(found))
    train = np.concatenate([found.pop(batch) for batch in TRAIN])
    return Images(train, found[TEST], f"CIFAR-10 ({form.title}) from {path}")


def _through_jpeg(path: Path, form: Form, place: PurePosixPath, watch: Watch) -> Images:
    """The published images after a JPEG round trip, which takes long enough to be kept."""

    def build(sheet: Sheet) -> Notes:
        images = _published(path, form, place, watch)
        parts = {"train": images.train, "test": images.test}
        sheet.allocate({part: len(pixels) for part, pixels in parts.items()}, images.train.shape[1:])
        done, total = 0, len(images.train) + len(images.test)
        for part, pixels in parts.items():
            for row, image in enumerate(pixels):
                sheet.write(part, row, through_jpeg(image))
                done += 1
                watch.tell("to JPEG and back", done, total)
        return {}

    kept = cached(path, f"cifar10 {form.title} jpeg {version()}", build, watch).parts
    return Images(kept["train"], kept["test"], f"CIFAR-10 ({form.title}) from {path}, through JPEG and back")


def _upright(rows: Pixels) -> Pixels:
    """(n, 3072) by colour, row and column -> (n, 32, 32, 3)."""
    if rows.dtype != np.uint8 or rows.ndim != 2 or rows.shape[1] != VALUES:
        raise ValueError(f"its data are {rows.dtype} {rows.shape}, not uint8 (n, {VALUES:,})")
    return np.ascontiguousarray(rows.reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1))


def _pictures(path: Path, ways: Ways, watch: Watch) -> Images:
    if ways.jpeg_roundtrip:
        _refuse_jpeg(path, watch)
    fit = Fit(colour=ways.colour, jpeg=ways.jpeg_roundtrip)
    found = gallery(path, fit, watch, skip_bad=ways.skip_bad)
    if found.train.shape[1:] != (SIDE, SIDE, 3):
        raise DataNotFound(
            f"{path}: expected pictures of {SIDE} × {SIDE} × 3, found {sides(found.train.shape[1:])}; {ADVICE}"
        )
    if not len(found.test):
        raise DataNotFound(f"{path}: expected pictures in train/ and test/, found no such division; {ADVICE}")
    through = ", through JPEG and back" if ways.jpeg_roundtrip else ""
    return Images(found.train, found.test, f"CIFAR-10 (pictures) from {path}{through}{found.note}")


def _refuse_jpeg(path: Path, watch: Watch) -> None:
    for name in names(path):
        watch.look()
        if name.lower().endswith(JPEG_ENDINGS):
            raise UsageError(
                f"{path} holds JPEG pictures ({name}): they have been through JPEG once, as the published protocol "
                "wants it, and a second time would make others of them; leave out --jpeg-roundtrip"
            )
