import errno
import os
import subprocess
import sys

import pytest

from vaemon import Recorder, list_runs, open_run
from vaemon.errors import RunFileError, RunLocked
from vaemon.runfile import lock
from vaemon.runfile.housekeeping import remove


def names():
    return sorted(each.name for each in list_runs())


def test_a_run_is_removed_with_all_that_lies_in_it(call, record, runs):
    folder, _ = record("a"), record("b")
    (folder / "checkpoints").mkdir()
    (folder / "checkpoints" / "stage1.pt").write_bytes(b"x" * 5000)
    done = call("rm", "a", "--yes")
    assert done.code == 0
    assert done.out.startswith("removed a (")
    assert os.listdir(runs) == ["b"]


def test_patterns_paths_and_latest_are_taken_each_run_once(call, note):
    for i, name in enumerate(["cifar-1", "cifar-2", "mnist", "shapes", "newest"]):
        note(name, age=100.0 - i)
    done = call("rm", "cifar*", "cifar-1", str(note("path", age=500)), "latest", "-y")
    assert done.code == 0
    assert done.out.splitlines()[0].startswith("removed cifar-2")
    assert len(done.out.splitlines()) == 4
    assert names() == ["mnist", "shapes"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [("bb", "unknown run 'bb'"), ("z*", "has a name like 'z*'"), ("../runs", "is not a run"), ("a/b", "is not a run")],
)
def test_one_wrong_name_and_nothing_is_removed(call, note, wrong, said):
    note("a"), note("b-long")
    done = call("rm", "a", wrong, "--yes")
    assert done.code == 2
    assert said in done.err
    assert names() == ["a", "b-long"]


def test_a_live_run_is_refused_with_all_others_and_its_holder_named(call, note, writer):
    note("a")
    done = call("rm", "*", "--yes")
    assert done.code == 1
    assert f"'held' is being recorded by process {writer.pid} on " in done.err
    assert "Nothing was removed" in done.err
    assert names() == ["a", "held"]
    writer.kill()
    writer.wait()
    assert call("rm", "*", "--yes").code == 0
    assert names() == []


def test_every_live_run_is_named(call, record, note):
    with Recorder("one", latents=1), Recorder("two", latents=1):
        done = call("rm", "*", "--yes")
    assert "run 'one' is being recorded by" in done.err
    assert "run 'two' is being recorded by" in done.err


def test_no_writer_can_begin_while_a_run_is_removed(call, record, monkeypatch):
    folder, asked = record("a"), []
    rename = os.rename

    def ask_first(old, new):
        question = "import sys, pathlib; from vaemon.runfile import lock; print(lock.holder(pathlib.Path(sys.argv[1])))"
        done = subprocess.run([sys.executable, "-c", question, str(old)], capture_output=True, text=True, check=True)
        asked.append(done.stdout)
        rename(old, new)

    monkeypatch.setattr(os, "rename", ask_first)
    remove(folder)
    assert f"pid={os.getpid()}" in asked[0]
    assert not folder.exists()
    assert lock.holder(folder) is None
    with Recorder("a", latents=1) as recorder:
        recorder.log(1, mean_variance=[1.0])
    with open_run("a") as run:
        assert len(run.series("step").mean) == 1


def test_a_writer_that_came_first_keeps_its_run(note):
    folder = note("a")
    with Recorder("a", latents=1, resume=True), pytest.raises(RunLocked, match="by this process"):
        remove(folder)
    assert folder.exists()


def test_without_a_terminal_it_does_not_guess(call, note):
    note("a")
    done = call("rm", "a")
    assert done.code == 2
    assert "--yes" in done.err
    assert names() == ["a"]


@pytest.mark.parametrize(("answer", "code", "left"), [(b"y\n", 0, []), (b"\n", 1, ["a"]), (b"\x04", 130, ["a"])])
def test_a_person_is_asked_and_told_what_would_go(record, terminal_of, answer, code, left):
    record("a", rows=1200)
    screen = terminal_of("rm", "a")
    screen.wait_for("kB  finished, step 1,200")
    screen.wait_for("Remove this run for good? [y/N]")
    screen.type(answer)
    assert screen.end() == code
    assert names() == left


