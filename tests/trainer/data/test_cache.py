import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from trainer.data import cache, digest, sheet
from trainer.data.cache import cached, place
from trainer.data.watch import Stopped, Watch
from vaemon.errors import UsageError

SHAPE = (4, 5, 3)


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "pictures.tar"
    path.write_bytes(b"content")
    return path


@pytest.fixture
def said():
    return []


@pytest.fixture
def keep(said):
    """keep(source, recipe, build) -> what is cached; sentences go to `said`."""
    return lambda path, recipe, build: cached(path, recipe, build, Watch(say=said.append))


class _Build:
    """Three images to train on and two to test on, all of the number of times that it was asked."""

    def __init__(self, between=lambda: None):
        self.times = 0
        self.between = between

    def __call__(self, sheet):
        self.times += 1
        sheet.allocate({"train": 3, "test": 2}, SHAPE)
        for row in (2, 0, 1):
            sheet.write("train", row, np.full(SHAPE, 10 * self.times + row, np.uint8))
            self.between()
        for row in (0, 1):
            sheet.write("test", row, np.full(SHAPE, 10 * self.times + 5 + row, np.uint8))
        sheet.keep("train", [0, 2])
        return {"names": ["ä", "b"]}


def _values(kept):
    return [kept.parts[part][:, 0, 0, 0].tolist() for part in ("train", "test")]


def _files(home):
    return sorted(each.suffix for each in (home / "vaemon").iterdir())


def test_images_come_back_as_they_were_and_are_ones_own(source, keep):
    build = _Build()
    for _ in range(3):
        kept = keep(source, "8", build)
        assert _values(kept) == [[10, 12], [15, 16]]
        assert kept.parts["train"].shape == (2, *SHAPE)
        assert kept.notes == {"names": ["ä", "b"]}
        kept.parts["train"][:] = 0  # is not seen by who reads it next
    assert build.times == 1


def test_images_are_mapped_and_not_read(source, keep):
    kept = keep(source, "8", _Build())
    base = kept.parts["train"]
    while isinstance(base, np.ndarray) and not isinstance(base, np.memmap):
        base = base.base
    assert isinstance(base, np.memmap)


def test_the_cache_stands_where_the_user_keeps_caches(source, keep, cache_home, monkeypatch, tmp_path):
    keep(source, "8", _Build())
    assert _files(cache_home) == [".json", ".u8"]
    assert place() == cache_home / "vaemon"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert place() == tmp_path / ".cache" / "vaemon"


def test_a_recipe_has_a_cache_of_its_own(source, keep):
    build = _Build()
    for recipe in ("8", "16", "8", "16"):
        keep(source, recipe, build)
    assert build.times == 2


def test_content_decides_and_neither_name_nor_time(source, keep, tmp_path):
    build = _Build()
    keep(source, "8", build)
    os.utime(source, ns=(1, 1))
    keep(source, "8", build)
    (tmp_path / "copy.tar").write_bytes(b"content")
    keep(tmp_path / "copy.tar", "8", build)
    assert build.times == 1
    source.write_bytes(b"CONTENT")
    assert _values(keep(source, "8", build))[0] == [20, 22]


def test_content_is_hashed_only_where_it_was_touched(source, keep, monkeypatch):
    keep(source, "8", _Build())
    monkeypatch.setattr(digest, "_content", None)
    keep(source, "8", _Build())
    status = source.stat()
    source.write_bytes(b"CONTENT")
    os.utime(source, ns=(status.st_atime_ns, status.st_mtime_ns))
    with pytest.raises(TypeError):
        keep(source, "8", _Build())  # same size, same time: that of change tells


def test_a_folder_is_known_by_names_and_content(write_folder, tmp_path):
    (tmp_path / "records").mkdir()

    def taken():
        return digest.Source(folder, Watch()).digest(tmp_path / "records")

    folder = write_folder({"a.png": b"one", "b/c.png": b"two"})
    seen = [taken()]
    (folder / "d.png").write_bytes(b"three")
    seen.append(taken())
    (folder / "d.png").write_bytes(b"threE")
    seen.append(taken())
    (folder / "a.png").rename(folder / "e.png")
    seen.append(taken())
    assert len(set(seen)) == 4
    assert taken() == seen[-1]


def test_a_new_meaning_of_the_pixels_voids_older_caches(source, keep, monkeypatch):
    build = _Build()
    keep(source, "8", build)
    monkeypatch.setattr(cache, "VERSION", cache.VERSION + 1)
    keep(source, "8", build)
    assert build.times == 2


