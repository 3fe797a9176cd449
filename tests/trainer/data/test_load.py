import subprocess
import sys

import numpy as np
import pytest

from trainer.data import load as room
from trainer.data.load import NAMES, check, load
from trainer.data.ways import Ways
from vaemon.errors import DataNotFound, UnknownName, UsageError


@pytest.fixture
def paths(idx_file, encode, random_pixels, write_folder, tmp_path):
    """A small dataset of every name: thirty to train on, eight to test on."""
    parts = {"train": random_pixels((30, 32, 32, 3)), "test": random_pixels((8, 32, 32, 3), 1)}
    grey = {part: pixels[:, :28, :28, 0] for part, pixels in parts.items()}
    idx = {
        "train-images-idx3-ubyte": idx_file(grey["train"]),
        "t10k-images-idx3-ubyte.gz": idx_file(grey["test"], packed=True),
    }
    pictures = {f"{part}/{i:02}.png": encode(each) for part, pixels in parts.items() for i, each in enumerate(pixels)}
    faces = [(20, 30, 40), (200, 100, 50)]
    celeba = {
        f"img_align_celeba/{number:06}.jpg": encode(np.full((218, 178, 3), faces[number > 182_637], np.uint8), "JPEG")
        for number in (*range(1, 31), *range(202_592, 202_600))
    }
    np.savez(tmp_path / "a.npz", **parts)
    folder, digits = write_folder(pictures, "pictures"), write_folder(idx, "digits")
    return {
        "shapes": None,
        "mnist": digits,
        "fashion": digits,
        "cifar10": folder,
        "celeba": write_folder(celeba, "celeba"),
        "folder": folder,
        "arrays": tmp_path / "a.npz",
    }


@pytest.mark.parametrize("name", NAMES)
def test_every_dataset_comes_ready_for_training(name, paths):
    images = load(name, paths[name], size=0, seed=1, limit=12)
    assert (len(images.train), len(images.test)) == (12, 12 if name == "shapes" else 8)
    for pixels in (images.train, images.test):
        assert pixels.dtype == np.uint8
        assert pixels.flags.c_contiguous
        assert pixels.flags.writeable, "torch warns about arrays that are not"
    assert bool(images.factors) == (name == "shapes")
    counts = "12 + 12 images" if name == "shapes" else "12 + 8 images"
    assert counts in images.source


@pytest.mark.parametrize("name", NAMES)
def test_the_same_question_has_the_same_answer(name, paths):
    one, again = (load(name, paths[name], size=0, seed=2, limit=9) for _ in range(2))
    assert np.array_equal(one.train, again.train)
    assert np.array_equal(one.test, again.test)


def test_every_dataset_is_tried_here(paths):
    assert set(paths) == set(NAMES)


def test_a_limit_is_a_seeded_choice_and_told(paths):
    whole = load("arrays", paths["arrays"], size=0, seed=0)
    cut, other = (load("arrays", paths["arrays"], size=0, seed=seed, limit=10) for seed in (0, 1))
    known = {each.tobytes(): i for i, each in enumerate(whole.train)}
    chosen = [known[each.tobytes()] for each in cut.train]
    assert len(set(chosen)) == 10
    assert chosen != [known[each.tobytes()] for each in other.train]
    assert "10 + 8 images of 32 × 32 × 3, cut from 30 + 8" in cut.source
    assert "cut" not in whole.source


def test_sizes_reach_shapes_and_folders(paths):
    assert load("shapes", None, size=16, seed=0, limit=2).train.shape == (2, 16, 16, 3)
    assert load("folder", paths["folder"], size=16, seed=0).train.shape == (30, 16, 16, 3)


def test_a_way_that_a_dataset_is_not_read_by_is_refused(paths):
    with pytest.raises(
        UsageError, match=r"data.jpeg_roundtrip is of no use to celeba; it is for cifar10: leave it out"
    ):
        check("celeba", paths["celeba"], Ways(jpeg_roundtrip=True))
    for name, ways in (
        ("mnist", Ways(resize="nearest")),
        ("shapes", Ways(skip_bad=True)),
        ("arrays", Ways(colour="rgb")),
    ):
        with pytest.raises(UsageError, match=rf"data.{ways.chosen()[0]} is of no use to {name}; it is for .*folder"):
            check(name, paths[name], ways)


