import numpy as np
import pytest

from trainer.data import idx, sheet
from vaemon.errors import DataNotFound


@pytest.mark.parametrize(
    ("names", "packed"),
    [
        (("train-images-idx3-ubyte", "t10k-images-idx3-ubyte"), False),
        (("train-images-idx3-ubyte.gz", "t10k-images-idx3-ubyte.gz"), True),
        (("train-images.idx3-ubyte", "t10k-images.idx3-ubyte"), False),
        (("train-images.idx3-ubyte.gz", "t10k-images-idx3-ubyte.gz"), True),
        (("train-images-idx3-ubyte", "t10k-images-idx3-ubyte"), True),  # a browser may drop the ending
        (("MNIST/raw/train-images-idx3-ubyte", "MNIST/raw/t10k-images-idx3-ubyte"), False),
    ],
)
def test_files_are_read_under_each_of_their_names(names, packed, idx_file, write_folder, random_pixels):
    train, test = random_pixels((5, 28, 28)), random_pixels((3, 28, 28), 1)
    folder = write_folder(
        {name: idx_file(part, packed=packed) for name, part in zip(names, (train, test), strict=True)}
    )
    images = idx.images(folder, "MNIST")
    assert np.array_equal(images.train[..., 0], train)
    assert np.array_equal(images.test[..., 0], test)
    assert images.source.startswith("MNIST from ")


def test_torchvision_keeps_two_datasets_under_one_folder(idx_file, write_folder, random_pixels):
    files = {}
    for seed, place in enumerate(("MNIST/raw", "FashionMNIST/raw")):
        for part in ("train", "t10k"):
            files[f"{place}/{part}-images-idx3-ubyte"] = idx_file(random_pixels((2, 28, 28), seed))
    folder = write_folder(files)
    assert np.array_equal(idx.images(folder, "MNIST").train[..., 0], random_pixels((2, 28, 28), 0))
    assert np.array_equal(idx.images(folder, "Fashion-MNIST").train[..., 0], random_pixels((2, 28, 28), 1))


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda make, p: make(p)[:10], "expected a header of 16 bytes, found 10"),
        (lambda make, p: b"", "expected a header of 16 bytes, found 0"),
        (lambda make, p: make(p, magic=0x801), "magic number 0x00000803 of an image file, found 0x00000801"),
        (lambda make, p: make(p[:, :20]), "expected images of 28 × 28, found 20 × 28"),
        (lambda make, p: make(p)[:-5], "expected 3,920 bytes for 5 images of 28 × 28, found 3,915"),
        (lambda make, p: make(p) + b"x", "expected 3,920 bytes for 5 images of 28 × 28, found more"),
        (lambda make, p: make(p, count=0), "expected 1 to 10,000,000 images, found 0"),
        (lambda make, p: make(p, count=2**32 - 1), "found 4,294,967,295 in the header"),
        (lambda make, p: make(p, packed=True)[:-40], "is damaged, or its download was cut short"),
        (lambda make, p: make(p, packed=True)[:-8] + b"12345678", "is damaged, or its download was cut short"),
    ],
)
def test_a_damaged_file_is_told_by_name(damage, said, idx_file, tmp_path, random_pixels):
    file = tmp_path / "train-images-idx3-ubyte"
    file.write_bytes(damage(idx_file, random_pixels((5, 28, 28))))
    with pytest.raises(DataNotFound, match=said) as told:
        idx.read(file)
    assert "train-images-idx3-ubyte" in str(told.value)


def test_one_file_of_two_is_not_enough(idx_file, write_folder, random_pixels):
    folder = write_folder({"train-images-idx3-ubyte": idx_file(random_pixels((5, 28, 28))), "notes.txt": b"hello"})
    with pytest.raises(DataNotFound, match=r"t10k-images-idx3-ubyte.*found notes.txt, train-images-idx3-ubyte"):
        idx.images(folder, "MNIST")


def test_a_header_that_promises_more_than_memory_holds_is_not_believed(
    idx_file, write_folder, random_pixels, monkeypatch
):
    monkeypatch.setattr(sheet, "_memory", lambda: 10**9)
    folder = write_folder({"train-images-idx3-ubyte": idx_file(random_pixels((5, 28, 28)), count=1_000_000)})
    with pytest.raises(DataNotFound, match=r"1,000,000 images, as its header says, do not fit in memory"):
        idx.read(folder / "train-images-idx3-ubyte")