def test_a_run_that_goes_on_while_the_person_thinks_is_spared(note, terminal_of):
    note("a"), note("b")
    screen = terminal_of("rm", "a", "b")
    screen.wait_for("Remove these 2 runs for good?")
    with Recorder("b", latents=1, resume=True):
        screen.type(b"y\n")
        screen.wait_for("run 'b' is being recorded by process")
        assert screen.end() == 1
    assert names() == ["a", "b"]


def test_of_a_link_only_the_link_is_removed(call, record, runs, tmp_path):
    folder = record("a").rename(tmp_path / "elsewhere")
    (runs / "link").symlink_to(folder)
    done = call("rm", "link", "--yes")
    assert done.out.startswith("removed the link link; the run that it led to is still there")
    assert not os.listdir(runs)
    with open_run(str(folder)) as run:
        assert len(run.series("step").mean) == 3


def test_a_link_to_a_live_run_stays(call, runs, tmp_path, writer):
    (runs / "link").symlink_to(runs / "held")
    assert call("rm", "link", "--yes").code == 1
    assert names() == ["held", "link"]


def test_links_inside_are_not_followed(call, note, tmp_path):
    folder = note("a")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "precious").write_text("x")
    (folder / "data").symlink_to(tmp_path / "data")
    assert call("rm", "a", "--yes").code == 0
    assert (tmp_path / "data" / "precious").read_text() == "x"


def test_another_programs_run_json_is_no_run(call, runs):
    (runs / "other").mkdir(parents=True)
    (runs / "other" / "run.json").write_text('{"scripts": []}')
    done = call("rm", "other", "--yes")
    assert done.code == 2
    assert "left alone" in done.err
    assert names() == ["other"]


def test_a_damaged_run_can_be_removed(call, record):
    (record("a") / "run.json").write_text("{")
    assert call("rm", "a", "--yes").code == 0
    assert names() == []


def test_a_folder_that_holds_other_runs_is_left_alone(call, note, runs):
    note("a"), note("a/inner")
    done = call("rm", "a", "--yes")
    assert done.code == 2
    assert "holds other runs" in done.err


def test_the_folder_one_stands_in_is_removed_by_its_path(call, note, monkeypatch, runs):
    monkeypatch.chdir(note("a"))
    assert call("rm", ".", "--yes").out.startswith("removed a (")
    assert not os.listdir(runs)


def test_what_cannot_be_deleted_is_said_to_be_left_and_where(call, record, note, monkeypatch, runs):
    record("a")
    note("b")
    unlink = os.unlink

    def refuse(path, **options):
        if str(path).startswith("segment"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        unlink(path, **options)

    monkeypatch.setattr(os, "unlink", refuse)
    done = call("rm", "a", "b", "--yes")
    monkeypatch.undo()
    assert done.code == 1
    assert "Permission denied: segment-0000.h5" in done.err
    assert done.err.rstrip().endswith("Not removed: b")
    (hidden,) = runs.glob(".removing-*")
    assert f"what is left lies in {hidden}:" in done.err
    assert (hidden / "a" / "segment-0000.h5").exists()
    assert [each.name for each in list_runs(runs)] == ["b"]


def test_what_cannot_be_moved_away_stays_as_it_was(record, runs, monkeypatch):
    folder = record("a")

    def refuse(old, new):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(old))

    monkeypatch.setattr(os, "rename", refuse)
    with pytest.raises(RunFileError, match=r"cannot be removed \(Permission denied: .*; it is as it was"):
        remove(folder)
    assert os.listdir(runs) == ["a"]
    assert lock.holder(folder) is None


def test_a_removal_that_is_killed_half_way_leaves_no_run(call, record, runs):
    record("a")
    code = (
        "import os, shutil, sys\nshutil.rmtree = lambda *_: os._exit(9)\n"
        "sys.argv = ['vaemon', 'rm', 'a', '--yes']\nfrom vaemon.cli import main; main()"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 9
    assert call("ls", "--json").out.strip() == "[]"
    assert record("a").exists()


def test_ctrl_c_while_it_is_deleted_says_where_the_rest_lies(call, record, runs, monkeypatch):
    record("a")

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("shutil.rmtree", interrupt)
    done = call("rm", "a", "--yes")
    (hidden,) = runs.glob(".removing-*")
    assert done.code == 130
    assert f"what is left of a lies in {hidden}" in done.err
