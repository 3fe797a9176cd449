from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaemon import Recorder, open_run
from vaemon.errors import BadRunName, RunFileError, UnknownName, UsageError
from vaemon.runfile.find import check_name, find_damaged, find_run, list_runs, new_name, runs_folder


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        ".",
        "..",
        "a/b",
        "a..b",
        "-run",
        "--help",
        ".hidden",
        "a:b",
        "a*",
        "a?",
        "a[1]",
        "a\nb",
        "a\x1b[31m",
        "x" * 201,
        "latest",
    ],
)
def test_names_that_cannot_be_a_folders_are_refused(name):
    with pytest.raises(BadRunName):
        check_name(name)


@pytest.mark.parametrize("name", ["run42", "cifar-lr1e-4", "my run", "Zuse_3", "läuft", "a.b"])
def test_ordinary_names_are_taken_as_they_are(name):
    assert check_name(name) == name


@given(st.text())
def test_a_name_that_passes_stays_inside_its_folder(tmp_path_factory, name):
    try:
        check_name(name)
    except BadRunName:
        return
    folder = tmp_path_factory.getbasetemp()
    assert (folder / name).resolve().parent == folder.resolve()


def test_the_runs_folder_is_the_option_then_the_variable_then_runs(monkeypatch):
    monkeypatch.setenv("VAEMON_RUNS", "/from/variable")
    assert str(runs_folder("/from/option")) == "/from/option"
    assert str(runs_folder()) == "/from/variable"
    monkeypatch.delenv("VAEMON_RUNS")
    assert str(runs_folder()) == "runs"


def test_an_unknown_run_names_the_nearest(runs, staircase, log_rows):
    with Recorder("cifar-slow", latents=2) as recorder:
        log_rows(recorder, staircase(3, 2))
    with pytest.raises(UnknownName, match=r"did you mean 'cifar-slow'\?"):
        find_run("cifar-slwo", runs)
    with pytest.raises(UnknownName, match="which has cifar-slow"):
        find_run("zzz", runs)


def test_without_a_name_the_run_written_to_last_is_meant(runs, staircase, log_rows):
    with pytest.raises(UsageError, match="no runs in"):
        find_run(None, runs)
    for name in ("a", "c", "b"):
        with Recorder(name, latents=2) as recorder:
            log_rows(recorder, staircase(3, 2))
    assert find_run(None, runs).name == "b"
    assert [each.name for each in list_runs(runs)] == ["b", "c", "a"]
    assert find_run(str(runs / "a"), runs).name == "a"


def test_latest_is_the_run_written_to_last_and_no_runs_name(runs, tmp_path, staircase, log_rows):
    with pytest.raises(UsageError, match="no runs in"):
        open_run("latest")
    for name in ("b", "a"):
        with Recorder(name, latents=2) as recorder:
            log_rows(recorder, staircase(3, 2))
    for address in ("latest", None):
        with open_run(address) as run:
            assert run.info().name == "a"
    assert find_damaged("latest", runs) == runs / "a"
    with pytest.raises(BadRunName, match="the run written to last"):
        Recorder("latest", latents=2)
    (runs / "latest").symlink_to(runs / "a")
    assert find_run("latest", runs) == runs / "a"
    (runs / "latest").unlink()
    (runs / "b").rename(runs / "latest")
    with pytest.raises(UsageError, match=r"say a, or .*/latest"):
        find_run("latest", runs)
    assert find_run(str(runs / "latest"), runs) == runs / "latest"


def test_hidden_folders_and_those_one_may_not_look_into_are_not_listed(runs, monkeypatch):
    for name in (".removing-x", "shut", "open"):
        (runs / name).mkdir(parents=True)
        (runs / name / "run.json").write_text("{}")
    look = Path.is_file

    def shut(path):
        if "shut" in path.parts:
            raise PermissionError(13, "Permission denied")
        return look(path)

    monkeypatch.setattr(Path, "is_file", shut)
    assert [each.name for each in list_runs(runs)] == ["open"]


def test_a_folder_of_runs_that_cannot_be_read_says_so(runs, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(RunFileError, match=r"cannot list the runs in .*: Permission denied"):
        list_runs(runs)


def test_a_folder_that_is_no_run_is_told_so(tmp_path):
    with pytest.raises(UsageError, match=r"run\.json"):
        find_run(str(tmp_path), tmp_path)


def test_a_new_name_is_not_taken(tmp_path):
    first = new_name("shapes", tmp_path)
    (tmp_path / first).mkdir()
    assert new_name("shapes", tmp_path) != first


def test_the_home_of_nobody_is_a_path_that_there_is_not(runs):
    assert runs_folder("~nobody-of-that-name/runs") == Path("~nobody-of-that-name/runs")
    for find in (find_run, find_damaged):
        with pytest.raises(UsageError, match="is not a run"):
            find("~nobody-of-that-name/x", runs)
