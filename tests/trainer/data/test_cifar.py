import io
import os
import pickle

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from trainer.data import cifar
from trainer.data.cifar import TEST, TRAIN
from trainer.data.decode import through_jpeg
from trainer.data.watch import Watch
from trainer.data.ways import Ways
from vaemon.errors import DataNotFound, UsageError

BATCHES = (*TRAIN, TEST)


def _read(path, **ways):
    return cifar.images(path, Ways(**ways), Watch())


def _rows(pixels):
    """(n, 32, 32, 3) -> (n, 3072), by colour, row and column, as published."""
    return np.stack([np.concatenate([each[..., colour].ravel() for colour in range(3)]) for each in pixels])


@pytest.fixture
def pixels(random_pixels):
    """Images by batch: two in each."""
    return {batch: random_pixels((2, 32, 32, 3), seed) for seed, batch in enumerate(BATCHES)}


@pytest.fixture
def archives(pixels, python_two_batch):
    """{form: {name: bytes}} of the three published archives, labels and by-files included."""

    def mat(rows):
        file = io.BytesIO()
        savemat(file, {"batch_label": "a batch", "data": rows, "labels": np.zeros((len(rows), 1), np.uint8)})
        return file.getvalue()

    def binary(rows):
        return b"".join(bytes([i % 10]) + row.tobytes() for i, row in enumerate(rows))

    forms = {"py": ("", python_two_batch), "bin": (".bin", binary), "mat": (".mat", mat)}
    return {
        form: {f"cifar-10-batches-{form}/readme.html": b"<html>", f"cifar-10-batches-{form}/batches.meta": b"labels"}
        | {f"cifar-10-batches-{form}/{batch}{ending}": make(_rows(pixels[batch])) for batch in BATCHES}
        for form, (ending, make) in forms.items()
    }


def _is_read(images, pixels):
    assert np.array_equal(images.train, np.concatenate([pixels[batch] for batch in TRAIN]))
    assert np.array_equal(images.test, pixels[TEST])


FORMS = [("py", "Python version"), ("bin", "binary version"), ("mat", "MATLAB version")]


@pytest.mark.parametrize(("form", "title"), FORMS)
def test_a_published_archive_is_read(form, title, archives, pixels, write_tar):
    images = _read(write_tar(archives[form], "cifar.tar.gz", "w:gz"))
    _is_read(images, pixels)
    assert images.source.startswith(f"CIFAR-10 ({title}) from ")


@pytest.mark.parametrize(("form", "_"), FORMS)
@pytest.mark.parametrize("inside", [True, False])
def test_an_unpacked_archive_is_read(form, _, inside, archives, pixels, write_folder):
    folder = write_folder(archives[form])
    _is_read(_read(folder / f"cifar-10-batches-{form}" if inside else folder), pixels)


def test_an_archive_is_found_in_the_folder_of_downloads(archives, pixels, write_tar, tmp_path):
    write_tar(archives["bin"], "cifar-10-binary.tar.gz", "w:gz")
    (tmp_path / "mnist").mkdir()
    _is_read(_read(tmp_path), pixels)


@pytest.mark.parametrize("kind", ["folder", "tar"])
def test_pictures_are_read(kind, pixels, encode, write_folder, write_tar):
    files = {
        f"{'test' if batch == TEST else 'train'}/cat/{batch}{i}.png": encode(image)
        for batch in BATCHES
        for i, image in enumerate(pixels[batch])
    }
    path = write_folder(files) if kind == "folder" else write_tar(files, "cifar.tar.xz", "w:xz")
    _is_read(_read(path), pixels)


@pytest.mark.parametrize(("form", "_"), FORMS)
def test_a_missing_batch_is_named(form, _, archives, write_tar):
    files = {name: data for name, data in archives[form].items() if "data_batch_3" not in name}
    with pytest.raises(
        DataNotFound, match=r"it lacks data_batch_3\S*, in .*: found data_batch_1, data_batch_2, data_batch_4"
    ):
        _read(write_tar(files, "cifar.tar.gz", "w:gz"))


@pytest.mark.parametrize(("form", "title"), FORMS)
def test_a_cut_batch_is_named(form, title, archives, write_folder):
    files = archives[form]
    name = next(name for name in files if "data_batch_2" in name)
    files[name] = files[name][:4000]
    with pytest.raises(DataNotFound, match=rf"data_batch_2\S* is not a batch of CIFAR-10's {title}: "):
        _read(write_folder(files))