def test_a_damaged_cache_is_rebuilt(source, keep, cache_home):
    build = _Build()
    keep(source, "8", build)
    (file,) = (cache_home / "vaemon").glob("*.u8")
    whole = file.read_bytes()
    where = np.random.default_rng(0).integers(0, len(whole), 80)
    for at in where:
        file.write_bytes(whole[:at])
        build.times = 0
        keep(source, "8", build)
        assert build.times == 1
    for at in where:
        flipped = bytearray(whole)
        flipped[at] ^= 0xFF
        file.write_bytes(flipped)
        build.times = 0
        assert _values(keep(source, "8", build)) == [[10, 12], [15, 16]], "a wrong byte is noticed, or does not matter"


def test_a_damaged_table_of_contents_is_noticed(source, keep, cache_home):
    build = _Build()
    keep(source, "8", build)
    (file,) = (cache_home / "vaemon").glob("*.u8")
    whole = file.read_bytes()
    for told, instead in ((b'"train": [0, [2,', b'"train": [0, [1,'), (b'"names"', b'"NAMES"')):
        assert whole.count(told) == 1
        file.write_bytes(whole.replace(told, instead))
        build.times = 0
        assert _values(keep(source, "8", build)) == [[10, 12], [15, 16]]
        assert build.times == 1


def test_what_changes_while_it_is_read_is_not_kept(source, keep, cache_home, said):
    build = _Build(lambda: source.write_bytes(b"another content"))
    assert _values(keep(source, "8", build)) == [[10, 12], [15, 16]]
    assert said == [
        f"{source} changed while it was read; the images are as they were found, and are not kept for the next run"
    ]
    assert _files(cache_home) == [".json"]
    assert _values(keep(source, "8", _Build())) == [[10, 12], [15, 16]]
    assert _files(cache_home) == [".json", ".u8"]


def test_a_cache_folder_that_cannot_be_is_done_without_and_told(source, keep, cache_home, said):
    (cache_home / "vaemon").write_text("a file where the folder should be")
    build = _Build()
    for times in (1, 2):
        assert _values(keep(source, "8", build))[0] == [10 * times, 10 * times + 2]
    assert len(said) == 2
    assert "cannot be kept in" in said[0]
    assert "training goes on without" in said[0]


def full(*_, **__):
    raise OSError(28, "No space left on device")


MOMENTS = ("at once", "at the first image", "half-way", "at the end", "when synced")


@pytest.mark.parametrize("when", MOMENTS)
def test_a_disk_that_fills_costs_nothing_but_the_cache(when, source, keep, cache_home, said, monkeypatch):
    if when == "at once":
        monkeypatch.setattr(os, "posix_fallocate", full)
    if when == "at the first image":
        monkeypatch.setattr(os, "pwrite", full)
    if when == "at the end":
        monkeypatch.setattr(os, "ftruncate", lambda descriptor, length: full() if length else None)
    if when == "when synced":
        monkeypatch.setattr(os, "fsync", full)
    between = (lambda: monkeypatch.setattr(os, "pwrite", full)) if when == "half-way" else lambda: None
    build = _Build(between)
    build.times = before = MOMENTS.index(when)  # other values each time, for memory may hold those of the last test
    at = 10 * before + 10
    assert _values(keep(source, "8", build)) == [[at, at + 2], [at + 5, at + 6]]
    assert build.times == before + 1, "nothing is decoded twice"
    assert len(said) == 1
    assert "No space left on device" in said[0]
    assert _files(cache_home) == [".json"], "nothing half-written is left"


def test_a_file_system_that_sets_no_room_aside_is_good_enough(source, keep, cache_home, said, monkeypatch):
    def unknown(*_):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "posix_fallocate", unknown)
    assert _values(keep(source, "8", _Build())) == [[10, 12], [15, 16]]
    assert _files(cache_home) == [".json", ".u8"]
    assert said == []


