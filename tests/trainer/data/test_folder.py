import numpy as np
import pytest

from trainer.data import folder as room
from trainer.data import gallery
from trainer.data.gallery import divide
from trainer.data.watch import Watch
from trainer.data.ways import Ways
from vaemon.errors import DataNotFound, UsageError


@pytest.fixture
def pictures(encode):
    """{name: bytes} of grey pictures, each of one value."""
    return lambda names, side=6: {name: encode(np.full((side, side), i, np.uint8)) for i, name in enumerate(names)}


def _read(path, *, size=0, seed=0, **ways):
    return room.images(path, size=size, seed=seed, ways=Ways(**ways), watch=Watch())


def _values(pixels):
    return pixels[:, 0, 0, 0].tolist()


@pytest.mark.parametrize("kind", ["folder", "tar"])
def test_train_and_test_are_kept_apart(kind, pictures, write_folder, write_tar):
    files = pictures(["train/b/1.png", "test/a/1.png", "train/a/1.png", "test/b/0.png"])
    images = _read(write_folder(files) if kind == "folder" else write_tar(files))
    assert (_values(images.train), _values(images.test)) == ([2, 0], [1, 3]), "in the order of their names"
    assert images.train.shape == (2, 6, 6, 1)


def test_a_folder_and_its_tar_are_the_same(pictures, write_folder, write_tar):
    files = pictures([f"{(7 * i) % 40:02}.png" for i in range(40)])
    here, there = _read(write_folder(files), seed=3), _read(write_tar(files), seed=3)
    assert np.array_equal(here.train, there.train)
    assert np.array_equal(here.test, there.test)


def test_a_tenth_is_held_out_by_the_seed(pictures, write_folder):
    path = write_folder(pictures([f"{i:02}.png" for i in range(30)]))
    one, again, other = (_read(path, seed=seed) for seed in (1, 1, 2))
    assert len(one.test) == 3
    assert sorted(_values(one.train) + _values(one.test)) == list(range(30))
    assert _values(one.test) == _values(again.test) != _values(other.test)
    assert "a tenth held out by seed 1" in one.source


def test_unreadable_pictures_are_named_and_counted_and_skipped_only_on_request(pictures, write_folder):
    files = pictures([f"{i}.png" for i in range(9)]) | {"bad.png": b"no picture", "worse.jpg": b"", "notes.txt": b"hi"}
    path = write_folder(files)
    for _ in ("decoded", "from the cache"):
        with pytest.raises(DataNotFound, match=r"2 of 11 pictures cannot be read \(bad.png: .*, worse.jpg: .*skip-bad"):
            _read(path)
        images = _read(path, skip_bad=True)
        assert len(images.train) + len(images.test) == 9
        assert "2 unreadable skipped: bad.png, worse.jpg" in images.source


def test_pictures_beside_train_and_test_are_left_out_and_told(pictures, write_folder):
    files = pictures(["set/train/1.png", "set/test/1.png", "set/extra/1.png", "logo.png"])
    images = _read(write_folder(files))
    assert (_values(images.train), _values(images.test)) == ([0], [1])
    assert "2 outside train and test left out" in images.source


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (
            {"a.png": b"x", "b.png": b"y"},
            r"readable pictures \(of 2 found none can be read: a.png: .*found a.png, b.png",
        ),
        ({"a.txt": b"x"}, "looked for pictures in .*: found a.txt; give --data"),
    ],
)
def test_no_picture_is_an_error(files, said, write_folder):
    with pytest.raises(DataNotFound, match=said):
        _read(write_folder(files))


def test_a_part_without_pictures_is_an_error(pictures, write_folder):
    files = pictures(["train/1.png", "train/2.png"]) | {"test/1.png": b"bad"}
    with pytest.raises(DataNotFound, match=r"there is no readable picture in test \(test/1.png: "):
        _read(write_folder(files))


def test_grey_beside_colour_is_told_and_made_one_on_request(encode, write_folder):
    colour = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    path = write_folder({"train/1.png": encode(colour), "test/1.png": encode(colour[..., 0].copy())})
    with pytest.raises(UsageError, match=r"train/1.png is in colour, but test/1.png is grey; --set data.colour=rgb"):
        _read(path)
    images = _read(path, colour="rgb")
    assert np.array_equal(images.train[0], colour)
    assert np.array_equal(images.test[0], np.repeat(colour[..., :1], 3, axis=2))
    grey = _read(path, colour="grey")
    assert grey.train.shape == grey.test.shape == (1, 4, 4, 1)


def test_a_bad_picture_leaves_the_others_in_their_order(pictures, write_tar):
    names = [f"{i}.png" for i in range(9)]
    files = pictures(names) | {"3.png": b"bad", "0.png": b"bad"}
    for order in (names, names[::-1]):
        path = write_tar({f"{part}/{name}": files[name] for name in order for part in ("train", "test")})
        images = _read(path, skip_bad=True)
        assert _values(images.train) == _values(images.test) == [1, 2, 4, 5, 6, 7, 8]


def test_sizes_are_evened_out_only_on_request(pictures, encode, write_folder):
    path = write_folder(pictures(["a.png", "b.png"]) | {"c.png": encode(np.zeros((9, 4), np.uint8))})
    with pytest.raises(UsageError, match=r"c.png is 4 × 9, but a.png is 6 × 6; .*--set data.size=N"):
        _read(path)
    assert _read(path, size=5).train.shape == (2, 5, 5, 1)


def test_the_cache_stands_in_for_the_pictures(pictures, write_tar, monkeypatch):
    path = write_tar(pictures([f"{i}.png" for i in range(12)]))
    before = _read(path, seed=1)
    monkeypatch.setattr(gallery, "decode_each", None)
    after = _read(path, seed=1)
    assert np.array_equal(before.train, after.train)
    assert before.source == after.source
    assert len(_read(path, seed=2).test) == 1, "the split is made after the cache"


@pytest.mark.parametrize(
    ("names", "parts"),
    [
        (["train/1", "test/1"], ["train", "test"]),
        (["Train/1", "TEST/1"], ["train", "test"]),
        (["set/train/car/1", "set/test/car/1"], ["train", "test"]),
        (["train/test/1", "test/train/1"], ["train", "test"]),
        (["train/1", "boat/1"], ["", ""]),
        (["a/train/1", "b/test/1"], ["", ""]),
        (["train/1", "test/1", "valid/1", "train"], ["train", "test", "", ""]),
        (["x/train/1", "x/test/1", "train/1", "test/1"], ["", "", "train", "test"]),
        (["1", "2"], ["", ""]),
    ],
)
def test_folders_divide_only_where_both_stand_side_by_side(names, parts):
    assert list(divide(names).part.items()) == list(zip(names, parts, strict=True))
