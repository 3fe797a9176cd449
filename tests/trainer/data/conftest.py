"""Small datasets of every kind, made on the spot."""

import gzip
import io
import struct
import tarfile
import zipfile

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(autouse=True)
def cache_home(tmp_path_factory, monkeypatch):
    """No test reads or fills the user's own cache."""
    home = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(home))
    return home


@pytest.fixture
def random_pixels():
    """Bytes of a shape, the same every time."""
    return lambda shape, seed=0: np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


@pytest.fixture
def encode():
    """A picture file's bytes of an array or a Pillow image."""

    def make(picture, kind="PNG", **options):
        image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
        file = io.BytesIO()
        image.save(file, kind, **options)
        return file.getvalue()

    return make


@pytest.fixture
def write_folder(tmp_path):
    """A folder with files {name: bytes}."""

    def make(files, name="folder"):
        for at, data in files.items():
            path = tmp_path / name / at
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return tmp_path / name

    return make


@pytest.fixture
def write_tar(tmp_path):
    """A tar with files {name: bytes} and further members."""

    def make(files, name="pictures.tar", mode="w", members=()):
        with tarfile.open(tmp_path / name, mode) as tar:
            for at, data in files.items():
                info = tarfile.TarInfo(at)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
            for info in members:
                tar.addfile(info)
        return tmp_path / name

    return make


@pytest.fixture
def write_zip(tmp_path):
    """A zip with files {name: bytes}, and further ones of other kinds {name: type}."""

    def make(files, name="pictures.zip", kinds=(), packing=zipfile.ZIP_STORED):
        with zipfile.ZipFile(tmp_path / name, "w", packing) as archive:
            for at, data in files.items():
                archive.writestr(at, data)
            for at in kinds:
                info = zipfile.ZipInfo(at)
                info.external_attr = (kinds[at] | 0o777) << 16
                archive.writestr(info, "/etc/passwd")
        return tmp_path / name

    return make


@pytest.fixture
def idx_file():
    """An IDX image file's bytes."""

    def make(pixels, *, magic=0x803, packed=False, count=None):
        n, height, width = pixels.shape
        data = struct.pack(">4I", magic, n if count is None else count, height, width) + pixels.tobytes()
        return gzip.compress(data) if packed else data

    return make


@pytest.fixture
def python_two_batch():
    """A batch as Python 2 pickled it for the published archive: protocol 2, str for bytes, NumPy 1 names."""

    def make(rows, module="numpy.core.multiarray", dtype=b"u1"):
        n, width = rows.shape
        values = rows.tobytes()
        return b"".join(
            [
                b"\x80\x02}q\x01(",
                b"U\x0bbatch_labelU\x15training batch 1 of 5",
                b"U\x06labels](" + b"".join(b"K" + bytes([i % 10]) for i in range(n)) + b"e",
                b"U\x04datac" + module.encode() + b"\n_reconstruct\nq\x02cnumpy\nndarray\nq\x03K\x00\x85U\x01b\x87R",
                b"(K\x01J" + struct.pack("<i", n) + b"J" + struct.pack("<i", width) + b"\x86",
                b"cnumpy\ndtype\nU" + bytes([len(dtype)]) + dtype + b"K\x00K\x01\x87R",
                b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb",
                b"\x89T" + struct.pack("<i", len(values)) + values + b"tb",
                b"U\tfilenames](U\x05a.pngU\x05b.pnge",
                b"u.",
            ]
        )

    return make
