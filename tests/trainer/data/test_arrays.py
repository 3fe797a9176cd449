import io
import zipfile
from contextlib import suppress

import numpy as np
import pytest

from trainer.data import arrays, sheet
from trainer.data.arrays import to_pixels
from trainer.data.watch import Stopped, Watch
from vaemon.errors import DataNotFound


def _read(path, **options):
    return arrays.images(path, watch=Watch(), **options)


@pytest.fixture
def npz(tmp_path):
    def make(**named):
        np.savez(tmp_path / "images.npz", **named)
        return tmp_path / "images.npz"

    return make


@pytest.mark.parametrize(("train", "test"), [("train", "test"), ("x_train", "x_test")])
def test_an_npz_may_name_its_parts(train, test, npz, random_pixels):
    parts = random_pixels((5, 8, 8, 3)), random_pixels((2, 8, 8, 3), 1)
    images = _read(npz(**{train: parts[0], test: parts[1], "y_train": np.arange(5)}))
    assert np.array_equal(images.train, parts[0])
    assert np.array_equal(images.test, parts[1])


@pytest.mark.parametrize("ending", ["npy", "npz"])
def test_a_single_array_is_split_by_the_seed(ending, tmp_path, random_pixels):
    whole, path = random_pixels((40, 8, 8)), tmp_path / f"images.{ending}"
    (np.save if ending == "npy" else np.savez)(path, whole)
    images = _read(path, seed=4)
    assert (images.train.shape, images.test.shape) == ((36, 8, 8, 1), (4, 8, 8, 1))
    assert {each.tobytes() for each in (*images.train, *images.test)} == {each.tobytes() for each in whole}
    assert not np.array_equal(images.test, _read(path, seed=5).test)


@pytest.mark.parametrize(
    ("shape", "becomes"),
    [
        ((5, 8, 9), (5, 8, 9, 1)),
        ((5, 8, 9, 1), (5, 8, 9, 1)),
        ((5, 8, 9, 3), (5, 8, 9, 3)),
        ((5, 1, 8, 9), (5, 8, 9, 1)),
        ((5, 3, 8, 9), (5, 8, 9, 3)),
        ((5, 3, 8, 3), (5, 3, 8, 3)),
    ],
)
def test_channels_go_last(shape, becomes, random_pixels):
    assert to_pixels(random_pixels(shape), "here").shape == becomes


def test_channels_first_keeps_its_pixels(random_pixels):
    pixels = random_pixels((2, 3, 8, 9))
    assert to_pixels(pixels, "here")[1, 4, 5].tolist() == pixels[1, :, 4, 5].tolist()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_are_rounded_to_the_nearest_byte(dtype, monkeypatch):
    monkeypatch.setattr(arrays, "BLOCK", 3)
    bytes_ = np.arange(256, dtype=np.uint8).reshape(16, 4, 4)
    assert np.array_equal(to_pixels((bytes_ / 255).astype(dtype), "here")[..., 0], bytes_)
    assert to_pixels(np.full((2, 4, 4), 0.6 / 255, dtype), "here").max() == 1


def test_rounding_errors_of_others_are_forgiven():
    floats = np.array([1.0000001, -1e-9], np.float64).reshape(2, 1, 1)
    assert to_pixels(floats, "here").ravel().tolist() == [255, 0]


def test_truth_values_are_black_and_white():
    assert to_pixels(np.array([[[True]], [[False]]]), "here").ravel().tolist() == [255, 0]


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.full((2, 4, 4), 1.5), "holds floats from 1.5 to 1.5"),
        (np.linspace(-1, 1, 32).reshape(2, 4, 4), "holds floats from -1 to 1"),
        (np.full((2, 4, 4), np.nan), "holds floats from nan to nan"),
        (np.zeros((2, 4, 4), np.int64), "holds int64; images are bytes"),
        (np.zeros((2, 4, 4), complex), "holds complex128"),
        (np.ones((2, 4, 4), np.uint8), "holds bytes from 1 to 1, almost black; scale them"),
        (np.zeros((2, 4, 4, 4), np.uint8), r"has shape \(2, 4, 4, 4\); images are"),
        (np.zeros((6, 784), np.uint8), r"has shape \(6, 784\)"),
        (np.zeros((0, 4, 4), np.uint8), r"is empty: its shape is \(0, 4, 4, 1\)"),
    ],
)
def test_what_is_no_image_is_refused(array, said):
    with pytest.raises(DataNotFound, match=f"here {said}"):
        to_pixels(array, "here")


