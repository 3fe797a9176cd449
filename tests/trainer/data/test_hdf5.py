import h5py
import numpy as np
import pytest

from trainer.data import arrays, hdf5, sheet
from trainer.data.watch import Stopped, Watch
from vaemon.errors import DataNotFound


@pytest.fixture
def write(tmp_path):
    """An HDF5 file with datasets {path: array}."""

    def make(named, name="images.h5", **options):
        with h5py.File(tmp_path / name, "w") as file:
            for at, array in named.items():
                file.create_dataset(at, data=array, **options)
        return tmp_path / name

    return make


def _read(path, dataset="", seed=0):
    return arrays.images(path, seed=seed, dataset=dataset, watch=Watch())


@pytest.mark.parametrize("options", [{}, {"chunks": (3, 8, 8, 3), "compression": "gzip"}])
@pytest.mark.parametrize("place", ["", "data/cats/"])
def test_train_and_test_are_found(place, options, write, random_pixels, monkeypatch):
    monkeypatch.setattr(hdf5, "BLOCK", 1000)
    train, test = random_pixels((11, 8, 8, 3)), random_pixels((4, 8, 8, 3), 1)
    images = _read(write({f"{place}train": train, f"{place}test": test, "other/many": train}, **options))
    assert np.array_equal(images.train, train)
    assert np.array_equal(images.test, test)


def test_the_only_one_of_the_shape_of_images_is_taken(write, random_pixels):
    path = write({"a/faces": random_pixels((20, 8, 8)), "labels": np.arange(20), "codes": np.zeros((20, 64))})
    images = _read(path, seed=3)
    assert (len(images.train), len(images.test)) == (18, 2)
    assert not np.array_equal(images.test, _read(path, seed=4).test)


def test_of_several_one_is_named_or_two(write, random_pixels):
    path = write({"faces": random_pixels((20, 8, 8)), "more/cats": random_pixels((5, 8, 8), 1)})
    with pytest.raises(DataNotFound, match=r"found faces, more/cats; say which with --set data.dataset=NAME"):
        _read(path)
    assert len(_read(path, "faces").train) == 18
    both = _read(path, "/faces, more/cats")
    assert np.array_equal(both.test[..., 0], random_pixels((5, 8, 8), 1))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", ">f4"])
def test_floats_between_0_and_1_become_bytes(dtype, write, random_pixels):
    pixels = random_pixels((10, 8, 8, 3))
    images = _read(write({"train": (pixels / 255).astype(dtype), "test": (pixels / 255).astype(dtype)}))
    assert np.array_equal(images.train, pixels)


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.full((4, 8, 8), 255.0, np.float32), "floats from 255 to 255; images are floats in"),
        (np.full((4, 8, 8), np.nan), "floats from nan"),
        (np.ones((4, 8, 8), np.uint8), "almost black"),
        (np.ones((4, 8), np.uint8), r"has shape \(4, 8\)"),
        (np.ones((4, 8, 8), np.int64), "holds int64"),
        (np.ones((0, 8, 8), np.uint8), "is empty"),
        (np.array(b"text"), r"has shape \(\)"),
    ],
)
def test_what_is_no_image_is_told(array, said, write):
    with pytest.raises(DataNotFound, match=said):
        _read(write({"x": array}), "x")


@pytest.mark.parametrize("name", ["dogs", "group", "faces/deeper", "group/none", "..", "faces,", "a,b,c"])
def test_a_name_that_is_not_there_is_told(name, write, random_pixels):
    path = write({"faces": random_pixels((5, 8, 8)), "group/cats": random_pixels((5, 8, 8))})
    with pytest.raises(DataNotFound, match=r"looked for the dataset|neither one name nor two"):
        _read(path, name)


def test_nothing_is_read_from_other_files(write, random_pixels, tmp_path):
    secret = write({"train": random_pixels((5, 8, 8)), "test": random_pixels((5, 8, 8))}, "secret.h5")
    (tmp_path / "secret.raw").write_bytes(bytes(320))
    path = tmp_path / "images.h5"
    with h5py.File(path, "w") as file:
        file["link"] = h5py.ExternalLink(secret, "/train")
        file["soft"] = h5py.SoftLink("/raw")
        file.create_dataset("raw", (5, 8, 8), "u1", external=str(tmp_path / "secret.raw"))
        layout = h5py.VirtualLayout((5, 8, 8), "u1")
        layout[:] = h5py.VirtualSource(str(secret), "train", (5, 8, 8))
        file.create_virtual_dataset("virtual", layout)
    for name in ("raw", "virtual"):
        with pytest.raises(DataNotFound, match="lie in other files, which are not read"):
            _read(path, name)
    for name in ("link", "soft"):
        with pytest.raises(DataNotFound, match=f"looked for the dataset {name}"):
            _read(path, name)


def test_a_damaged_file_is_told(write, random_pixels):
    whole = write({"train": random_pixels((20, 8, 8)), "test": random_pixels((5, 8, 8))}, compression="gzip")
    data = whole.read_bytes()
    for share in (0.01, 0.3, 0.9):
        whole.write_bytes(data[: int(len(data) * share)])
        with pytest.raises(DataNotFound, match=r"images.h5"):
            _read(whole)


def test_a_dataset_of_an_absurd_size_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(sheet, "_memory", lambda: 2**20)
    with h5py.File(tmp_path / "huge.h5", "w") as file:
        file.create_dataset("train", (2**20, 64, 64, 3), "u1", chunks=(1, 64, 64, 3))
    with pytest.raises(DataNotFound, match=r"/train \(1048576, 64, 64, 3\) does not fit in memory"):
        _read(tmp_path / "huge.h5")


@pytest.mark.parametrize("kind", ["null", "text", "objects", "pairs"])
def test_what_holds_no_numbers_is_told(kind, tmp_path):
    made = {
        "null": {"data": h5py.Empty("u1")},
        "text": {"shape": (4, 8, 8), "dtype": h5py.string_dtype()},
        "objects": {"shape": (4, 8, 8), "dtype": h5py.vlen_dtype(np.uint8)},
        "pairs": {"shape": (4, 8, 8), "dtype": np.dtype([("a", "u1"), ("b", "u1")])},
    }
    with h5py.File(tmp_path / "odd.h5", "w") as file:
        file.create_dataset("x", **made[kind])
    with pytest.raises(DataNotFound, match=r"odd.h5.*(has no values, not even a shape|images are bytes \(uint8\))"):
        _read(tmp_path / "odd.h5", "x")
    with pytest.raises(DataNotFound, match="looked for one dataset of the shape of images"):
        _read(tmp_path / "odd.h5")


def test_reading_can_be_stopped(write, random_pixels):
    path = write({"train": random_pixels((20, 8, 8)), "test": random_pixels((5, 8, 8))})
    with pytest.raises(Stopped):
        arrays.images(path, watch=Watch(stop=lambda: True))
