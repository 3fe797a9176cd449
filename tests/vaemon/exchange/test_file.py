"""New files: their names, and that they are whole or not there."""

import errno
import os
import resource
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaemon.errors import UsageError, VaemonError
from vaemon.exchange.file import file_name, write_file
from vaemon.exchange.folder import write_folder


@pytest.mark.parametrize(
    ("run", "panel", "name"),
    [
        ("run42", "gamma", "run42-gamma-1200.svg"),
        ("cifar-lr1e-4", "variance law", "cifar-lr1e-4-variance-law-1200.svg"),
        ("gpu-box:runs/a b", "z17", "gpu-box-runs-a-b-z17-1200.svg"),
        ("../..", "", "run-screen-1200.svg"),
        ("潜在", "MSE", "潜在-MSE-1200.svg"),
        ("x" * 300, "wall", f"{'x' * 80}-wall-1200.svg"),
    ],
)
def test_names(run, panel, name):
    assert file_name(run, panel, 1200, "svg") == name


@given(st.text(max_size=300), st.text(max_size=300), st.integers(0, 10**9))
def test_any_name_is_one_file_of_this_folder(run, panel, step):
    name = file_name(run, panel, step, "csv")
    assert not set(name) & set('/\\:*?"<>|\0\n')
    assert not name.startswith((".", "-"))
    assert len(os.fsencode(name)) < 200


def test_the_next_free_name_is_taken(tmp_path):
    path = tmp_path / "a.b-7.csv"
    written = [write_file(path, [text]) for text in (b"first", b"second", b"third")]
    assert [each.name for each in written] == ["a.b-7.csv", "a.b-7-2.csv", "a.b-7-3.csv"]
    assert [each.read_bytes() for each in written] == [b"first", b"second", b"third"]
    assert len(list(tmp_path.iterdir())) == 3


def test_a_file_is_replaced_where_asked(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("old")
    assert write_file(path, [b"n", b"ew"], replace=True) == path
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_dangling_link_is_a_taken_name(tmp_path):
    (tmp_path / "a.csv").symlink_to(tmp_path / "gone")
    assert write_file(tmp_path / "a.csv", [b"new"]).name == "a-2.csv"
    assert not (tmp_path / "gone").exists()


@pytest.mark.parametrize("taken", [False, True])
def test_a_file_system_without_links(tmp_path, monkeypatch, taken):
    def no_links(*_):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    if taken:
        (tmp_path / "a.csv").write_text("old")
    path = write_file(tmp_path / "a.csv", [b"new"])
    assert path.name == ("a-2.csv" if taken else "a.csv")
    assert path.read_text() == "new"
    assert len(list(tmp_path.iterdir())) == 1 + taken


def test_nobody_sees_half_a_file(tmp_path):
    def parts():
        yield b"half"
        assert not (tmp_path / "a.csv").exists()
        yield b"whole"

    assert write_file(tmp_path / "a.csv", parts()).read_bytes() == b"halfwhole"


@pytest.mark.parametrize("error", [ZeroDivisionError, ConnectionResetError, KeyboardInterrupt])
@pytest.mark.parametrize("replace", [False, True])
def test_what_the_parts_raise_is_passed_on_and_leaves_nothing(tmp_path, error, replace):
    def parts():
        yield b"half"
        raise error

    (tmp_path / "a.csv").write_text("old")
    with pytest.raises(error):
        write_file(tmp_path / "a.csv", parts(), replace=replace)
    assert [each.read_text() for each in tmp_path.iterdir()] == ["old"]


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch, call):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, call, full)
    monkeypatch.setattr(os, "link", full)
    with pytest.raises(VaemonError, match=r"cannot write .*a\.csv: No space left on device; nothing was left"):
        write_file(tmp_path / "a.csv", [b"x"])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("part", [100, 20_000])
def test_no_more_room_while_it_is_written(tmp_path, part):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
    try:
        with pytest.raises(VaemonError, match=r"cannot write .*a\.csv: File too large; nothing was left"):
            write_file(tmp_path / "a.csv", [b"x" * part] * (100_000 // part))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list(tmp_path.iterdir())


def test_no_such_folder(tmp_path):
    with pytest.raises(VaemonError, match=r"cannot write .*a\.csv: No such file or directory"):
        write_file(tmp_path / "none" / "a.csv", [b"x"])


@pytest.mark.parametrize("path", ["", ".", "/", "a/.."])
def test_a_path_without_a_name_is_a_usage_error(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for write, what in ((write_file, [b"x"]), (write_folder, {"a": [b"x"]})):
        with pytest.raises(UsageError, match="no name to write to"):
            write(Path(path), what)
    assert not [*tmp_path.iterdir()]
