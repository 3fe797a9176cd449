"""`vaemon check`: what is wrong is found, what can be mended is, and nothing is destroyed."""

import contextlib
import json
import shutil
import subprocess
import sys
import zlib

import h5py
import numpy as np
import pytest
from click.testing import CliRunner

from vaemon import Recorder, open_run
from vaemon.cli import vaemon
from vaemon.errors import RunFileError, RunLocked, UnknownName
from vaemon.runfile.check import check_run
from vaemon.runfile.images import ImageFolder
from vaemon.runfile.schema import commit_record
from vaemon.runfile.superblock import read_superblock, renew_superblock


@pytest.fixture
def run(runs, staircase, log_rows):
    """A run of one segment with six commits of 300 rows, and what its files hold."""
    with Recorder("r", latents=3, config={"lr": 1}) as recorder:
        for begin in range(0, 1800, 300):
            log_rows(recorder, staircase(1800, 3)[begin : begin + 300], first=begin + 1)
            recorder.flush()
        recorder.event("note", "hello")
    return runs / "r"


def said(*words):
    done = CliRunner().invoke(vaemon, ["check", *words])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.output


def change(path, name, at, field=None, value=None):
    """Overwrite one record of a closed file, as a failing disk would."""
    with h5py.File(path, "r+") as file:
        records = file[name][at : at + 1]
        if field is None:
            records[...] = value
        else:
            records[field] = value
        file[name][at : at + 1] = records


def everything(folder):
    with open_run(str(folder)) as run:
        return run.series("step").mean, run.series("mean_variance").mean, [e for e in run.events() if e.kind != "error"]


def test_a_whole_run_is_right(run):
    code, text = said("r")
    assert code == 0
    assert "1,800 rows" in text
    assert "--repair" not in text
    assert said("r", "--repair") == (code, text)


@pytest.mark.parametrize("row", [0, 700, 1799])
def test_a_changed_row_is_found_and_its_commit_left_out_by_a_repair(run, row):
    before = everything(run)
    change(run / "segment-0000.h5", "rows", row, "mse", 77.0)
    damaged = (run / "segment-0000.h5").read_bytes()
    code, text = said("r")
    first = row // 300 * 300
    assert code == 1
    assert "do not fit their checksum" in text
    assert (run / "segment-0000.h5").read_bytes() == damaged, "looking changes nothing"
    code, text = said("r", "--repair")
    assert code == 0
    assert (run / "damaged" / "segment-0000.h5").read_bytes() == damaged
    steps, variance, events = everything(run)
    kept = np.delete(np.arange(1800), np.arange(first, first + 300)) if row != 0 else steps - 1
    np.testing.assert_array_equal(steps, before[0][kept])
    np.testing.assert_array_equal(variance, before[1][kept])
    assert events == before[2]
    assert said("r")[0] == 0


def test_a_changed_bin_is_found_and_made_again(run):
    before = everything(run)
    change(run / "segment-0000.h5", "pyramid/32/latent-mean_variance", 3, value=9.0)
    code, text = said("r")
    assert code == 1
    assert "bins of 32 rows do not fit their rows" in text
    code, text = said("r", "--repair")
    assert code == 0
    assert "all rows are there" in text
    np.testing.assert_array_equal(everything(run)[1], before[1])


def test_a_changed_event_is_found(run):
    change(run / "segment-0000.h5", "events", 0, "step", 7)
    code, text = said("r")
    assert code == 1
    assert "events" in text
    assert said("r", "--repair")[0] == 0
    assert len(everything(run)[0]) == 1800


def test_a_torn_commit_record_hides_no_row_of_those_before_it(run):
    with h5py.File(run / "segment-0000.h5") as file:
        commits = len(file["commits"])
        whole = file["commits"][commits - 2]["rows"]
    change(
        run / "segment-0000.h5",
        "commits",
        commits - 1,
        value=np.zeros(1, h5py.File(run / "segment-0000.h5")["commits"].dtype),
    )
    assert len(everything(run)[0]) == whole
    code, text = said("r")
    assert code == 1
    assert "commit record" in text
    assert said("r", "--repair")[0] == 0
    assert said("r")[0] == 0


def test_rows_out_of_order_are_found(run):
    path = run / "segment-0000.h5"
    change(path, "rows", 1799, "step", 5)
    with h5py.File(path) as file:
        commits, rows = file["commits"][:], file["rows"][:]
    at = int(np.flatnonzero(commits["rows"] == 1800)[0])
    # A writer that erred would have given them a checksum that fits.
    crc = zlib.crc32(rows[commits["rows"][at - 1] :].tobytes())
    events, time, events_crc = (commits[name][at].item() for name in ("events", "time", "events_crc"))
    change(path, "commits", at, value=commit_record(1800, events, time, crc, events_crc))
    code, text = said("r")
    assert code == 1
    assert "row 1,799" in text
    assert said("r", "--repair")[0] == 0
    assert everything(run)[0].tolist() == list(range(1, 1800))


