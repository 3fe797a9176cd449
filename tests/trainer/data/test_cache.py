import os
from pathlib import Path

import numpy as np
import pytest

from trainer.data import cache
from trainer.data.cache import cached, fingerprint, place


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "pictures.tar"
    path.write_bytes(b"content")
    return path


class _Build:
    """Counts how often it is asked."""

    def __init__(self):
        self.times = 0

    def __call__(self):
        self.times += 1
        return {"train": np.full((2, 3), self.times, np.uint8), "names": np.array(["ä", "b"])}


def test_arrays_come_back_as_they_were(source):
    build = _Build()
    first, second = cached(source, "8", build), cached(source, "8", build)
    assert build.times == 1
    assert set(first) == set(second)
    assert all(np.array_equal(first[name], second[name]) and first[name].dtype == second[name].dtype for name in first)


def test_the_cache_stands_where_the_user_keeps_caches(source, cache_home, monkeypatch, tmp_path):
    cached(source, "8", _Build())
    (file,) = (cache_home / "vaemon").iterdir()
    assert file == place(source, "8")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert place(source, "8").parent == tmp_path / ".cache" / "vaemon"


def test_a_recipe_has_a_cache_of_its_own(source):
    build = _Build()
    for recipe in ("8", "16", "8", "16"):
        cached(source, recipe, build)
    assert build.times == 2


def test_a_changed_source_is_read_again_and_takes_the_same_place(source, cache_home):
    build = _Build()
    cached(source, "8", build)
    source.write_bytes(b"other content")
    assert cached(source, "8", build)["train"].max() == 2
    os.utime(source, ns=(1, 1))
    assert cached(source, "8", build)["train"].max() == 3
    assert cached(source, "8", build)["train"].max() == 3, "the newest is what is kept"
    assert len(list((cache_home / "vaemon").iterdir())) == 1, "stale caches do not pile up"


def test_a_new_meaning_of_the_arrays_voids_older_caches(source, monkeypatch):
    build = _Build()
    cached(source, "8", build)
    monkeypatch.setattr(cache, "VERSION", cache.VERSION + 1)
    cached(source, "8", build)
    assert build.times == 2


def test_a_folder_is_known_by_names_sizes_and_times(write_folder):
    folder = write_folder({"a.png": b"one", "b/c.png": b"two"})
    seen = {fingerprint(folder)}
    (folder / "d.png").write_bytes(b"three")
    seen.add(fingerprint(folder))
    (folder / "d.png").write_bytes(b"three and more")
    seen.add(fingerprint(folder))
    os.utime(folder / "a.png", ns=(5, 5))
    seen.add(fingerprint(folder))
    (folder / "a.png").rename(folder / "e.png")
    seen.add(fingerprint(folder))
    assert len(seen) == 5
    assert fingerprint(folder) in seen


def test_a_damaged_cache_is_rebuilt(source, random_pixels):
    build = _Build()
    cached(source, "8", build)
    whole = place(source, "8").read_bytes()
    where = np.random.default_rng(0).integers(0, len(whole), 60)
    for at in where:
        place(source, "8").write_bytes(whole[:at])
        before = build.times
        cached(source, "8", build)
        assert build.times == before + 1
    for at in where:
        flipped = bytearray(whole)
        flipped[at] ^= 0xFF
        place(source, "8").write_bytes(flipped)
        build.times = 0
        assert cached(source, "8", build)["train"].max() == 1, "a wrong byte is noticed, or does not matter"


def test_a_cache_that_cannot_be_written_is_done_without(source, cache_home):
    (cache_home / "vaemon").write_text("a file where the folder should be")
    build = _Build()
    for times in (1, 2):
        assert cached(source, "8", build)["train"].max() == times


def test_a_failed_write_leaves_nothing_behind(source, cache_home, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    assert cached(source, "8", _Build())["train"].max() == 1
    assert list((cache_home / "vaemon").iterdir()) == []


def test_an_interrupted_write_leaves_nothing_behind(source, cache_home, monkeypatch):
    def interrupted(file, **_):
        file.write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "savez", interrupted)
    with pytest.raises(KeyboardInterrupt):
        cached(source, "8", _Build())
    assert list((cache_home / "vaemon").iterdir()) == []


def test_a_user_without_a_home_has_no_cache(source, monkeypatch):
    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", homeless)
    build = _Build()
    for times in (1, 2):
        assert cached(source, "8", build)["train"].max() == times
