import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaemon.batch import ImageSet
from vaemon.errors import RunFileError
from vaemon.runfile.check import Remedy, check_run
from vaemon.runfile.images import (
    LONGEST_KIND,
    ImageFolder,
    drop_images,
    file_name,
    parse_name,
    read_images,
    write_images,
)
from vaemon.runfile.repair import repair_run

PIXELS = np.arange(2 * 3 * 4 * 3, dtype=np.uint8).reshape(2, 3, 4, 3)


def put(folder, stage=1, step=5, kind="GEN-1", pixels=PIXELS):
    return write_images(folder, file_name(stage, step, kind), pixels)


@settings(deadline=None)
@given(st.integers(1, 2**31 - 1), st.integers(0, 2**62 - 1), st.text(min_size=1, max_size=15))
def test_a_name_tells_stage_step_and_kind_whatever_the_kind(stage, step, kind):
    name = file_name(stage, step, kind)
    assert "/" not in name
    assert "\0" not in name
    assert not name.startswith(".")
    assert parse_name(name) == (stage, step, kind.encode(errors="replace").decode())


@settings(deadline=None)
@given(st.text(min_size=1))
def test_a_name_is_never_too_long_for_a_file_system(kind):
    assert len(os.fsencode(file_name(1, 2**61, kind))) <= LONGEST_KIND + 40


@pytest.mark.parametrize(
    "name", ["GEN-1.npy", "1-2-.npy", "1-2-a.npz", ".1-2-a.npy", "x-2-a.npy", "01-2-a.npy", "1-2-a.b.npy", "damaged"]
)
def test_other_names_are_no_sets(name):
    assert parse_name(name) is None


def test_what_is_written_is_read_by_numpy_and_by_us(tmp_path):
    path = put(tmp_path, kind="a/b: c")
    assert path.parent == tmp_path / "images"
    np.testing.assert_array_equal(np.load(path, allow_pickle=False), PIXELS)
    found = ImageFolder(tmp_path)
    (one,) = found.list()
    assert (one.stage, one.step, one.kind, one.count, one.height, one.width, one.channels) == (
        1,
        5,
        "a/b: c",
        2,
        3,
        4,
        3,
    )
    images = found.read(one)
    np.testing.assert_array_equal(images, PIXELS)
    assert images.flags.writeable
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_sets_are_listed_in_order_and_anew_when_one_comes(tmp_path):
    found = ImageFolder(tmp_path)
    assert found.list() == ()
    for stage, step, kind in ((2, 1, "GEN-2"), (1, 20, "b"), (1, 3, "b"), (1, 20, "a")):
        put(tmp_path, stage, step, kind)
        found.list()
    told = [(each.stage, each.step, each.kind) for each in found.list()]
    assert told == [(1, 3, "b"), (1, 20, "a"), (1, 20, "b"), (2, 1, "GEN-2")]


def test_nothing_is_read_again_where_nothing_has_changed(tmp_path, monkeypatch):
    put(tmp_path)
    long_ago = 1_000_000_000
    os.utime(tmp_path / "images", (long_ago, long_ago))
    found = ImageFolder(tmp_path)
    before = found.list()
    monkeypatch.setattr(os, "scandir", None)
    assert found.list() is before


def test_a_set_in_the_place_of_another_is_another(tmp_path):
    path = put(tmp_path)
    found = ImageFolder(tmp_path)
    (before,) = found.list()
    put(tmp_path, pixels=PIXELS[:1])
    os.utime(path, (before.time + 5, before.time + 5))
    (after,) = found.list()
    assert after != before
    assert after.count == 1


def hostile(path):
    np.save(path.with_suffix(".tmp"), PIXELS)
    whole = path.with_suffix(".tmp.npy").read_bytes()
    path.with_suffix(".tmp.npy").unlink()
    yield "cut short", whole[:-1]
    yield "longer", whole + b"x"
    yield "empty", b""
    yield "text", b"hello" * 100
    yield "a header that asks for much", whole.replace(b"(2, 3, 4, 3)", b"(64, 256, 256, 3)"[:12])
    yield "no bytes", whole.replace(b"|u1", b"<f8")
    yield "objects", whole.replace(b"|u1", b"|O ")
    yield "code", whole.replace(b"(2, 3, 4, 3)", b"__import__()")


def test_what_is_no_set_is_passed_over_with_a_reason(tmp_path):
    put(tmp_path, step=1)
    path = tmp_path / "images" / "1-5-a.npy"
    for what, content in hostile(path):
        path.write_bytes(content)
        found = ImageFolder(tmp_path)
        assert [each.step for each in found.list()] == [1], what
        assert found.refused.keys() == {path}, what
        with pytest.raises(RunFileError, match=r"1-5-a\.npy"):
            read_images(path)


def test_too_many_or_too_large_images_are_refused(tmp_path):
    for shape in ((65, 2, 2, 1), (1, 257, 2, 1), (2, 2, 2)):
        with pytest.raises(RunFileError):
            read_images(put(tmp_path, pixels=np.zeros(shape, np.uint8)))


def test_neither_links_nor_pipes_nor_folders_are_followed(tmp_path):
    secret = put(tmp_path / "elsewhere" if (tmp_path / "elsewhere").mkdir() is None else tmp_path)
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "1-1-link.npy").symlink_to(secret)
    os.mkfifo(tmp_path / "images" / "1-2-pipe.npy")
    (tmp_path / "images" / "1-3-folder.npy").mkdir()
    found = ImageFolder(tmp_path)
    assert found.list() == ()
    for name in ("1-1-link.npy", "1-2-pipe.npy", "1-3-folder.npy", "1-4-gone.npy"):
        with pytest.raises(RunFileError, match=name):
            read_images(tmp_path / "images" / name)


def test_replaced_steps_lose_their_images_save_the_new_ones(tmp_path):
    for stage, step in ((1, 9), (1, 10), (1, 11), (2, 10)):
        put(tmp_path, stage, step)
    drop_images(tmp_path, 1, 10, frozenset({file_name(1, 11, "GEN-1")}))
    assert [(each.stage, each.step) for each in ImageFolder(tmp_path).list()] == [(1, 9), (1, 11), (2, 10)]
    drop_images(tmp_path / "nowhere", 1, 0, frozenset())


def test_check_tells_a_damaged_set_and_repair_puts_it_aside(tmp_path, runs):
    from vaemon import Recorder

    with Recorder("r") as recorder:
        recorder.log(1, mse=1.0)
        recorder.images("a", PIXELS)
        recorder.images("b", PIXELS)
    path = recorder.folder / "images" / "1-1-b.npy"
    path.write_bytes(path.read_bytes()[:-1])
    (recorder.folder / "images" / ".1-1-c.npy.123").write_bytes(b"half")
    told = {each.file.name: each.findings for each in check_run(recorder.folder, live=False)}
    assert told["images"] == ()
    assert [finding.remedy for finding in told["1-1-b.npy"]] == [Remedy.SET_ASIDE]
    assert told[".1-1-c.npy.123"][0].harmless
    assert len(list(repair_run(recorder.folder))) == 2
    assert [finding for each in check_run(recorder.folder, live=False) for finding in each.findings] == []
    assert (recorder.folder / "images" / "damaged" / "1-1-b.npy").exists()


def test_a_set_that_is_listed_and_then_gone_is_said(tmp_path):
    with pytest.raises(RunFileError, match="cannot be read: No such file"):
        ImageFolder(tmp_path).read(ImageSet(1, 5, "GEN-1", 2, 3, 4, 3))
