"""The runs of a folder, read once each."""

import os

import pytest

from vaemon import Recorder
from vaemon.batch import RunState
from vaemon.errors import SourceLost
from vaemon.source.directory import LocalDirectory
from vaemon.source.local import LocalSource


@pytest.fixture
def polled(monkeypatch):
    """The names of the runs that were read, in that order."""
    read, poll = [], LocalSource.poll
    monkeypatch.setattr(
        LocalSource, "poll", lambda self, *asked: (read.append(self.folder.name), poll(self, *asked))[1]
    )
    return read


def record(name, rows=3):
    with Recorder(name, latents=2) as recorder:
        for step in range(1, rows + 1):
            recorder.log(step, mean_variance=[0.1, 0.9])


def test_a_run_that_is_over_is_read_once(runs, polled):
    record("one"), record("two")
    directory = LocalDirectory()
    first = directory.runs(10.0)
    assert [each.name for each in first] == ["two", "one"]
    assert [each.batch.latest.step for each in first] == [3, 3]
    again = directory.runs(10.0)
    assert [a is b for a, b in zip(first, again, strict=True)] == [True, True]
    assert polled == ["two", "one"]


def test_it_is_read_again_when_its_files_change(runs, polled):
    record("one")
    directory = LocalDirectory()
    directory.runs(10.0)
    os.utime(runs / "one" / "segment-0000.h5", (2e9, 2e9))
    directory.runs(10.0)
    assert polled == ["one", "one"]


def test_a_live_run_is_read_each_time(runs, polled):
    directory = LocalDirectory()
    with Recorder("live", latents=2) as recorder:
        for step in (1, 2):
            recorder.log(step, mean_variance=[0.1, 0.9])
            recorder.flush()
            (told,) = directory.runs(10.0)
            assert (told.batch.info.state, told.batch.latest.step) == (RunState.RUNNING, step)
    assert directory.runs(10.0)[0].batch.info.state is RunState.FINISHED


def test_what_there_was_no_time_for_is_read_later(runs, polled):
    record("one")
    directory = LocalDirectory()
    (told,) = directory.runs(-1.0)
    assert (told.batch, told.reason, polled) == (None, "", [])
    assert directory.runs(10.0)[0].batch is not None


def test_a_damaged_run_is_told_with_the_reason(runs):
    record("one")
    (runs / "one" / "segment-0000.h5").write_bytes(b"gone")
    (told,) = LocalDirectory().runs(10.0)
    assert told.batch is None
    assert "segment-0000" in told.reason


def test_no_folder_is_an_empty_one_and_one_that_is_gone_is_forgotten(runs):
    directory = LocalDirectory()
    assert directory.runs(10.0) == ()
    record("one")
    address = directory.runs(10.0)[0].address
    source = directory.open(address)
    assert source.info().address == address
    directory.close()
    (runs / "one").rename(runs / "two")
    assert [each.name for each in directory.runs(10.0)] == ["two"]


def test_a_folder_that_may_not_be_looked_into(runs, monkeypatch):
    monkeypatch.setattr("pathlib.Path.iterdir", lambda self: (_ for _ in ()).throw(PermissionError(13, "not allowed")))
    with pytest.raises(SourceLost, match="not allowed"):
        LocalDirectory().runs(10.0)


def test_its_runs_are_looked_at_by_the_thresholds_asked_for(runs):
    record("one")
    directory = LocalDirectory(thresholds={"inactive": 0.05})
    (told,) = directory.runs(10.0)
    opened = directory.open(told.address)
    assert told.batch.info.thresholds.inactive == opened.info().thresholds.inactive == 0.05
    directory.close()
