"""Putting segments together changes where rows lie, and nothing that is read."""

import os
import shutil
import subprocess
import sys

import h5py
import numpy as np
import pytest
from click.testing import CliRunner

from vaemon import Recorder, open_run
from vaemon.batch import Cursor, Want
from vaemon.cli import vaemon
from vaemon.errors import RunFileError, RunLocked
from vaemon.runfile import merge as merging
from vaemon.runfile.compact import compact_run
from vaemon.runfile.find import list_segments
from vaemon.source.local import LocalSource


@pytest.fixture
def run(runs, staircase, log_rows):
    """Two stages; the first resumed further back, with a late channel, late values and notes."""
    with Recorder("r", latents=3) as recorder:
        log_rows(recorder, staircase(900, 3))
        recorder.event("note", "kept", step=300)
        recorder.event("note", "void", step=800)
        recorder.log(901, mean_variance=np.full(3, 0.5), test_mse=0.25)
    with Recorder("r", resume=True) as recorder:
        log_rows(recorder, staircase(900, 3)[:500] + 0.01, first=701)
        recorder.log(1201, mean_variance=np.full(3, 0.5), own=np.arange(3.0), test_mse=0.5)
        recorder.stage(2, latents=5)
        log_rows(recorder, np.full((300, 5), 0.7))
    return runs / "r"


def all_of(folder):
    with open_run(str(folder)) as run:
        series = {
            (stage.number, name): run.series(name, stage=stage.number)
            for stage in run.stages
            for name in run.channels(stage.number)
            if name != "test_mse" or stage.number == 1
        }
        pooled = run.series("mean_variance", stage=1, points=20).mean
        # As float64: where one of several segments lacks a channel, the others' numbers come as such.
        read = {key: (each.step.tobytes(), np.float64(each.mean).tobytes()) for key, each in series.items()}
        return read, run.events(), run.stages, pooled.round(5).tolist()


def test_what_is_read_is_the_same_bit_for_bit_and_takes_less_room(run):
    before, size = all_of(run), sum(path.stat().st_size for _, path in list_segments(run))
    done = compact_run(run)
    after = all_of(run)
    assert after == before
    assert (done.files_before, done.files, done.bytes_before) == (4, 2, size)
    assert done.bytes < 0.8 * size
    with h5py.File(run / "segment-0002.h5") as file:
        assert file["rows"].compression == "gzip"
    assert compact_run(run).bytes == done.bytes, "doing it again changes nothing"


def test_a_compacted_run_may_be_resumed(run, log_rows):
    compact_run(run)
    with Recorder("r", resume=True) as recorder:
        recorder.stage(2, latents=5)
        log_rows(recorder, np.full((10, 5), 0.2), first=296)
    with open_run("r") as reader:
        assert reader.series("step").mean.tolist() == list(range(1, 306))
        assert [each.number for each in reader.segments] == [2, 3, 4]


def test_a_reader_that_is_attached_sees_no_difference(run):
    source = LocalSource(run)
    want = Want(("mean_variance", "mse"), stage=1, columns=64)
    before = source.poll(Cursor(), want)
    compact_run(run)
    again = source.poll(before.cursor, want)
    assert len(again.columns) == 0
    assert again.rows == before.rows
    fresh = source.poll(Cursor(), want)
    np.testing.assert_array_equal(fresh.columns.mean["mean_variance"], before.columns.mean["mean_variance"])
    source.close()


def test_cut_off_between_two_removals_it_still_reads_the_same(run, monkeypatch):
    before = all_of(run)
    monkeypatch.setattr("pathlib.Path.unlink", lambda self, missing_ok=False: None)
    compact_run(run)
    monkeypatch.undo()
    assert len(list_segments(run)) == 4, "the old ones still lie about"
    assert all_of(run) == before
    compact_run(run)
    assert len(list_segments(run)) == 2
    assert all_of(run) == before


