import errno
import os
import subprocess
import sys

import pytest

from vaemon import Recorder, list_runs, open_run
from vaemon.errors import RunFileError
from vaemon.runfile import manifest
from vaemon.runfile.housekeeping import rename


def test_the_folder_and_the_run_have_the_new_name_and_it_goes_on_under_it(call, record, runs):
    record("old")
    done = call("mv", "old", "new")
    assert (done.code, done.out) == (0, "renamed old to new\n")
    assert os.listdir(runs) == ["new"]
    with open_run("new") as run:
        assert run.info().name == "new"
        assert len(run.series("step").mean) == 3
    with Recorder("new", latents=2, resume=True) as recorder:
        recorder.log(4, mean_variance=[0.1, 0.9])
    with open_run("new") as run:
        assert len(run.series("step").mean) == 4


def test_latest_and_a_path_are_renamed_where_they_are(call, note, tmp_path):
    note("older", age=50), note("newer")
    assert call("mv", "latest", "best").out == "renamed newer to best\n"
    note("far").rename(tmp_path / "far")
    assert call("mv", tmp_path / "far", "near").code == 0
    assert (tmp_path / "near" / "run.json").exists()
    assert [each.name for each in list_runs()] == ["best", "older"]


@pytest.mark.parametrize(
    ("new", "said"),
    [
        *[("b", "'b' is taken"), ("file", "is taken"), ("dangling", "is taken"), ("a", "is taken")],
        *[("x/y", "has '/'"), ("..", "begins with"), ("c*", "has '*'"), ("latest", "the run written to last")],
    ],
)
def test_a_name_that_is_taken_or_cannot_be_is_refused(call, note, runs, new, said):
    note("a"), note("b")
    (runs / "file").write_text("")
    (runs / "dangling").symlink_to("nowhere")
    done = call("mv", "a", new)
    assert done.code == 2
    assert said in done.err
    assert manifest.read(runs / "a").name == "a"


def test_an_unknown_run_names_the_nearest(call, note):
    note("run42")
    done = call("mv", "run24", "other")
    assert done.code == 2
    assert "did you mean 'run42'" in done.err


def test_a_live_run_keeps_its_name(call, writer, runs):
    done = call("mv", "held", "new")
    assert done.code == 1
    assert f"process {writer.pid} on " in done.err
    assert os.listdir(runs) == ["held"]


def test_of_a_link_only_the_link_is_renamed(call, note, runs, tmp_path):
    folder = note("a").rename(tmp_path / "elsewhere")
    (runs / "link").symlink_to(folder)
    done = call("mv", "link", "other")
    assert "renamed the link link to other" in done.out
    assert (runs / "other").is_symlink()
    assert manifest.read(folder).name == "a"


def test_a_crash_between_the_two_steps_leaves_a_readable_run_that_can_be_renamed_again(call, record, runs):
    record("old")
    code = (
        "import os, sys\nfrom vaemon.runfile import manifest\nmanifest.rename = lambda *_: os._exit(9)\n"
        "sys.argv = ['vaemon', 'mv', 'old', 'new']\nfrom vaemon.cli import main; main()"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 9
    assert '"name": "new"' in call("ls", "--json").out
    with open_run("new") as run:
        assert len(run.series("step").mean) == 3
    assert call("mv", "new", "new").code == 0
    with open_run("new") as run:
        assert run.info().name == "new"


def test_where_the_second_step_fails_the_first_is_taken_back(record, runs, monkeypatch):
    folder = record("old")

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(manifest, "write", full)
    with pytest.raises(RunFileError, match=r"No space left on device\); it is as it was"):
        rename(folder, "new")
    assert os.listdir(runs) == ["old"]


def test_a_run_that_comes_into_being_at_this_moment_is_not_overwritten(call, note, runs, monkeypatch):
    note("a"), note("b")
    monkeypatch.setattr("vaemon.runfile.housekeeping.refuse_taken", lambda target: None)
    done = call("mv", "a", "b")
    assert done.code == 2
    assert "is taken" in done.err
    assert sorted(os.listdir(runs)) == ["a", "b"]
