"""What is wrong with somebody's pictures, as `vaemon train` tells it: one error, with the file and what to do."""

import struct
import zlib

import numpy as np
import pytest

from trainer.data import decode as room
from trainer.data.load import NAMES, load
from trainer.data.ways import Ways
from trainer.images import check_batches, check_same_images, fingerprint, load_images
from vaemon.errors import DataNotFound, UsageError


@pytest.fixture
def good(encode):
    """Twenty small pictures in colour, {name: bytes}."""
    return {f"{i:02}.png": encode(np.full((8, 8, 3), i, np.uint8)) for i in range(20)}


@pytest.fixture(params=["folder", "tar", "zip"])
def pack(request, write_folder, write_tar, write_zip):
    """The same files as a folder, a tar or a zip."""
    return {"folder": write_folder, "tar": write_tar, "zip": write_zip}[request.param]


def _bomb(width, height):
    """A PNG of 57 bytes that promises so many pixels."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">II", width, height) + bytes([8, 2, 0, 0, 0])
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def _load(path, **ways):
    return load("folder", path, size=0, seed=0, ways=Ways(**ways))


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (b"", "bad.jpg: is no picture of a known format"),
        (b"<html>404</html>", "is no picture of a known format"),
        ("cut", "truncated"),
        (_bomb(60_000, 60_000), "pixels"),
        (_bomb(9_000, 9_000), "is 9,000 × 9,000, more than the 67,108,864 pixels that are decoded"),
    ],
)
def test_a_bad_picture_is_named_and_counted_and_skipped_on_request(bad, why, good, encode, random_pixels, pack):
    whole = encode(random_pixels((8, 8, 3)), "JPEG")
    path = pack(good | {"sub/bad.jpg": whole[:-20] if bad == "cut" else bad})
    with pytest.raises(DataNotFound) as told:
        _load(path)
    assert f"{path}: 1 of 21 pictures cannot be read (sub/bad.jpg: " in str(told.value)
    assert why in str(told.value)
    assert "--skip-bad" in str(told.value)
    images = _load(path, skip_bad=True)
    assert len(images.train) + len(images.test) == 20
    assert "1 unreadable skipped: sub/bad.jpg" in images.source


def test_many_bad_pictures_are_counted_and_the_first_are_named(good, pack):
    path = pack(good | {f"bad{i:03}.png": b"x" for i in range(100)})
    with pytest.raises(DataNotFound, match=r"100 of 120 pictures cannot be read \(bad000.png: .*bad007.png: .*, …\)"):
        _load(path)


def test_an_odd_size_is_named(good, encode, pack):
    path = pack(good | {"odd.png": encode(np.zeros((9, 4, 3), np.uint8))})
    with pytest.raises(
        UsageError, match=rf"in {path} differ in size: odd.png is 4 × 9, but 00.png is 8 × 8; .*data.size"
    ):
        _load(path)


def test_a_grey_picture_among_colours_is_named(good, encode, pack):
    path = pack(good | {"grey.png": encode(np.zeros((8, 8), np.uint8))})
    with pytest.raises(UsageError, match=r"grey.png is grey, but 00.png is in colour; --set data.colour=rgb makes"):
        _load(path)
    assert _load(path, colour="rgb").train.shape[1:] == (8, 8, 3)


def test_a_file_that_may_not_be_read_is_a_bad_picture_too(good, write_folder, monkeypatch):
    folder = write_folder(good)
    opened = open

    def refuse(path, *more, **options):
        if str(path).endswith("03.png"):
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *more, **options)

    monkeypatch.setattr("builtins.open", refuse)
    monkeypatch.setattr("io.open", refuse)
    with pytest.raises(DataNotFound, match=r"1 of 20 pictures cannot be read \(03.png: .*Permission denied"):
        _load(folder)
    images = _load(folder, skip_bad=True)
    assert len(images.train) + len(images.test) == 19


def test_an_absurdly_large_file_is_a_bad_picture_too(good, pack, monkeypatch):
    monkeypatch.setattr("trainer.data.members.LARGEST", 500)
    path = pack(good | {"huge.png": bytes(501)})
    with pytest.raises(DataNotFound, match=r"1 of 21 pictures cannot be read \(huge.png: has 501 bytes; files above"):
        _load(path)
    assert "1 unreadable skipped: huge.png" in _load(path, skip_bad=True).source


@pytest.mark.parametrize("name", ["cifar10", "celeba"])
def test_named_datasets_tell_it_too(name, encode, write_folder):
    side = (218, 178, 3) if name == "celeba" else (32, 32, 3)
    numbers = {"train": 1, "test": 200_000}
    files = {f"{part}/{number:06}.png": encode(np.zeros(side, np.uint8)) for part, number in numbers.items()}
    path = write_folder(files | {"train/000002.png": b"bad", "test/200001.png": files["test/200000.png"]})
    with pytest.raises(DataNotFound, match=r"1 of 4 pictures cannot be read \(train/000002.png: .*--skip-bad"):
        load(name, path, size=0, seed=0)
    assert len(load(name, path, size=0, seed=0, ways=Ways(skip_bad=True)).train) == 1
    assert name in NAMES


def test_the_limit_of_pixels_is_checked_before_any_is_decoded(monkeypatch, encode, random_pixels):
    data = encode(random_pixels((8, 8, 3)))
    room.decode(data)
    monkeypatch.setattr(room, "MOST_PIXELS", 63)
    with pytest.raises(room.Unreadable, match=r"is 8 × 8, more than the 63 pixels"):
        room.decode(data)


def test_too_few_images_for_a_batch_are_told_with_their_place(good, write_folder, tiny):
    path = write_folder(good)
    settings = ("data=folder", f"data.path={path}", "data.size=8", "stage1.batch=19")
    config = tiny(*settings, "stage2.batch=100")
    with pytest.raises(UsageError) as told:
        check_batches(config, load_images(config))
    said = str(told.value)
    assert str(path) in said
    assert "too few training images for stage1.batch=19 and stage2.batch=100" in said
    assert "--set stage1.batch=18 --set stage2.batch=18 or less" in said
    for enough in (("stage1.batch=18", "stage2.batch=18"), ("stage1.batch=18", "stage2.enabled=false")):
        config = tiny(*settings[:3], *enough)
        check_batches(config, load_images(config))


def test_images_that_changed_since_a_run_began_are_told_and_others_in_number_refused(good, encode, write_folder):
    path = write_folder(good)
    before = fingerprint(_load(path))
    assert (before["train"], before["test"]) == (18, 2)
    assert check_same_images(before, _load(path)) == ""
    assert check_same_images(None, _load(path)) == ""
    write_folder({"03.png": encode(np.full((8, 8, 3), 99, np.uint8))})
    assert "not the images that the run began with, though as many" in check_same_images(before, _load(path))
    write_folder({"new.png": good["04.png"]})
    with pytest.raises(UsageError, match=r"began with 18 \+ 2 images, .* put them back, or begin a new run"):
        check_same_images(before, _load(path))