def test_a_copy_that_differs_replaces_nothing(run, monkeypatch):
    before = {path.name: path.read_bytes() for _, path in list_segments(run)}
    honest = merging._table

    def wrong(rows, layout, begin, end):
        table = honest(rows, layout, begin, end)
        wrong.calls += 1
        if wrong.calls == 1:
            table["mse"][3] += 1
        return table

    wrong.calls = 0
    monkeypatch.setattr(merging, "_table", wrong)
    with pytest.raises(RunFileError, match="was left as it is"):
        compact_run(run)
    assert {path.name: path.read_bytes() for _, path in list_segments(run)} == before
    assert not [name for name in os.listdir(run) if name.startswith(".")]


def contents(folder):
    return {path.name: path.read_bytes() for _, path in list_segments(folder)}


def change_a_byte(path, row, name="mse"):
    with h5py.File(path, "r", swmr=True, locking=False) as file:
        rows = file["rows"]
        chunk, at = divmod(row, rows.chunks[0])
        place = rows.id.get_chunk_info(chunk).byte_offset + at * rows.dtype.itemsize + rows.dtype.fields[name][1]
    with open(path, "r+b") as file:
        file.seek(place + 2)
        old = file.read(1)
        file.seek(place + 2)
        file.write(bytes([old[0] ^ 0x40]))


def damage_the_beginning(path):
    with open(path, "r+b") as file:
        file.seek(9)
        file.write(b"\xff")


@pytest.mark.parametrize("damage", [damage_the_beginning, lambda path: change_a_byte(path, 100)])
@pytest.mark.parametrize("number", [0, 1])
def test_a_run_with_a_damaged_segment_is_refused_until_it_is_mended(run, damage, number):
    """What fails its checksum would have one that fits, and what cannot be read now would be passed over for good."""
    damage(run / f"segment-{number:04d}.h5")
    before = contents(run)
    with pytest.raises(RunFileError, match=rf"segment-{number:04d}\.h5: .*`vaemon check r --repair`"):
        compact_run(run)
    assert contents(run) == before
    assert CliRunner().invoke(vaemon, ["check", "r", "--repair"]).exit_code == 0
    mended = all_of(run)
    compact_run(run)
    assert all_of(run) == mended


DIES_BEFORE_ITS_FIRST_COMMIT = """
import os, sys, numpy as np
from vaemon import Recorder
from vaemon.runfile.append import SegmentWriter
SegmentWriter.flush = lambda self: os._exit(9)
recorder = Recorder("r", resume=True)
recorder.log(int(sys.argv[1]), mean_variance=np.ones(2), own=1.0)
recorder.flush()
"""


def die_at(step):
    """A writer that goes on from a step, and is gone before anything is committed."""
    died = subprocess.run([sys.executable, "-c", DIES_BEFORE_ITS_FIRST_COMMIT, str(step)])
    assert died.returncode == 9


def test_a_segment_without_rows_makes_nothing_void_where_it_is_merged(runs, log_rows):
    rows = np.linspace(0.1, 1, 6000).reshape(3000, 2)
    with Recorder("r", latents=2) as recorder:
        log_rows(recorder, rows)
    die_at(500)
    with Recorder("r", resume=True, live=False) as recorder:
        for step in range(3001, 3031):
            recorder.log(step, mean_variance=[0.5, 0.5])
            recorder.flush()
    with open_run("r") as run:
        assert run.series("step").mean.tolist() == list(range(1, 3031))
        assert "own" not in run.channels()
    assert "segment-0001.h5" not in contents(runs / "r")
    assert CliRunner().invoke(vaemon, ["check", "r"]).exit_code == 0


@pytest.mark.parametrize("newest", [False, True])
def test_segments_without_rows_are_removed_with_those_that_are_merged(runs, newest):
    with Recorder("r", latents=2, live=False) as recorder:
        for step in range(1, 6):
            recorder.log(step, mean_variance=[0.5, 0.5])
            recorder.flush()
    for step in (3, 2, 1):
        die_at(step)
    if not newest:
        with Recorder("r", resume=True) as recorder:
            recorder.log(6, mean_variance=[0.5, 0.5])
    before = all_of(runs / "r")
    merging.merge_small(runs / "r")
    assert len(list_segments(runs / "r")) == 1
    assert all_of(runs / "r") == before