KILLED = """
import os, signal, sys
from vaemon import Recorder
recorder = Recorder("r", latents=2)
for step in range(1, 501):
    recorder.log(step, mean_variance=[step / 1000, 0.5], mse=1.0)
recorder.flush()
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_writers_file_is_marked_closed_and_then_read_by_all(runs):
    subprocess.run([sys.executable, "-c", KILLED], check=False)
    path = runs / "r" / "segment-0000.h5"
    with pytest.raises(OSError, match="already open for write"):
        h5py.File(path, "r")
    code, text = said("r")
    assert code == 0, "nothing of it is lost"
    assert "died before it closed it" in text
    size = path.stat().st_size
    code, text = said("r", "--repair")
    assert (code, path.stat().st_size) == (0, size)
    assert "marked closed" in text
    with h5py.File(path, "r+") as file:  # the very thing that cuts a file whose end is not told right
        assert len(file["rows"]) == 500
    assert path.stat().st_size == size
    assert len(everything(runs / "r")[0]) == 500


def test_our_first_bytes_are_those_that_hdf5_writes(run):
    path = run / "segment-0000.h5"
    before = path.read_bytes()
    renew_superblock(path)
    assert path.read_bytes() == before


def test_a_file_whose_first_bytes_are_damaged_is_saved(run):
    before = everything(run)
    path = run / "segment-0000.h5"
    data = bytearray(path.read_bytes())
    data[20:40] = bytes(20)
    path.write_bytes(data)
    assert said("r")[0] == 1
    code, text = said("r", "--repair")
    assert code == 0
    assert "made anew" in text
    assert (run / "damaged" / "segment-0000.h5").read_bytes() == data
    np.testing.assert_array_equal(everything(run)[1], before[1])


@pytest.mark.parametrize("content", [b"", b"not hdf5 at all" * 100])
def test_what_cannot_be_read_is_put_aside(run, log_rows, content):
    with Recorder("r", resume=True) as recorder:
        log_rows(recorder, np.full((100, 3), 0.5), first=1801)
    (run / "segment-0001.h5").write_bytes(content)
    assert said("r")[0] == 1
    code, text = said("r", "--repair")
    assert code == 0
    assert "put aside" in text
    assert (run / "damaged" / "segment-0001.h5").read_bytes() == content
    assert len(everything(run)[0]) == 1800


@pytest.mark.parametrize("share", np.linspace(0.05, 0.99, 12))
def test_a_file_cut_anywhere_keeps_what_stands_before_the_cut(run, share):
    before = everything(run)
    path = run / "segment-0000.h5"
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    assert said("r")[0] == 1
    assert said("r", "--repair")[0] == 0
    with contextlib.suppress(UnknownName):  # of the channel `step`: nothing was committed before the cut
        steps, variance, _ = everything(run)
        np.testing.assert_array_equal(variance, before[1][: len(steps)])
        np.testing.assert_array_equal(steps, before[0][: len(steps)])
    assert (run / "damaged" / "segment-0000.h5").stat().st_size == int(len(data) * share)


def test_later_segments_are_numbered_anew_where_rows_had_to_be_left_out(run, log_rows):
    with Recorder("r", resume=True) as recorder:
        log_rows(recorder, np.full((700, 3), 0.5), first=1801)
    change(run / "segment-0000.h5", "rows", 10, "mse", 77.0)
    assert said("r", "--repair")[0] == 0
    with open_run("r") as reader:
        rows = reader.stage(1)
        assert [piece.start for piece in rows.pieces] == [piece.segment.layout.first_row for piece in rows.pieces]
        assert [piece.binned for piece in rows.pieces] == [piece.start + piece.length for piece in rows.pieces]
    assert said("r")[0] == 0


def test_a_lost_run_json_is_written_anew_without_what_only_it_knew(run):
    (run / "run.json").unlink()
    with pytest.raises(UnknownName):
        open_run("r")
    assert said("r")[0] == 1
    assert said("r", "--repair")[0] == 0
    with open_run("r") as reader:
        info = reader.info()
        assert (info.name, dict(info.config)) == ("r", {})
        assert "config is not known" in info.reason
        assert info.created == pytest.approx(reader.series("time").mean[0])


def test_a_damaged_run_json_is_kept(run):
    (run / "run.json").write_text("{")
    assert said("r", "--repair")[0] == 0
    assert (run / "damaged" / "run.json").read_text() == "{"
    assert json.loads((run / "run.json").read_text())["name"] == "r"


def test_a_segment_that_never_got_its_name_is_put_aside(run):
    shutil.copy(run / "segment-0000.h5", run / ".segment-0001.h5.4711")
    code, text = said("r")
    assert code == 0
    assert "never got its name" in text
    assert said("r", "--repair")[0] == 0
    assert not (run / ".segment-0001.h5.4711").exists()
    assert (run / "damaged" / "segment-0001.h5.4711").exists()


def test_a_live_run_may_be_looked_at_but_not_repaired(runs):
    with Recorder("r", latents=1) as recorder:
        recorder.log(1, mean_variance=[0.5])
        recorder.flush()
        code, text = said("r")
        assert code == 0
        assert "died" not in text
        with pytest.raises(RunLocked):
            said("r", "--repair")


def test_flags_of_a_live_file_say_so(runs):
    with Recorder("r", latents=1) as recorder:
        recorder.log(1, mean_variance=[0.5])
        recorder.flush()
        assert read_superblock(runs / "r" / "segment-0000.h5").flags
    assert not read_superblock(runs / "r" / "segment-0000.h5").flags


def test_images_that_may_not_be_looked_into_are_told(run, monkeypatch):
    def refused(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(ImageFolder, "list", refused)
    with pytest.raises(RunFileError, match=r"cannot look into .*images: Permission denied"):
        list(check_run(run, live=False))
