"""Images as files: what is in them, that they are whole or not there, and that nothing of others is touched."""

import errno

import numpy as np
import pytest
from PIL import Image

from analysis.pictures import files
from analysis.pictures.files import check_place, write_images
from vaemon.errors import UsageError, VaemonError

SHAPE = (7, 5, 4, 3)


@pytest.fixture
def images():
    return np.random.default_rng(0).uniform(-0.1, 1.1, SHAPE).astype(np.float32)


def blocks(images, block=3):
    return (images[start : start + block] for start in range(0, len(images), block))


def names(folder):
    return sorted(each.name for each in folder.iterdir())


def test_pngs_are_rounded_and_clamped_never_truncated(images, tmp_path):
    images[0, 0, 0] = [0.9999, 127.6 / 255, 2.49 / 255]
    path = write_images(tmp_path / "out", blocks(images), SHAPE)
    assert names(path) == [f"{i:05d}.png" for i in range(7)]
    read = np.stack([np.asarray(Image.open(path / name)) for name in names(path)])
    assert read[0, 0, 0].tolist() == [255, 128, 2]
    np.testing.assert_array_equal(read, np.clip(np.floor(images * 255 + 0.5), 0, 255))
    assert names(tmp_path) == ["out"]


def test_grey_images(images, tmp_path):
    grey = images[..., :1]
    path = write_images(tmp_path / "out", blocks(grey), grey.shape)
    with Image.open(path / "00006.png") as found:
        assert found.mode == "L"


@pytest.mark.parametrize("suffix", [".npz", ".npy"])
def test_arrays_hold_what_they_were_given(images, tmp_path, suffix):
    path = write_images(tmp_path / f"out{suffix}", blocks(images), SHAPE)
    with path.open("rb") as file:
        found = np.load(file)
        found = found["images"] if suffix == ".npz" else found
    np.testing.assert_array_equal(found, images)
    assert found.dtype == np.float32


def test_a_grid_has_all_of_them(images, tmp_path):
    found = np.asarray(Image.open(write_images(tmp_path / "out.png", blocks(images), SHAPE)))
    assert found.shape == (3 * 5 + 2 * 2, 3 * 4 + 2 * 2, 3)
    np.testing.assert_array_equal(found[7:12, 6:10], np.rint(np.clip(images[4], 0, 1) * 255))
    assert (found[14:, 6:] == 255).all(), "where no image is left, it is white"


def test_an_empty_folder_is_a_place(images, tmp_path):
    (tmp_path / "out").mkdir()
    check_place(tmp_path / "out", False)
    assert len(names(write_images(tmp_path / "out", blocks(images), SHAPE))) == 7


def test_what_was_written_before_is_replaced_only_when_asked(images, tmp_path):
    for place in (tmp_path / "out", tmp_path / "out.npy", tmp_path / "out.png"):
        write_images(place, blocks(images), SHAPE)
        with pytest.raises(UsageError, match="--overwrite replaces it"):
            check_place(place, False)
        check_place(place, True)
        write_images(place, blocks(images[:2]), (2, *SHAPE[1:]), overwrite=True)
    assert names(tmp_path / "out") == ["00000.png", "00001.png"]
    assert names(tmp_path) == ["out", "out.npy", "out.png"]


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_with_other_files_is_left_alone(tmp_path, overwrite):
    (tmp_path / "00000.png").touch()
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(UsageError, match=r"other files \(thesis\.tex, …\), which are left alone"):
        check_place(tmp_path, overwrite)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("out.jpg", "to a folder"),
        ("file", "is a file, no folder"),
        ("folder.npz", "is a folder"),
        ("x.tar", "to a folder"),
    ],
)
def test_places_that_are_none(tmp_path, name, why):
    (tmp_path / "file").touch()
    (tmp_path / "folder.npz").mkdir()
    with pytest.raises(UsageError, match=why):
        check_place(tmp_path / name, True)


@pytest.mark.parametrize("place", ["out", "out.npy", "out.npz"])
def test_no_such_folder(images, tmp_path, place):
    with pytest.raises(VaemonError, match="No such file or directory; nothing was left there"):
        write_images(tmp_path / "nowhere" / place, blocks(images), SHAPE)


@pytest.mark.parametrize("before", [False, True])
def test_a_full_disk_leaves_nothing_but_what_was_there(images, tmp_path, monkeypatch, before):
    if before:
        write_images(tmp_path / "out", blocks(images), SHAPE)
    written = files._write_png

    def full(folder, pixels, number):
        if number == 5:
            raise OSError(errno.ENOSPC, "No space left on device")
        written(folder, pixels, number)

    monkeypatch.setattr(files, "_write_png", full)
    with pytest.raises(VaemonError, match=r"cannot write .*out: No space left on device; nothing was left there"):
        write_images(tmp_path / "out", blocks(images), SHAPE, overwrite=before)
    assert names(tmp_path) == (["out"] if before else [])
    assert not before or len(names(tmp_path / "out")) == 7


def test_other_files_that_come_while_images_are_made_are_left_alone(images, tmp_path):
    write_images(tmp_path / "out", blocks(images), SHAPE)

    def made():
        yield images[:3]
        (tmp_path / "out" / "thesis.tex").touch()

    with pytest.raises(UsageError, match=r"other files \(thesis\.tex, …\), which are left alone"):
        write_images(tmp_path / "out", made(), (3, *SHAPE[1:]), overwrite=True)
    assert names(tmp_path) == ["out"]
    assert len(names(tmp_path / "out")) == 8


def test_a_place_that_may_not_be_looked_at_is_told(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(files.os, "scandir", refuse)
    with pytest.raises(VaemonError, match=r"cannot write .*: Permission denied; nothing was left there"):
        check_place(tmp_path, False)


def test_what_was_there_before_is_put_back_where_the_new_cannot_take_its_place(images, tmp_path, monkeypatch):
    write_images(tmp_path / "out", blocks(images), SHAPE)
    rename = files.os.rename

    def refuse(before, after):
        if before.suffix == ".part":
            raise OSError(errno.EACCES, "Permission denied")
        rename(before, after)

    monkeypatch.setattr(files.os, "rename", refuse)
    with pytest.raises(VaemonError, match="Permission denied"):
        write_images(tmp_path / "out", blocks(images[:2]), (2, *SHAPE[1:]), overwrite=True)
    assert names(tmp_path) == ["out"]
    assert len(names(tmp_path / "out")) == 7


@pytest.mark.parametrize("place", ["out", "out.npy", "out.npz", "out.png"])
def test_what_fails_or_is_stopped_while_images_are_made_leaves_nothing(images, tmp_path, place):
    def stopped():
        yield images[:3]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_images(tmp_path / place, stopped(), SHAPE)
    assert names(tmp_path) == []
