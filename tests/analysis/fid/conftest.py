"""The command line, away from the user's cache folder."""

import pytest
from click.testing import CliRunner

from analysis.features import weights
from vaemon.cli import vaemon


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv(weights.VARIABLE, raising=False)


@pytest.fixture
def run():
    """run("A", "B", …) -> what `vaemon fid` prints, and on stderr; an error of vaemon's is raised."""

    def fid(*words):
        done = CliRunner().invoke(vaemon, ["fid", *map(str, words)], catch_exceptions=False, standalone_mode=False)
        return done.stdout, done.stderr

    return fid
