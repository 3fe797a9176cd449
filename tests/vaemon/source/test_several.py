"""Runs opened by several addresses at once: each exists, is opened once, and is told from the others."""

import pytest

from vaemon import Recorder
from vaemon.errors import UnknownName, UsageError
from vaemon.source.open import open_several


@pytest.fixture
def three(runs):
    for name in ("a1", "a2", "b"):
        with Recorder(name, latents=1, runs=runs) as recorder:
            recorder.log(1, mean_variance=[0.75])


def names(addresses, runs, **more):
    opened = open_several(addresses, runs, **more)
    told = [(name, source.info().name) for name, source in opened]
    for _, source in opened:
        source.close()
    assert all(name == own for name, own in told)
    return [name for name, _ in told]


def test_names_patterns_and_paths_each_once(three, runs):
    assert names(["b", "a*", str(runs / "a1"), "b"], runs) == ["b", "a2", "a1"]


def test_without_an_address_it_is_the_latest(three, runs):
    assert names([], runs) == names(["latest"], runs) == ["b"]


def test_more_than_can_be_watched_at_once(runs):
    for i in range(30):
        Recorder(f"r{i}", latents=1, runs=runs).close()
    assert len(names(["r*"], runs)) == 30


def test_they_must_exist(three, runs):
    with pytest.raises(UnknownName, match="unknown run 'a3'"):
        open_several(["b", "a3"], runs)
    with pytest.raises(UsageError, match="has a name like 'c\\*'"):
        open_several(["c*"], runs)


def test_thresholds_hold_for_all(three, runs):
    opened = open_several(["a*"], runs, {"inactive": 0.7})
    assert [source.info().thresholds.inactive for _, source in opened] == [0.7, 0.7]
    for _, source in opened:
        source.close()