@pytest.mark.parametrize("form", ["py", "mat"])
def test_a_batch_of_other_images_is_refused(form, archives, python_two_batch, write_folder):
    rows, file = np.full((2, 1024), 7, np.uint8), io.BytesIO()
    savemat(file, {"data": rows})
    name = next(name for name in archives[form] if TEST in name)
    files = archives[form] | {name: python_two_batch(rows) if form == "py" else file.getvalue()}
    with pytest.raises(DataNotFound, match=r"its data are uint8 \(2, 1024\), not uint8 \(n, 3,072\)"):
        _read(write_folder(files))


def test_a_batch_without_images_is_refused(archives, write_folder):
    for held in ({"labels": [1]}, {"data": "text"}):
        files = archives["py"] | {"cifar-10-batches-py/data_batch_1": pickle.dumps(held, 2)}
        with pytest.raises(DataNotFound, match="data_batch_1 is not a batch of CIFAR-10's Python version"):
            _read(write_folder(files))


def test_a_pickle_that_calls_is_refused(archives, write_folder, tmp_path):
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "made"),)

    files = archives["py"] | {"cifar-10-batches-py/data_batch_1": pickle.dumps({"data": Evil()}, 2)}
    with pytest.raises(DataNotFound, match=r"asks for posix.mkdir, which images do not need; it was not called"):
        _read(write_folder(files))
    assert not (tmp_path / "made").exists()


def test_pictures_of_another_size_are_refused(encode, random_pixels, write_folder):
    files = {f"{part}/a.png": encode(random_pixels((28, 28))) for part in ("train", "test")}
    with pytest.raises(DataNotFound, match="expected pictures of 32 × 32 × 3, found 28 × 28 × 1"):
        _read(write_folder(files))


def test_pictures_without_a_division_are_refused(encode, random_pixels, write_folder):
    files = {f"{i}.png": encode(random_pixels((32, 32, 3))) for i in range(3)}
    with pytest.raises(DataNotFound, match=r"expected pictures in train/ and test/, found no such division"):
        _read(write_folder(files))


def test_what_was_found_is_listed(write_tar):
    with pytest.raises(
        DataNotFound, match=r"looked for CIFAR-10 in .*: found cifar-100-python/meta, cifar-100-python/test"
    ):
        _read(write_tar({f"cifar-100-python/{name}": b"x" for name in ("meta", "test", "train")}))


def _by_hand(image):
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=75, subsampling=2)
    return np.asarray(Image.open(file))


@pytest.mark.parametrize(("form", "title"), FORMS)
def test_a_published_archive_goes_through_jpeg(form, title, archives, pixels, write_tar, monkeypatch):
    path = write_tar(archives[form], "cifar.tar.gz", "w:gz")
    plain = _read(path)
    expected = {batch: np.stack([_by_hand(image) for image in images]) for batch, images in pixels.items()}
    for _ in ("made", "from the cache"):
        images = _read(path, jpeg_roundtrip=True)
        _is_read(images, expected)
        assert images.source == f"CIFAR-10 ({title}) from {path}, through JPEG and back"
        monkeypatch.setattr(cifar, "through_jpeg", None)
    _is_read(plain, pixels)
    _is_read(_read(path), pixels)


def test_the_round_trip_is_pillows_own_default(random_pixels):
    file = io.BytesIO()
    Image.fromarray(random_pixels((32, 32, 3))).save(file, "JPEG")  # as the published code writes it
    assert np.array_equal(through_jpeg(random_pixels((32, 32, 3))), np.asarray(Image.open(file)))


def test_other_pictures_go_through_jpeg_and_jpegs_do_not_go_twice(pixels, encode, write_folder):
    files = {
        f"{'test' if batch == TEST else 'train'}/{batch}{i}": image
        for batch in BATCHES
        for i, image in enumerate(pixels[batch])
    }
    png = write_folder({f"{name}.png": encode(image) for name, image in files.items()}, "png")
    jpg = write_folder({f"{name}.jpg": encode(image, "JPEG") for name, image in files.items()}, "jpg")
    once, stored = _read(png, jpeg_roundtrip=True), _read(jpg)
    assert np.array_equal(once.train, stored.train)
    assert np.array_equal(once.test, stored.test)
    assert "through JPEG and back" in once.source
    with pytest.raises(
        UsageError, match=r"holds JPEG pictures \(test/test_batch0.jpg\): they have been through JPEG once"
    ):
        _read(jpg, jpeg_roundtrip=True)
    disguised = write_folder({f"{name}.png": encode(image, "JPEG") for name, image in files.items()}, "disguised")
    with pytest.raises(DataNotFound, match="is JPEG already, whatever its name says; leave out --jpeg-roundtrip"):
        _read(disguised, jpeg_roundtrip=True)
