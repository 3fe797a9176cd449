import importlib.util
from dataclasses import replace
from pathlib import Path

import pytest

from vaemon import Recorder
from vaemon.batch import Cursor, Excerpt, RunState, Want
from vaemon.errors import SourceLost, UnknownName
from vaemon.runfile.segment import SegmentReader
from vaemon.source.local import LocalSource
from vaemon.source.open import await_source, open_all, open_source
from vaemon.view.fold import fold
from vaemon.view.state import RunView

_spec = importlib.util.spec_from_file_location("contract", Path(__file__).with_name("contract.py"))
contract = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(contract)


class TestLocalSource(contract.SourceContract):
    def open(self, folder):
        return LocalSource(folder)


def test_a_damaged_run_is_a_lost_source_not_a_crash(runs):
    with Recorder("r", latents=1) as recorder:
        recorder.log(1, mean_variance=[0.5])
    (runs / "r" / "segment-0000.h5").write_bytes(b"gone")
    with pytest.raises(SourceLost, match="segment-0000"):
        LocalSource(runs / "r").poll(Cursor(), Want(()))


def test_scalars_of_a_trainings_own_are_given_when_asked_for(runs):
    with Recorder("r", latents=1) as recorder:
        for step in range(1, 9):
            recorder.log(step, mean_variance=[0.5], mse=0.1, elbo=-1.0, psnr=20.0 + step)
    source = LocalSource(runs / "r")
    assert set(source.poll(Cursor(), Want(("mse",))).columns.mean) == {"mse"}
    given = source.poll(Cursor(), Want(("mse",), scalars=9)).columns
    assert {"mse", "elbo", "psnr"} <= set(given.low)
    assert "mean_variance" not in given.mean
    assert given.mean["psnr"].tolist() == [20.0 + step for step in range(1, 9)]
    assert len(source.excerpt(Excerpt(1, 0, 8, ("mse",), scalars=1)).low) == 2


def test_a_run_of_nearly_that_name_is_most_likely_meant(runs):
    with Recorder("run42", latents=1) as recorder:
        recorder.log(1, mean_variance=[0.5])
    with pytest.raises(UnknownName, match="did you mean 'run42'"):
        await_source("rnu42")
    assert await_source("something-else").info().state is RunState.WAITING
    assert await_source(str(runs / "run42")).info().name == "run42"


def test_without_a_name_the_first_run_to_begin_is_waited_for(runs):
    sources = await_source(None), await_source("latest")
    assert [source.info().state for source in sources] == [RunState.WAITING] * 2
    with Recorder("first", latents=1) as recorder:
        recorder.log(1, mean_variance=[0.5])
    assert [source.poll(Cursor(), Want(())).info.name for source in sources] == ["first"] * 2
    assert await_source("latest").info().name == "first"
    assert open_source(None).info().name == "first"
    assert [name for name, _ in open_all()] == ["first"]


def test_events_that_come_after_damage_was_told_are_told_once_each(runs, monkeypatch):
    def resumed(begin, resume):
        with Recorder("r", latents=2, resume=resume) as recorder:
            for step in range(begin, begin + 3):
                recorder.log(step, mean_variance=[0.1, 0.9])
                recorder.event("note", f"at {step}")
                recorder.flush()
                yield step

    list(resumed(1, False))
    monkeypatch.setattr(SegmentReader, "damage", property(lambda self: "torn" if self.number == 0 else ""))
    source, view = LocalSource(runs / "r"), RunView()
    for _ in resumed(4, True):
        view = fold(view, source.poll(view.cursor, Want(("mean_variance",))))
    whole = fold(RunView(), LocalSource(runs / "r").poll(Cursor(), Want(())))
    assert [each.text for each in view.events if each.kind == "note"] == [f"at {step}" for step in range(1, 7)]
    assert view.events == whole.events[: len(view.events) - 1] + whole.events[-1:]


def test_of_a_run_that_stands_still_the_newest_rows_are_read_once(runs, monkeypatch):
    with Recorder("r", latents=2) as recorder:
        for step in range(1, 41):
            recorder.log(step, mean_variance=[0.1, 0.9])
    source = LocalSource(runs / "r")
    want = Want(("mean_variance",))
    first = source.poll(Cursor(), want)
    view = fold(RunView(), first)
    again = source.poll(view.cursor, want)
    assert again.latest is first.latest
    assert fold(view, again).columns is view.columns
    wound_back = source.poll(view.cursor, replace(want, end=20))
    assert (wound_back.latest.step, source.poll(Cursor(), want).latest.step) == (20, 40)


@pytest.mark.parametrize("thresholds", [None, {"wake": 0.25}])
def test_nothing_is_read_of_a_run_in_which_nothing_has_grown(runs, staircase, log_rows, monkeypatch, thresholds):
    with Recorder("r", latents=3) as recorder:
        log_rows(recorder, staircase(100, 3))
        recorder.flush()
        source, want = LocalSource(runs / "r", thresholds=thresholds), Want(("mse", "mean_variance"))
        glance, view, seen = Want((), columns=0), RunView(), RunView()
        for _ in range(2):
            view = fold(view, source.poll(view.cursor, want))
            seen = fold(seen, source.poll(seen.cursor, glance))

        def read(*_):
            raise AssertionError("read")

        with monkeypatch.context() as patch:
            patch.setattr(SegmentReader, "_read", read)
            assert fold(view, source.poll(view.cursor, want)).latest is view.latest
            assert fold(seen, source.poll(seen.cursor, glance)).latest is seen.latest
        recorder.event("note", "something")
        recorder.flush()
        assert source.poll(view.cursor, want).events[-1].text == "something"
