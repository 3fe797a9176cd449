import json

import pytest


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """No test looks into what the user has."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("VAEMON_INCEPTION", raising=False)


@pytest.fixture
def examined(call):
    """examined(*words) -> exit code of `vaemon doctor --json WORDS`, and what was found, by name."""

    def examine(*words):
        done = call("doctor", "--json", *words)
        told = json.loads(done.out)
        assert told["ok"] == (done.code == 0)
        return done.code, {each["what"]: each for each in told["found"]}

    return examine
