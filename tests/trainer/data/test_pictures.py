import warnings
from contextlib import suppress

import numpy as np
import pytest

from trainer.data import pictures
from trainer.data.decode import Fit, Unreadable, decode
from trainer.data.members import Member
from trainer.data.pictures import decode_each, quietly


def _member(name, data):
    return Member(name, data, len(data))


@pytest.fixture
def thousand(encode, random_pixels):
    """Members of two kinds, those decoded at once and those decoded in threads, and what they show."""
    shown = {
        f"{i:03}": random_pixels((40, 40, 3), i) if i // 40 % 2 else np.full((40, 40, 3), i % 256, np.uint8)
        for i in range(300)
    }
    return [_member(name, encode(pixels)) for name, pixels in shown.items()], shown


def test_every_picture_comes_out_under_its_name(thousand):
    members, shown = thousand
    sizes = [member.size for member in members]
    assert min(sizes) < pictures.SMALL < max(sizes)
    decoded = dict(decode_each(members, Fit()))
    assert decoded.keys() == shown.keys()
    assert all(np.array_equal(decoded[name], shown[name]) for name in shown)


def test_a_folders_files_are_read_by_the_workers(encode, random_pixels, tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(encode(random_pixels((80, 80, 3))))
    members = [Member("a", path, path.stat().st_size), Member("gone", tmp_path / "gone.png", 99_999)]
    decoded = dict(decode_each(members, Fit()))
    assert np.array_equal(decoded["a"], random_pixels((80, 80, 3)))
    assert "No such file" in decoded["gone"]


def test_only_a_few_tasks_wait_in_memory(encode, random_pixels, monkeypatch):
    monkeypatch.setattr(pictures, "WORKERS", 2)
    data = encode(random_pixels((48, 48, 3)))
    taken, ahead = 0, []

    def members():
        nonlocal taken
        for i in range(40 * pictures.TASK):
            taken += 1
            yield _member(str(i), data)

    for done, _ in enumerate(decode_each(members(), Fit()), start=1):
        ahead.append(taken - done)
    assert done == taken
    assert max(ahead) <= 6 * pictures.TASK


def test_tasks_are_bounded_by_bytes_too(monkeypatch):
    monkeypatch.setattr(pictures, "TASK_BYTES", 100)
    tasks = list(pictures._tasks(_member(str(i), bytes(40)) for i in range(7)))
    assert [len(task) for task in tasks] == [3, 3, 1]


def test_damaged_pictures_are_told_by_us_and_not_by_pillow(encode):
    whole = encode(np.zeros((32, 32, 3), np.uint8), "TIFF")
    cuts = [_member(f"{length}.tif", whole[:length]) for length in range(4, len(whole), 8)]
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        with quietly():
            decoded = dict(decode_each([*cuts, _member("whole.tif", whole)], Fit()))
        assert said == []
        with suppress(Unreadable):
            decode(cuts[1].data)
        assert said, "Pillow by itself does say something"
    assert {name for name, pixels in decoded.items() if not isinstance(pixels, str)} == {"whole.tif"}


def test_what_libtiff_writes_of_damaged_pictures_does_not_reach_the_terminal(encode, random_pixels, capfd):
    whole = encode(random_pixels((40, 40, 3)), "TIFF", compression="tiff_lzw")
    damaged = bytes([*whole[:100], *(each ^ 255 for each in whole[100:200]), *whole[200:]])
    with quietly():
        ((_, told),) = decode_each([_member("a.tif", damaged)], Fit())
    assert isinstance(told, str)
    assert capfd.readouterr().err == ""


def test_whoever_gives_up_waits_for_little(encode, random_pixels):
    data = encode(random_pixels((200, 200, 3)))
    taken = []

    def members():
        for i in range(10_000):
            taken.append(i)
            yield _member(str(i), data)

    decoded = decode_each(members(), Fit())
    next(decoded)
    decoded.close()
    assert len(taken) < 2_000
