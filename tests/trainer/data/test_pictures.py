import warnings
from contextlib import suppress

import numpy as np
import pytest

from trainer.data import pictures
from trainer.data.decode import Unreadable, decode
from trainer.data.members import Member
from trainer.data.pictures import decode_all
from vaemon.errors import UsageError


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
    decoded = decode_all(members, 0)
    assert decoded.keys() == shown.keys()
    assert all(np.array_equal(decoded[name], shown[name]) for name in shown)


def test_a_folders_files_are_read_by_the_workers(encode, random_pixels, tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(encode(random_pixels((80, 80, 3))))
    decoded = decode_all([Member("a", path, path.stat().st_size), Member("gone", tmp_path / "gone.png", 99_999)], 0)
    assert np.array_equal(decoded["a"], random_pixels((80, 80, 3)))
    assert decoded["gone"] is None


def test_only_a_few_tasks_wait_in_memory(encode, random_pixels, monkeypatch):
    monkeypatch.setattr(pictures, "WORKERS", 2)
    data = encode(random_pixels((48, 48, 3)))
    taken, ahead = 0, []

    def members():
        nonlocal taken
        for i in range(40 * pictures.TASK):
            taken += 1
            yield _member(str(i), data)

    for done, _ in enumerate(pictures._decoded(members(), 0), start=1):
        ahead.append(taken - done)
    assert done == taken
    assert max(ahead) <= 6 * pictures.TASK


def test_tasks_are_bounded_by_bytes_too(monkeypatch):
    monkeypatch.setattr(pictures, "TASK_BYTES", 100)
    tasks = list(pictures._tasks(_member(str(i), bytes(40)) for i in range(7)))
    assert [len(task) for task in tasks] == [3, 3, 1]


def test_the_first_odd_one_is_named(encode):
    members = [
        _member(name, encode(np.zeros(shape, np.uint8)))
        for name, shape in (("a.png", (8, 6)), ("b.png", (8, 6)), ("c.png", (9, 6)), ("d.png", (1, 1)))
    ]
    with pytest.raises(UsageError, match=r"c.png is 6 × 9, but a.png is 6 × 8; .*--set data.size=N"):
        decode_all(members, 0)
    assert {pixels.shape for pixels in decode_all(members, 5).values()} == {(5, 5)}


def test_damaged_pictures_are_none_and_say_nothing(encode):
    whole = encode(np.zeros((32, 32, 3), np.uint8), "TIFF")
    cuts = [_member(f"{length}.tif", whole[:length]) for length in range(4, len(whole), 8)]
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        decoded = decode_all([*cuts, _member("whole.tif", whole)], 0)
        assert said == []
        with suppress(Unreadable):
            decode(cuts[1].data, 0)
        assert said, "Pillow by itself does say something"
    assert {name for name, pixels in decoded.items() if pixels is not None} == {"whole.tif"}


def test_pictures_that_do_not_fit_are_refused_before_memory_is_full(encode, monkeypatch):
    monkeypatch.setattr(pictures, "_memory", lambda: 10_000)
    members = [_member(f"{i}.png", encode(np.zeros((20, 30, 3), np.uint8))) for i in range(9)]
    with pytest.raises(UsageError, match=r"do not fit in memory \(3 of 30 × 20 read so far\); .*data.size=N"):
        decode_all(members, 0)
    assert len(decode_all(members, 4)) == 9


def test_the_machine_has_memory():
    assert pictures._memory() > 2**26
