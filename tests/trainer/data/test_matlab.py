"""SciPy writes, we read: two implementations of one format."""

import io

import numpy as np
import pytest
from scipy.io import savemat

from trainer.data.matlab import read_bytes


@pytest.fixture
def mat_file():
    def make(compressed=False, **arrays):
        file = io.BytesIO()
        savemat(file, arrays, do_compression=compressed)
        return file.getvalue()

    return make


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (5, 3072)])
def test_a_matrix_is_read_by_its_name(compressed, shape, mat_file, random_pixels):
    wanted = random_pixels(shape)
    data = mat_file(compressed, batch_label="training batch 1 of 5", labels=random_pixels((9, 1), 1), data=wanted)
    assert np.array_equal(read_bytes(data, "data"), wanted)
    assert np.array_equal(read_bytes(data, "labels"), random_pixels((9, 1), 1))


def test_either_byte_order_is_read(mat_file):
    little = mat_file(data=np.array([[7]], np.uint8))
    # Header but for its mark, then words of 4 bytes; the only content that is no word is the name and the value.
    words = np.frombuffer(little[128:], "<u4").astype(">u4").tobytes()
    big = (
        little[:124] + b"\x01\x00MI" + words.replace(b"atad", b"data").replace(b"\x00\x00\x00\x07", b"\x07\x00\x00\x00")
    )
    assert read_bytes(big, "data").tolist() == [[7]]


@pytest.mark.parametrize("compressed", [False, True])
def test_other_types_are_refused(compressed, mat_file):
    with pytest.raises(ValueError, match="does not hold unsigned bytes"):
        read_bytes(mat_file(compressed, data=np.zeros((2, 3))), "data")


@pytest.mark.parametrize("compressed", [False, True])
def test_a_cut_file_is_refused_wherever_it_is_cut(compressed, mat_file, random_pixels):
    data = mat_file(compressed, data=random_pixels((3, 40)))
    for length in range(0, len(data) - 8, 3):
        with pytest.raises(ValueError, match=r"it is|it has no matrix"):
            read_bytes(data[:length], "data")


def test_what_is_not_there_is_told(mat_file):
    with pytest.raises(ValueError, match="no matrix 'data'"):
        read_bytes(mat_file(other=np.zeros((2, 2), np.uint8)), "data")
    with pytest.raises(ValueError, match="no MATLAB file of level 5"):
        read_bytes(b"MATLAB 4" * 40, "data")
