import errno
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from analysis.features.images import arrays_set, image_set, made_set
from analysis.features.recipes import BLOCK
from trainer.data.watch import Watch
from vaemon.errors import DataNotFound

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (BLOCK + 6, 8, 8, 3), dtype=np.uint8)


def read(found, wanted=lambda block: True):
    return list(found.read(wanted))


def write_pictures(folder, images):
    folder.mkdir()
    for number, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{number:04d}.png")


def test_pictures_of_a_folder_and_of_a_zip(tmp_path):
    write_pictures(tmp_path / "pictures", IMAGES)
    with zipfile.ZipFile(tmp_path / "pictures.zip", "w") as archive:
        for picture in (tmp_path / "pictures").iterdir():
            archive.write(picture, picture.name)
    for path in (tmp_path / "pictures", tmp_path / "pictures.zip"):
        found = image_set(path, Watch())
        assert found.count == len(IMAGES)
        (zero, first), (one, second) = read(found)
        assert (zero, one) == (0, 1)
        np.testing.assert_array_equal(np.concatenate([*first, *second]), IMAGES)
        ((number, block),) = read(found, lambda block: block == 1)
        assert number == 1
        np.testing.assert_array_equal(block[0], IMAGES[BLOCK:])


def test_the_key_is_of_the_content(tmp_path):
    for name in ("one", "other"):
        write_pictures(tmp_path / name, IMAGES[:3])
    keys = [image_set(tmp_path / name, Watch()).key for name in ("one", "other")]
    Image.fromarray(IMAGES[5]).save(tmp_path / "other" / "0001.png")
    assert keys[0] == keys[1] != image_set(tmp_path / "other", Watch()).key


def test_sizes_and_colours_may_be_mixed(tmp_path):
    write_pictures(tmp_path / "mixed", [IMAGES[0], IMAGES[1], IMAGES[2][:5], IMAGES[3][..., 0]])
    ((_, block),) = read(image_set(tmp_path / "mixed", Watch()))
    assert [part.shape for part in block] == [(2, 8, 8, 3), (1, 5, 8, 3), (1, 8, 8, 1)]


def test_a_picture_that_cannot_be_read_is_named(tmp_path):
    write_pictures(tmp_path / "bad", IMAGES[:3])
    (tmp_path / "bad" / "0001.png").write_bytes(b"no picture")
    with pytest.raises(DataNotFound, match=r"0001\.png cannot be read"):
        read(image_set(tmp_path / "bad", Watch()))


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_arrays_in_a_file(tmp_path, suffix):
    path = tmp_path / f"images{suffix}"
    (np.save if suffix == ".npy" else np.savez)(path, IMAGES.transpose(0, 3, 1, 2))
    blocks = read(image_set(path, Watch()))
    np.testing.assert_array_equal(np.concatenate([part for _, block in blocks for part in block]), IMAGES)


def test_several_arrays_are_no_images(tmp_path):
    np.savez(tmp_path / "two.npz", a=IMAGES, b=IMAGES)
    with pytest.raises(DataNotFound, match="nothing says which are the images"):
        image_set(tmp_path / "two.npz", Watch())


@pytest.mark.parametrize(
    ("value", "said"), [(np.nan, "NaN"), (np.inf, "inf"), (1.5, r"0 to 1\.5"), (-0.5, r"-0\.5 to 0")]
)
def test_floats_that_are_no_images_are_refused(value, said):
    images = np.zeros((BLOCK + 2, 4, 4, 1))
    images[-1, 0, 0] = value
    found = arrays_set("set", "", images)
    with pytest.raises(DataNotFound, match=f"images from {BLOCK}: .*{said}"):
        read(found)


@pytest.mark.parametrize(
    "images", [np.zeros((2, 4, 4, 2), np.uint8), np.zeros((2, 4), np.uint8), np.zeros((2, 4, 4), int)]
)
def test_arrays_that_are_no_images_are_refused(images):
    with pytest.raises(DataNotFound, match="images are"):
        arrays_set("set", "", images)


def test_what_is_made_in_any_blocks_is_cut_into_those_of_64():
    images = RNG.random((3 * BLOCK, 4, 4, 1)).astype(np.float32)
    found = made_set("made", "key", 2 * BLOCK + 9, lambda: np.array_split(images, 7))
    blocks = read(found, lambda block: block != 1)
    assert [number for number, _ in blocks] == [0, 2]
    np.testing.assert_array_equal(blocks[1][1][0], images[2 * BLOCK : 2 * BLOCK + 9])


def test_what_may_not_be_read_is_said(tmp_path, monkeypatch):
    """Permissions are nothing to root, who may be the one that tests: what opens files refuses in their place."""
    write_pictures(tmp_path / "pictures", IMAGES[:3])
    np.save(tmp_path / "images.npy", IMAGES)

    def refuse(path, *_, **__):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    found = image_set(tmp_path / "pictures", Watch())
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(DataNotFound, match=r"cannot read .*images\.npy: Permission denied"):
        image_set(tmp_path / "images.npy", Watch())
    monkeypatch.setattr(os, "scandir", refuse)
    for read_now in (lambda: image_set(tmp_path / "pictures", Watch()), lambda: read(found)):
        with pytest.raises(DataNotFound, match=r"cannot read .*pictures: Permission denied"):
            read_now()


def test_what_is_not_there_is_said(tmp_path):
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "none", tmp_path / "empty"):
        with pytest.raises(DataNotFound, match="give a folder, a tar or a zip of pictures"):
            image_set(path, Watch())
    (tmp_path / "bad.npy").write_bytes(b"\x93NUMPY damaged")
    with pytest.raises(DataNotFound, match="cannot be read as a NumPy file"):
        image_set(tmp_path / "bad.npy", Watch())