def test_an_unknown_name_is_set_right():
    with pytest.raises(UnknownName, match=r"unknown dataset 'cifar' \(did you mean 'cifar10'\?\)"):
        load("cifar", None, size=0, seed=0)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "shapes"])
def test_a_dataset_that_needs_a_path_says_so(name):
    with pytest.raises(DataNotFound, match=rf"the dataset {name} needs --data: .*; for example --data \S+"):
        load(name, None, size=0, seed=0)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "shapes"])
def test_a_missing_path_says_what_is_beside_it(name, tmp_path):
    (tmp_path / "mnst").mkdir()
    with pytest.raises(DataNotFound, match=r"looked for .* in \S+mnist: there is no such .* holds mnst; for example"):
        load(name, tmp_path / "mnist", size=0, seed=0)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "shapes"])
def test_an_empty_folder_says_so(name, tmp_path):
    with pytest.raises(DataNotFound, match=r"looked for .*: found nothing"):
        load(name, tmp_path, size=0, seed=0)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "shapes"])
def test_a_folder_of_other_things_lists_them(name, write_folder):
    folder = write_folder({f"{i:02}.txt": b"x" for i in range(20)})
    with pytest.raises(DataNotFound, match=r"found 00.txt, 01.txt, .*, 07.txt, …"):
        load(name, folder, size=0, seed=0)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "shapes"])
def test_a_file_of_another_kind_is_told(name, tmp_path):
    (tmp_path / "thing").write_bytes(b"neither this nor that")
    with pytest.raises(DataNotFound, match="thing"):
        load(name, tmp_path / "thing", size=0, seed=0)


@pytest.mark.parametrize("path", ["/dev/null", "/nowhere/at/all"])
def test_paths_of_no_use_are_told(path):
    with pytest.raises(DataNotFound, match=r"neither a file nor a folder|no such file or folder, nor its parent"):
        load("folder", room.Path(path), size=0, seed=0)


def test_the_built_in_dataset_takes_no_path(tmp_path):
    with pytest.raises(UsageError, match="shapes is built in; leave out --data"):
        load("shapes", tmp_path, size=0, seed=0)


@pytest.mark.parametrize("options", [{"size": -1}, {"size": 0, "limit": 0}, {"size": 0, "limit": -5}])
def test_numbers_that_make_no_sense_are_refused(options):
    with pytest.raises(UsageError, match=r"data\.(size|limit) is -?\d, but must be"):
        load("shapes", None, seed=0, **options)


def test_a_path_that_cannot_be_read_is_told(paths, monkeypatch):
    def locked(*_, **__):
        raise PermissionError(13, "Permission denied", "secret.npz")

    monkeypatch.setattr(room.arrays, "images", locked)
    with pytest.raises(DataNotFound, match=r"cannot read secret.npz: Permission denied"):
        load("arrays", paths["arrays"], size=0, seed=0)


def test_a_folder_that_cannot_be_listed_is_told(paths, monkeypatch):
    def locked(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(room.Path, "iterdir", locked)
    with pytest.raises(DataNotFound, match=r"cannot read \S+pictures: Permission denied"):
        check("folder", paths["folder"])


def test_a_path_too_long_is_told():
    with pytest.raises(DataNotFound, match=r"cannot read x+: File name too long"):
        load("folder", room.Path("x" * 5000), size=0, seed=0)


def test_what_would_be_read_is_known_beforehand(paths):
    assert check("arrays", paths["arrays"]) == paths["arrays"]
    with pytest.raises(UnknownName, match="unknown dataset"):
        check("array", paths["arrays"])
    with pytest.raises(DataNotFound, match="needs --data"):
        check("arrays", None)


def test_a_tilde_is_the_home(paths, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert len(load("arrays", room.Path("~/a.npz"), size=0, seed=0).train) == 30


def test_a_home_that_nobody_has_is_told():
    with pytest.raises(DataNotFound, match=r"cannot tell where ~no.such.user/a.npz lies"):
        check("arrays", room.Path("~no such user/a.npz"))


def test_the_room_opens_without_its_heavy_tools():
    code = "import sys, trainer.data.load; print(sorted({'PIL', 'scipy', 'torch', 'h5py'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
