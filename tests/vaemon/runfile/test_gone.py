"""Files that are put together between being listed and being opened, or while a reader has let go of them."""

import shutil

import numpy as np
import pytest

from vaemon import Recorder, open_run
from vaemon.batch import Cursor, Want
from vaemon.errors import RunFileError, SourceLost
from vaemon.runfile import read
from vaemon.runfile.find import list_segments
from vaemon.runfile.merge import merge
from vaemon.runfile.segment import SegmentReader
from vaemon.source.local import LocalSource


@pytest.fixture
def folder(runs):
    """A run of five files of ten rows each."""
    for first in range(1, 51, 10):
        with Recorder("r", live=False, resume=first > 1) as recorder:
            for step in range(first, first + 10):
                recorder.log(step, mse=1 / step)
    return runs / "r"


def put_together(folder):
    segments = [SegmentReader(path, number) for number, path in list_segments(folder)]
    merge(segments)
    for segment in segments:
        segment.close()


@pytest.fixture
def merged_once_listed(folder, monkeypatch):
    """The files are put together when they have been listed, before they are opened."""

    def listed(where):
        found = list_segments(where)
        monkeypatch.setattr(read, "list_segments", list_segments)
        put_together(folder)
        return found

    monkeypatch.setattr(read, "list_segments", listed)
    return folder


def all_there(run):
    np.testing.assert_array_equal(run.series("step").mean, np.arange(1, 51))
    np.testing.assert_allclose(run.series("mse").mean, 1 / np.arange(1, 51), rtol=1e-6)
    assert [event.text for event in run.events() if event.kind == "error"] == []


def test_files_that_go_between_listing_and_opening_are_no_error(merged_once_listed):
    with open_run(merged_once_listed) as run:
        all_there(run)


def test_files_that_go_while_a_run_is_open_are_no_error(folder, monkeypatch):
    monkeypatch.setattr(read, "MOST_OPEN", 1)
    with open_run(folder) as run:
        put_together(folder)
        all_there(run)


def test_files_that_go_during_a_follow_are_no_error(folder, monkeypatch):
    monkeypatch.setattr(read, "MOST_OPEN", 1)
    rest = read.RunReader._rest

    def rest_then_merge(run):
        rest(run)
        monkeypatch.setattr(read.RunReader, "_rest", rest)
        put_together(folder)

    with open_run(folder) as run:
        follower = run.follow("mse")
        monkeypatch.setattr(read.RunReader, "_rest", rest_then_merge)
        assert follower.read()["step"].tolist() == list(range(1, 51))


def test_files_that_go_during_a_poll_are_no_error(folder, monkeypatch):
    monkeypatch.setattr(read, "MOST_OPEN", 1)
    rest = read.RunReader._rest

    def rest_then_merge(run):
        rest(run)
        monkeypatch.setattr(read.RunReader, "_rest", rest)
        put_together(folder)

    monkeypatch.setattr(read.RunReader, "_rest", rest_then_merge)
    assert LocalSource(folder).poll(Cursor(), Want(("mse",))).columns.step.tolist() == list(range(1, 51))


def test_a_file_that_leads_nowhere_hides_itself_only(folder):
    (folder / "segment-0099.h5").symlink_to(folder / "nowhere")
    with open_run(folder) as run:
        assert len(run.series("step").mean) == 50
        assert any("segment-0099" in event.text for event in run.events())


def test_a_folder_that_is_gone_is_told(folder):
    source = LocalSource(folder)
    with open_run(folder) as run:
        source.poll(Cursor(), Want(("mse",)))
        shutil.rmtree(folder)
        with pytest.raises(RunFileError, match="cannot look into"):
            run.refresh()
    with pytest.raises(SourceLost, match="the run's folder is gone"):
        source.poll(Cursor(), Want(("mse",)))
    source.close()