def test_the_part_at_fault_is_named(npz):
    path = npz(train=np.full((3, 4, 4), 9, np.uint8), test=np.full((3, 4, 4), 9.0))
    with pytest.raises(DataNotFound, match=r"images.npz \(test\) holds floats from 9 to 9"):
        _read(path)


def test_names_found_are_listed(npz):
    with pytest.raises(DataNotFound, match=r"single array in .*: found imgs, latents; say which"):
        _read(npz(imgs=np.zeros((2, 4, 4)), latents=np.zeros(2)))


def test_pickled_objects_are_refused(tmp_path):
    np.save(tmp_path / "objects.npy", np.array([{"a": 1}], dtype=object))
    with pytest.raises(DataNotFound, match=r"objects.npy cannot be read as a NumPy file of plain arrays"):
        _read(tmp_path / "objects.npy")


@pytest.mark.parametrize("save", [np.save, np.savez, np.savez_compressed])
def test_more_than_fits_in_memory_is_refused_before_it_is_read(save, tmp_path, monkeypatch):
    path = tmp_path / f"images.{'npy' if save is np.save else 'npz'}"
    with path.open("wb") as file:
        save(file, np.zeros((40, 32, 32), np.uint8))
    monkeypatch.setattr(sheet, "_memory", lambda: 40_000)
    with pytest.raises(DataNotFound, match=r"bytes of images do not fit in memory"):
        _read(path)


@pytest.mark.parametrize("content", [b"", b"hello, world", b"\x80\x04N."])
def test_other_files_are_refused(content, tmp_path):
    path = tmp_path / "images.npy"
    path.write_bytes(content)
    with pytest.raises(DataNotFound, match=r"images.npy is neither an .npy, an .npz nor an HDF5 file; give --data"):
        _read(path)


def test_a_zip_of_other_things_is_refused(tmp_path):
    path = tmp_path / "images.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("notes.txt", "hello")
    with pytest.raises(DataNotFound, match=r"images.npz has shape \(\); images are"):
        _read(path)


def test_a_damaged_file_is_an_error_wherever_the_damage(tmp_path, random_pixels):
    file = io.BytesIO()
    np.savez_compressed(file, random_pixels((6, 8, 8)))
    whole = file.getvalue()
    path = tmp_path / "images.npz"
    for length in range(2, len(whole), 7):
        path.write_bytes(whole[:length])
        with pytest.raises(DataNotFound, match=r"images.npz"):
            _read(path)


@pytest.mark.parametrize("at", range(10, 90))
def test_a_damaged_header_is_an_error_or_harmless(at, tmp_path, random_pixels):
    file = io.BytesIO()
    np.save(file, random_pixels((6, 8, 8)))
    content = bytearray(file.getvalue())
    content[at] = ord("(")
    path = tmp_path / "images.npy"
    path.write_bytes(content)
    with suppress(DataNotFound):
        assert _read(path).train.shape == (5, 8, 8, 1)


def test_a_folder_is_told_apart(tmp_path):
    (tmp_path / "a.npz").touch()
    with pytest.raises(DataNotFound, match=r"looked for an .npy, .npz or HDF5 file in .*: found a.npz"):
        _read(tmp_path)


def test_an_array_of_an_npz_may_be_named(npz, random_pixels):
    path = npz(faces=random_pixels((9, 8, 8)), cats=random_pixels((4, 8, 8), 1), labels=np.arange(9))
    assert len(_read(path, dataset="faces").train) == 8
    both = _read(path, dataset="faces, cats")
    assert (len(both.train), len(both.test)) == (9, 4)
    for name in ("dogs", "faces,dogs", "faces,cats,labels"):
        with pytest.raises(DataNotFound, match=r"looked for the array .*found faces, cats, labels; say which"):
            _read(path, dataset=name)


def test_an_npy_has_no_names(tmp_path, random_pixels):
    np.save(tmp_path / "images.npy", random_pixels((9, 8, 8)))
    with pytest.raises(DataNotFound, match=r"holds one array, without a name; leave out data.dataset=faces"):
        _read(tmp_path / "images.npy", dataset="faces")


@pytest.mark.parametrize("save", [np.save, np.savez, np.savez_compressed])
def test_reading_can_be_stopped(save, tmp_path, random_pixels):
    path = tmp_path / f"images.{'npy' if save is np.save else 'npz'}"
    with path.open("wb") as file:
        save(file, random_pixels((400, 32, 32, 3)))
    looks = []
    assert len(arrays.images(path, watch=Watch(stop=lambda: looks.append(0))).train) == 360
    assert len(looks) > 4
    asked = iter([False] * (len(looks) - 1) + [True] * 9)
    with pytest.raises(Stopped):
        arrays.images(path, watch=Watch(stop=lambda: next(asked)))
