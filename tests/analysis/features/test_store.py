import errno
import fcntl
import os

import numpy as np
import pytest

from analysis.features import store
from analysis.features.recipes import BLOCK
from analysis.features.store import Looks, opened

COUNT, WIDTH = 2 * BLOCK + 5, 7
LOOKS = Looks(grey=1, height=8, width=9, floats=0)
ROWS = np.random.default_rng(0).standard_normal((COUNT, WIDTH)).astype(np.float32)


def block(number):
    return ROWS[number * BLOCK : (number + 1) * BLOCK]


@pytest.fixture
def told():
    return []


@pytest.fixture
def begin(tmp_path, told):
    return lambda key="key": opened(tmp_path / "cache", key, COUNT, WIDTH, told.append)


def kept(tmp_path):
    return list((tmp_path / "cache").iterdir())


def test_what_was_written_in_any_order_is_there_afterwards(begin, told):
    with begin() as begun:
        assert begun.missing() == [0, 1, 2]
        for number in (2, 0, 1):
            begun.write(number, block(number), LOOKS)
        np.testing.assert_array_equal(begun.rows(), ROWS)
    with begin() as again:
        assert again.missing() == []
        np.testing.assert_array_equal(again.rows(), ROWS)
        assert [looks for _, looks in again.read()] == [LOOKS] * 3
    with begin("another") as other:
        assert other.missing() == [0, 1, 2]
    assert told == []


@pytest.mark.parametrize("spoil", ["cut", "flip", "hole"])
def test_a_block_that_is_not_whole_is_missing(begin, tmp_path, spoil):
    with begin() as begun:
        for number in range(3):
            begun.write(number, block(number), LOOKS)
    (path,) = kept(tmp_path)
    data = bytearray(path.read_bytes())
    if spoil == "cut":
        data = data[:-3]
    elif spoil == "flip":
        data[-30] ^= 1
    else:
        data[len(data) - 5 * WIDTH * 4 - store.END.size :] = bytes(5 * WIDTH * 4 + store.END.size)
    path.write_bytes(data)
    with begin() as again:
        assert again.missing() == [2]
        again.write(2, block(2), LOOKS)
        np.testing.assert_array_equal(again.rows(), ROWS)


def test_a_full_disk_costs_nothing_but_the_keeping(begin, told, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with begin() as begun:
        begun.write(0, block(0), LOOKS)
        monkeypatch.setattr(os, "pwrite", full)
        for number in (1, 2):
            begun.write(number, block(number), LOOKS)
        np.testing.assert_array_equal(begun.rows(), ROWS)
    assert len(told) == 1
    assert "No space left" in told[0]
    assert kept(tmp_path) == []


def test_a_file_that_is_removed_while_it_is_waited_for_is_made_anew(begin, told, tmp_path, monkeypatch):
    """Who had it found no room for it, and removed it: what is written to it then would be lost."""
    flock, removed = fcntl.flock, []

    def removed_first(descriptor, how):
        if not removed:
            (path,) = kept(tmp_path)
            path.unlink()
            removed.append(path)
        flock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", removed_first)
    with begin() as begun:
        begun.write(0, block(0), LOOKS)
    with begin() as again:
        assert again.missing() == [1, 2]
    assert kept(tmp_path) == removed
    assert told == []


def test_without_a_folder_or_a_key_nothing_stays(begin, tmp_path, told):
    with begin("") as begun:
        begun.write(0, block(0), LOOKS)
        assert begun.missing() == [1, 2]
    assert kept(tmp_path) == []
    (tmp_path / "file").touch()
    with opened(tmp_path / "file" / "below", "key", COUNT, WIDTH, told.append) as begun:
        begun.write(0, block(0), LOOKS)
        assert begun.missing() == [1, 2]
    assert len(told) == 1
