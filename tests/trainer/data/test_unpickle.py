import os
import pickle
import subprocess

import numpy as np
import pytest

from trainer.data.unpickle import read_batch


class _Calls:
    """Pickles as a call of any function."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("module", ["numpy.core.multiarray", "numpy._core.multiarray"])
def test_the_published_form_is_read(module, python_two_batch, random_pixels):
    rows = random_pixels((3, 3072))
    batch = read_batch(python_two_batch(rows, module))
    assert np.array_equal(batch["data"], rows)
    assert batch["data"].dtype == np.uint8
    assert batch["labels"] == [0, 1, 2]
    assert batch["filenames"] == ["a.png", "b.png"]


@pytest.mark.parametrize("key", [b"data", "data"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_batches_pickled_again_are_read(key, order, random_pixels):
    rows = np.asarray(random_pixels((4, 3072)), order=order)
    assert np.array_equal(read_batch(pickle.dumps({key: rows, "labels": [1]}, 2))["data"], rows)


@pytest.mark.parametrize(
    "function",
    [os.system, subprocess.Popen, eval, getattr, print, np.fromfile, np.load],
    ids=lambda each: each.__name__,
)
def test_nothing_in_a_pickle_is_called(function, tmp_path):
    mark = tmp_path / "mark"
    evil = pickle.dumps({"data": _Calls(function, f"touch {mark}")}, 2)
    with pytest.raises(ValueError, match=rf"asks for \S+\.{function.__name__}, .* it was not called"):
        read_batch(evil)
    assert not mark.exists()


def test_no_file_can_change_how_the_next_is_read(python_two_batch, random_pixels):
    """BUILD sets attributes on whatever a name stands for; the names must not stand for the same thing twice."""
    rows = random_pixels((1, 3072))
    spoilt = b"\x80\x02}(U\x04data" + b"c_codecs\nencode\n}(U\x08__name__U\x04evilub" + b"u."
    for _ in range(2):
        read_batch(spoilt)
        assert np.array_equal(read_batch(pickle.dumps({"data": rows}, 2))["data"], rows)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "EOFError|Ran out of input"),
        (b"hello", "."),
        (pickle.dumps([1, 2]), "holds a list, not a dict"),
        (pickle.dumps({"data": np.zeros((2, 3))}, 2), "array of dtype 'f8'"),
        (pickle.dumps({"data": np.array([{}])}, 2), "array of dtype 'O8'"),
        (pickle.dumps({"data": np.zeros((2, 3072), np.uint8)}, 2)[:3000], "."),
        (pickle.dumps({"data": np.zeros(3, "datetime64[s]")}, 2), "array of dtype 'M8'"),
    ],
)
def test_what_is_no_batch_is_refused(data, said):
    with pytest.raises(ValueError, match=said):
        read_batch(data)


def test_an_array_must_fill_its_shape(python_two_batch, random_pixels):
    good = python_two_batch(random_pixels((3, 3072)))
    short = good.replace(b"J\x00\x0c\x00\x00\x86", b"J\x01\x0c\x00\x00\x86")
    assert short != good
    with pytest.raises(ValueError, match=r"array of shape \(3, 3073\) with 9,216 bytes"):
        read_batch(short)
