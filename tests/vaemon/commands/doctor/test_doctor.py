"""The examination of this machine, all of it."""

import os

import h5py

from vaemon import interpreter
from vaemon.commands.doctor import storage, trial


def levels(found):
    return {name: each["level"] for name, each in found.items()}


def test_a_run_is_recorded_read_meanwhile_and_removed(examined, tmp_path, runs):
    code, found = examined()
    assert code == 0
    assert found["runs"]["facts"] == {"folder": str(runs), "writable": True}
    assert found["HDF5"]["facts"] == {"version": h5py.version.hdf5_version, "swmr": True, "rows": trial.ROWS}
    assert found["locks"]["facts"] == {"state": "running"}
    assert found["room"]["facts"]["free"] > 0
    assert found["terminal"]["facts"] == {"tty": False}
    assert list(tmp_path.iterdir()) == []


def test_people_are_told_in_lines(call, runs):
    runs.mkdir()
    done = call("doctor")
    lines = done.out.splitlines()
    assert done.code == 0
    assert lines[0].startswith("✓ Python")
    assert f"✓ runs          {runs}" in lines
    assert all(line[0] in "✓▲ " for line in lines)


def test_what_cannot_be_written_is_a_failure_and_says_what_to_do(examined, runs):
    runs.write_text("")
    code, found = examined()
    assert code == 1
    assert levels(found)["runs"] == "failure"
    assert found["runs"]["advice"].startswith("record to a local disk: --runs DIR")
    assert "HDF5" not in found


def test_where_files_cannot_be_read_while_written_closed_ones_are_tried(examined, monkeypatch):
    monkeypatch.setattr(storage, "file_system", lambda folder: "nfs4")
    monkeypatch.setattr(storage, "can_be_live", lambda folder: False)
    code, found = examined()
    assert (code, levels(found)["file system"]) == (0, "warning")
    assert "nfs4" in found["file system"]["text"]
    assert found["HDF5"]["facts"]["swmr"] is False
    assert found["HDF5"]["facts"]["rows"] == trial.ROWS
    assert found["locks"]["level"] == "ok"


def test_file_systems_that_keep_nothing_are_warned_of(tmp_path, monkeypatch):
    for kind, level in [
        ("tmpfs", "warning"),
        ("overlay", "warning"),
        ("fuse.x", "warning"),
        ("ext4", "ok"),
        ("", "ok"),
    ]:
        monkeypatch.setattr(storage, "file_system", lambda folder, kind=kind: kind)
        found = next(each for each in storage.examine(tmp_path) if each.what == "file system")
        assert (found.level, bool(found.advice)) == (level, level == "warning")
        assert kind in found.text


def test_a_full_disk_is_a_failure_before_anything_is_lost(tmp_path, monkeypatch):
    real = os.statvfs(tmp_path)
    for free, level in [(63 * 2**20, "failure"), (65 * 2**20, "warning"), (2**31, "ok")]:
        blocks = free // real.f_frsize
        values = [*real[:4], blocks, *real[5:]]
        monkeypatch.setattr(os, "statvfs", lambda path, values=values: os.statvfs_result(values))
        assert storage._room(tmp_path).level == level


def test_a_run_that_nobody_else_sees_being_recorded_is_a_failure(tmp_path, monkeypatch):
    monkeypatch.setattr(trial, "_seen", lambda run: {"state": "crashed", "step": trial.ROWS})
    rows, lock = trial.examine(tmp_path, live=True)
    assert (rows.level, lock.level) == ("ok", "failure")
    assert "crashed" in lock.text


def test_rows_that_do_not_arrive_are_a_failure(tmp_path, monkeypatch):
    monkeypatch.setattr(trial, "_seen", lambda run: {"state": "running", "step": 3})
    rows, _ = trial.examine(tmp_path, live=True)
    assert rows.level == "failure"
    assert "up to 3" in rows.text


def test_a_reader_that_fails_is_quoted(tmp_path, monkeypatch):
    monkeypatch.setattr(interpreter.sys, "executable", "/bin/false")
    (found,) = trial.examine(tmp_path, live=True)
    assert found.level == "failure"
    assert "no word" in found.text
