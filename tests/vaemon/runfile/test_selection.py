import pytest

import vaemon
from vaemon import Recorder, open_run
from vaemon.batch import RunState
from vaemon.errors import UnknownName


@pytest.fixture
def three(runs):
    for name in ("cifar-old", "mnist", "cifar-new"):
        with Recorder(name, latents=1) as recorder:
            recorder.log(1, mean_variance=[0.5])
            if name == "mnist":
                recorder.close("stopped", "Ctrl-C")


def names(found):
    return [each.name for each in found]


def test_the_runs_are_listed_the_newest_first_and_can_be_opened(three, runs):
    assert names(vaemon.list_runs()) == ["cifar-new", "mnist", "cifar-old"]
    assert vaemon.list_runs(runs, pattern="cifar*") == [runs / "cifar-new", runs / "cifar-old"]
    for folder in vaemon.list_runs():
        with open_run(folder) as run:
            assert run.info().name == folder.name


def test_a_relative_folder_is_a_path_not_a_name(three, runs, monkeypatch):
    monkeypatch.chdir(runs)
    for folder in vaemon.list_runs("."):
        open_run(folder, "/nowhere").close()


def test_runs_are_listed_by_their_state(three, runs):
    assert names(vaemon.list_runs(state="stopped")) == ["mnist"]
    assert names(vaemon.list_runs(state=[RunState.FINISHED, "stopped"])) == ["cifar-new", "mnist", "cifar-old"]
    with Recorder("live", latents=1):
        assert names(vaemon.list_runs(state=RunState.RUNNING)) == ["live"]
        assert names(vaemon.list_runs(pattern="c*", state="running")) == []
    (runs / "mnist" / "run.json").write_text("{")
    assert names(vaemon.list_runs(state=RunState)) == ["live", "cifar-new", "cifar-old"]


def test_the_state_told_is_the_one_that_a_reader_tells(three):
    for folder in vaemon.list_runs():
        with open_run(folder) as run:
            assert folder in vaemon.list_runs(state=run.info().state)


def test_an_unknown_state_is_refused(runs):
    with pytest.raises(UnknownName, match="did you mean 'finished'"):
        vaemon.list_runs(state="finishes")


def test_where_there_is_no_folder_there_are_no_runs(runs):
    assert vaemon.list_runs() == []
