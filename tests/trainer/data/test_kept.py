"""What is told of the cache of decoded images."""

import pytest

from trainer.data import kept


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "vaemon"


def test_a_cache_that_is_not_there_yet_is_empty(folder):
    found = kept.examine()
    assert (found.level, found.facts) == ("ok", {"folder": str(folder), "sets": 0, "images": 0, "rest": 0})
    assert not folder.exists()


def test_images_and_what_is_there_besides_are_counted(folder):
    folder.mkdir()
    (folder / "images-a-b.u8").write_bytes(bytes(100))
    (folder / "images-c-d.u8").write_bytes(bytes(50))
    (folder / "weights.pth").write_bytes(bytes(7))
    assert kept.examine().facts == {"folder": str(folder), "sets": 2, "images": 150, "rest": 7}


def test_a_folder_that_cannot_be_written_is_warned_of(monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/nowhere")
    monkeypatch.setattr(kept.os, "access", lambda path, mode: False)
    found = kept.examine()
    assert found.level == "warning"
    assert "XDG_CACHE_HOME" in found.advice
