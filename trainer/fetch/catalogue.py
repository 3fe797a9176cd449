"""Where each dataset is published, and the checksums of its files.

The checksums are published, too: Fashion-MNIST's in its README, CIFAR-10's in Keras, the others in torchvision.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class File:
    """A file as published."""

    name: str
    checksum: str
    """The algorithm, a colon, and the sum in hexadecimal digits."""
    size: int = 0
    """Bytes; 0 where it is not fetched here."""


@dataclass(frozen=True, slots=True)
class Published:
    """A dataset."""

    title: str
    files: tuple[File, ...]
    mirrors: tuple[str, ...] = ()
    """Addresses below which the files lie, the first one tried first; empty where they are to be fetched by hand."""
    by_hand: str = ""
    """How to fetch them by hand."""
    train: str = ""
    """The command that trains on them, with {} for where they are."""


CATALOGUE = {
    "mnist": Published(
        "MNIST (LeCun, Cortes & Burges)",
        (
            File("train-images-idx3-ubyte.gz", "md5:f68b3c2dcbeaaa9fbdd348bbdeb94873", 9_912_422),
            File("t10k-images-idx3-ubyte.gz", "md5:9fb629c4189551a2d022fa330f9573f3", 1_648_877),
        ),
        # Its own page, yann.lecun.com/exdb/mnist, does not give the files out any more.
        ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/"),
        train="vaemon train mnist --data {}",
    ),
    "fashion": Published(
        "Fashion-MNIST (Xiao, Rasul & Vollgraf 2017)",
        (
            File("train-images-idx3-ubyte.gz", "md5:8d4fb7e6c68d591d4c3dfef9ec88bf0d", 26_421_880),
            File("t10k-images-idx3-ubyte.gz", "md5:bef4ecab320f06d8554ea6380940ec79", 4_422_102),
        ),
        # The bucket that its README names first answers over http only.
        (
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
            "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
        ),
        train="vaemon train fashion --data {}",
    ),
    "cifar10": Published(
        "CIFAR-10 (Krizhevsky 2009)",
        (
            File(
                "cifar-10-python.tar.gz",
                "sha256:6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
                170_498_071,
            ),
        ),
        ("https://www.cs.toronto.edu/~kriz/",),
        train="vaemon train cifar10 --data {}",
    ),
    "celeba": Published(
        "CelebA (Liu, Luo, Wang & Tang 2015)",
        (
            File("img_align_celeba.zip", "md5:00d2c5bc6d35e252742224ab0c1e8fcb"),
            File("list_eval_partition.txt", "md5:d32c9cbf5e040fd4025c592c306e6668"),
        ),
        by_hand=(
            "CelebA is given out for research only, through a browser: read the agreement on\n"
            "  https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html\n"
            'follow its link "Align&Cropped Images" to the Google Drive or Baidu folder, and from there fetch\n'
            "  Img/img_align_celeba.zip      1.4 GB, leave it packed\n"
            "  Eval/list_eval_partition.txt  the official split"
        ),
        train="vaemon train celeba --data {}",
    ),
}