def test_segments_that_all_lack_rows_are_left_alone(runs):
    with Recorder("r", latents=2) as recorder:
        recorder.log(1, mean_variance=[0.5, 0.5])
    for _ in range(merging.FEWEST):
        die_at(1)
    change_a_byte(runs / "r" / "segment-0000.h5", 0, "time")
    before = contents(runs / "r")
    merging.merge_small(runs / "r")
    assert contents(runs / "r") == before


def test_what_fails_its_checksum_is_not_merged(runs):
    with Recorder("r", latents=2, live=False) as recorder:
        for step in range(1, 8):
            recorder.log(step, mean_variance=[0.5, 0.5], mse=0.5)
            recorder.flush()
        change_a_byte(runs / "r" / "segment-0003.h5", 0)
        for step in range(8, 13):
            recorder.log(step, mean_variance=[0.5, 0.5], mse=0.5)
            recorder.flush()
    assert "segment-0003.h5" in contents(runs / "r")
    assert CliRunner().invoke(vaemon, ["check", "r"]).exit_code == 1


def test_the_command_says_what_was_gained_and_refuses_a_live_run(run):
    done = CliRunner().invoke(vaemon, ["compact", "r"])
    assert done.exit_code == 0
    assert "4 files" in done.output
    assert "→ 2 files" in done.output
    with Recorder("r", resume=True) as recorder:
        recorder.log(301, mean_variance=np.full(5, 0.5))
        failed = CliRunner().invoke(vaemon, ["compact", "r"])
        assert isinstance(failed.exception, RunLocked)


def test_small_files_are_put_together_only_where_they_are_alike(runs):
    folder = runs / "r"
    with Recorder("r", latents=2, live=False) as recorder:
        for step in range(1, 6):
            recorder.log(step, mean_variance=[0.5, 0.5])
            recorder.flush()
        recorder.stage(2, latents=2)
        for step in range(1, 7):
            recorder.log(step, mean_variance=[0.5, 0.5])
            recorder.flush()
        assert len(list_segments(folder)) == 11
        for step in range(7, 9):
            recorder.log(step, mean_variance=[0.5, 0.5])
            recorder.flush()
        assert len(list_segments(folder)) == 6
    with open_run("r") as run:
        assert run.series("step", stage=1).mean.tolist() == [1, 2, 3, 4, 5]
        assert run.series("step", stage=2).mean.tolist() == [1, 2, 3, 4, 5, 6, 7, 8]


def test_a_run_of_closed_files_is_read_as_it_grows(runs, staircase, log_rows):
    rows = staircase(3000, 4)
    with Recorder("r", latents=4, live=False) as recorder, open_run("r") as run:
        follower, seen = run.follow("mean_variance"), []
        for begin in range(0, 3000, 60):
            log_rows(recorder, rows[begin : begin + 60], first=begin + 1)
            recorder.flush()
            new = follower.read()["mean_variance"]
            if follower.rewound_to is not None:
                seen = [np.concatenate(seen)[: follower.rewound_to]]
            seen.append(new)
        assert len(list_segments(runs / "r")) < 20
    np.testing.assert_array_equal(np.concatenate(seen), rows.astype(np.float32))
    with open_run("r") as run:
        assert [e.latent for e in run.events() if e.kind == "wake"] == [0, 1, 2, 3]
        np.testing.assert_array_equal(run.series("mean_variance").mean, rows.astype(np.float32))


def test_a_killed_writer_of_closed_files_leaves_only_whole_ones(runs):
    with Recorder("r", latents=1, live=False) as recorder:
        for step in range(1, 31):
            recorder.log(step, mean_variance=[0.5])
            recorder.flush()
        shutil.copytree(runs / "r", runs / "copy")  # as a kill at this moment would leave it
    with open_run("copy") as run:
        assert run.series("step").mean.tolist() == list(range(1, 31))
    assert CliRunner().invoke(vaemon, ["check", "copy"]).exit_code == 0