def test_a_real_limit_of_file_size_costs_nothing_but_the_cache(source, tmp_path):
    code = """
import resource, sys, pathlib, numpy as np
from trainer.data.cache import cached
from trainer.data.watch import Watch
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
def build(sheet):
    sheet.allocate({"train": 50}, (100, 100, 3))
    for row in range(50):
        sheet.write("train", row, np.full((100, 100, 3), row, np.uint8))
    return {}
kept = cached(pathlib.Path(sys.argv[1]), "8", build, Watch(say=print))
assert (kept.parts["train"][:, 0, 0, 0] == np.arange(50)).all()
"""
    done = subprocess.run([sys.executable, "-c", code, source], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "(File too large); training goes on without" in done.stdout


def test_what_fits_nowhere_is_refused(source, keep, monkeypatch):
    monkeypatch.setattr(os, "posix_fallocate", full)
    monkeypatch.setattr(sheet, "_memory", lambda: 300)
    with pytest.raises(UsageError, match=r"5 images of 5 × 4 fit neither in memory nor .*--set data.size=N"):
        keep(source, "8", _Build())


@pytest.mark.parametrize("error", [KeyboardInterrupt, Stopped, UsageError])
def test_whatever_ends_the_decoding_leaves_nothing_behind(error, source, keep, cache_home):
    def end():
        raise error

    with pytest.raises(error):
        keep(source, "8", _Build(end))
    assert _files(cache_home) == [".json"]


def test_a_user_without_a_home_has_no_cache(source, keep, monkeypatch):
    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", homeless)
    build = _Build()
    for times in (1, 2):
        assert _values(keep(source, "8", build))[0] == [10 * times, 10 * times + 2]


CHILD = """
import os, pathlib, sys, time, numpy as np
from trainer.data.cache import cached
from trainer.data.watch import Watch
source, home = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
def build(sheet):
    sheet.allocate({"train": 1}, (4, 4, 1))
    sheet.write("train", 0, np.full((4, 4, 1), 7, np.uint8))
    (home / f"built-{os.getpid()}").touch()
    while not (home / "go").exists():
        time.sleep(0.01)
    return {}
print("begun", flush=True)
kept = cached(source, "8", build, Watch(say=lambda text: print(text, flush=True)))
print(kept.parts["train"].sum(), flush=True)
"""


@pytest.fixture
def child(source, tmp_path):
    """Starts a process that decodes until told to go on."""
    started = []

    def start():
        process = subprocess.Popen(
            [sys.executable, "-c", CHILD, source, tmp_path], stdout=subprocess.PIPE, text=True, bufsize=1
        )
        started.append(process)
        assert process.stdout.readline() == "begun\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def _wait_for(folder, count):
    while len(list(folder.glob("built-*"))) < count:
        time.sleep(0.01)


def test_of_two_that_start_at_once_one_decodes_and_both_have_the_images(child, tmp_path, cache_home):
    first = child()
    _wait_for(tmp_path, 1)
    second = child()
    assert "another process is decoding the same images" in second.stdout.readline()
    (tmp_path / "go").touch()
    assert [process.communicate()[0] for process in (first, second)] == ["112\n", "112\n"]
    assert len(list(tmp_path.glob("built-*"))) == 1
    assert _files(cache_home) == [".json", ".u8"]


def test_where_the_one_that_decodes_is_killed_the_other_takes_over(child, tmp_path, cache_home):
    first = child()
    _wait_for(tmp_path, 1)
    second = child()
    second.stdout.readline()
    os.kill(first.pid, signal.SIGKILL)
    _wait_for(tmp_path, 2)
    (tmp_path / "go").touch()
    assert second.communicate()[0] == "112\n"
    assert _files(cache_home) == [".json", ".u8"]


def test_what_a_killed_process_left_is_swept(child, source, tmp_path, keep, cache_home):
    first = child()
    _wait_for(tmp_path, 1)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    assert ".part" in _files(cache_home)
    keep(source, "another recipe", _Build())
    assert _files(cache_home) == [".json", ".u8"]


def test_who_waits_can_be_stopped(child, source, tmp_path):
    child()
    _wait_for(tmp_path, 1)
    asked = iter([False] * 5 + [True] * 100)
    with pytest.raises(Stopped):
        cached(source, "8", _Build(), Watch(stop=lambda: next(asked)))


def test_the_record_of_a_source_may_be_anything(source, keep, cache_home):
    keep(source, "8", _Build())
    (record,) = (cache_home / "vaemon").glob("source-*.json")
    for text in ("", "[]", "null", '{"stamp": 1}', "\0"):
        record.write_text(text)
        assert _values(keep(source, "8", _Build()))[0] == [10, 12]
    assert set(json.loads(record.read_text())) == {"stamp", "digest"}
