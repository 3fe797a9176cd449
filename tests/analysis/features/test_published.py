"""What is told of the file of Inception's weights."""

import hashlib

import pytest

from analysis.features import published
from trainer.data.cache import place
from trainer.fetch.catalogue import File

CONTENT = b"weights"


@pytest.fixture(autouse=True)
def small(tmp_path, monkeypatch):
    """As if these few bytes were the weights."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv(published.VARIABLE, raising=False)
    checksum = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"
    monkeypatch.setattr(published, "PUBLISHED", File("pt.pth", checksum, len(CONTENT)))


def test_before_they_are_fetched_nothing_is_amiss():
    found = published.examine()
    assert (found.level, found.facts["whole"]) == ("ok", None)


@pytest.mark.parametrize(("content", "level"), [(CONTENT, "ok"), (b"other", "warning"), (b"", "warning")])
def test_those_in_the_cache_are_checked(content, level):
    place().mkdir(parents=True)
    (place() / "pt.pth").write_bytes(content)
    found = published.examine()
    assert (found.level, found.facts["whole"], found.facts["size"]) == (level, level == "ok", len(content))
    assert bool(found.advice) == (level == "warning")


def test_those_that_the_user_names_are_looked_for_there(tmp_path, monkeypatch):
    monkeypatch.setenv(published.VARIABLE, str(tmp_path / "mine.pth"))
    assert published.examine().level == "warning"
    (tmp_path / "mine.pth").write_bytes(CONTENT)
    found = published.examine()
    assert found.level == "ok"
    assert "$VAEMON_INCEPTION" in found.text


def test_the_home_of_nobody_is_a_path_that_there_is_not(monkeypatch):
    monkeypatch.setenv(published.VARIABLE, "~nobody-of-that-name/pt.pth")
    assert "~nobody-of-that-name/pt.pth ($VAEMON_INCEPTION): No such file" in published.examine().text
