"""Looked at by other thresholds, a run tells what a recorder with those thresholds would have recorded."""

import numpy as np
import pytest

from vaemon import Recorder, Thresholds, open_run
from vaemon.batch import Cursor, Want
from vaemon.errors import UnknownName, UsageError
from vaemon.findings import FOUND
from vaemon.latents import Failure
from vaemon.source.local import LocalSource
from vaemon.source.open import await_source, open_source
from vaemon.view.fold import fold
from vaemon.view.state import RunView

OTHER = {"wake": 0.45, "doze": 0.7, "hold": 5, "smoothing": 4.0, "lasting": 64, "grace": 100}
WANT = Want(("mean_variance",), columns=32)


def wandering(rows, latents=3, seed=3):
    """E[σ²] that rises and falls, noisily."""
    rng = np.random.default_rng(seed)
    phase = np.linspace(0, 12, rows)[:, None] + np.arange(latents)
    return np.clip(0.5 + 0.5 * np.sin(phase) + 0.03 * rng.normal(size=(rows, latents)), 0.01, 1.0)


def read(source, view=None, want=WANT):
    view = view or RunView()
    while True:
        view = fold(view, source.poll(view.cursor, want))
        if not view.loading:
            return view


def found(events):
    return sorted((e.stage, e.step, e.kind, e.latent, e.text) for e in events if e.kind in FOUND)


def others(events):
    return [e for e in events if e.kind not in FOUND]


@pytest.mark.parametrize("seconds", [0.0, 1.0])
def test_the_events_are_those_that_these_thresholds_would_have_found(runs, log_rows, monkeypatch, seconds):
    monkeypatch.setattr("vaemon.runfile.series.BLOCK_BYTES", 4096)
    for name, at in (("own", None), ("other", Thresholds(**OTHER))):
        with Recorder(name, latents=3, thresholds=at) as recorder:
            log_rows(recorder, wandering(700))
            recorder.event("note", "between")
            recorder.stage(2, latents=2)
            log_rows(recorder, wandering(300, 2))
    own, looked = read(LocalSource(runs / "own")), LocalSource(runs / "own", thresholds=OTHER)
    first = looked.poll(Cursor(), Want((), columns=0, seconds=seconds))
    assert first.more is (seconds == 0.0)
    view, other = read(looked, want=Want((), seconds=seconds)), read(LocalSource(runs / "other"))
    assert found(view.events) == found(other.events) != found(own.events)
    assert [e.text for e in others(view.events)] == [e.text for e in others(own.events)]
    assert view.thresholds == other.thresholds == Thresholds(**OTHER)
    assert (view.states.tolist(), view.woke.tolist()) == (other.states.tolist(), other.woke.tolist())


def test_polling_while_it_is_written_and_resumed_ends_in_what_one_reading_gives(runs, log_rows):
    rows, source, view = wandering(900), LocalSource(runs / "r", thresholds=OTHER), RunView()
    for first, last in ((0, 500), (390, 700), (700, 900)):
        with Recorder("r", latents=3, resume=first > 0) as recorder:
            for start in range(first, last, 70):
                log_rows(recorder, rows[start : min(start + 70, last)], first=start + 1)
                recorder.flush()
                view = read(source, view)
    view = read(source, view)
    fresh = read(LocalSource(runs / "r", thresholds=OTHER))
    assert found(view.events) == found(fresh.events)
    assert sorted(others(view.events), key=str) == sorted(others(fresh.events), key=str)
    with Recorder("whole", latents=3, thresholds=Thresholds(**OTHER)) as recorder:
        log_rows(recorder, rows)
    assert found(view.events) == found(read(LocalSource(runs / "whole")).events)


def test_its_own_thresholds_need_no_second_look(runs, log_rows, monkeypatch):
    with Recorder("r", latents=3) as recorder:
        log_rows(recorder, wandering(200))
    monkeypatch.setattr("vaemon.source.local.Anew", None)
    assert found(read(LocalSource(runs / "r", thresholds={"wake": 0.3})).events)


def test_counts_follow_the_thresholds(runs):
    with Recorder("r", latents=4) as recorder:
        for step in range(1, 50):
            recorder.log(
                step, mean_variance=[0.2, 0.6, 0.75, 0.9], mean_mu=[0.0] * 4, mu_squared=[0.8, 0.4, 0.02, 0.001]
            )
    view = read(LocalSource(runs / "r", thresholds={"inactive": 0.7, "unit": 0.1, "wake": 0.1}))
    assert (view.inactive, view.active_units) == (2, 2)
    own = read(LocalSource(runs / "r"))
    assert (own.inactive, own.active_units) == (1, 3)


def test_a_resumed_run_keeps_its_thresholds(runs, log_rows):
    at = Thresholds(**OTHER)
    with Recorder("r", latents=3, thresholds=at) as recorder:
        log_rows(recorder, wandering(900)[:400])
    with Recorder("r", resume=True) as recorder:
        log_rows(recorder, wandering(900)[400:], first=401)
    with Recorder("whole", latents=3, thresholds=at) as recorder:
        log_rows(recorder, wandering(900))
    with open_run("r") as run, open_run("whole") as whole:
        assert run.info().thresholds == at
        assert found(run.events()) == found(whole.events())
    with pytest.raises(UsageError, match="goes on with the thresholds that it began with"):
        Recorder("r", resume=True, thresholds=Thresholds())
    with Recorder("r", resume=True, thresholds=at):
        pass


def test_a_failure_is_judged_by_the_thresholds(runs):
    with Recorder("r", latents=4) as recorder:
        for step in range(1, 400):
            recorder.log(step, mean_variance=[0.1, 1.0, 1.0, 1.0], latent_kl=[2.0, 0.0, 0.0, 0.0])
    assert read(LocalSource(runs / "r")).failure is Failure.NONE
    view = read(LocalSource(runs / "r", thresholds={"most": 0.7, "fewer": 0.5, "grace": 200}))
    assert view.failure is Failure.COLLAPSE
    assert "3 of 4 latents" in view.alarm


def test_thresholds_that_make_no_sense_are_refused_at_once(runs):
    with Recorder("r", latents=1, thresholds=Thresholds(wake=0.6, doze=0.9)) as recorder:
        recorder.log(1, mean_variance=[0.5])
    for opened in (open_source, await_source):
        assert opened("r", thresholds={"wake": 0.7}).info().thresholds.wake == 0.7
        with pytest.raises(UsageError, match=r"wake < doze <= 1, not wake=0\.95, doze=0\.9"):
            opened("r", thresholds={"wake": 0.95})
    with pytest.raises(UsageError, match="wake < doze"):
        await_source("later", thresholds={"wake": 0.7})
    with pytest.raises(UnknownName, match="did you mean 'wake'"):
        await_source("later", thresholds={"weak": 0.2})


def test_a_run_of_before_there_were_thresholds_has_the_usual_ones(runs):
    with Recorder("r", latents=1) as recorder:
        recorder.log(1, mean_variance=[0.5])
    path = runs / "r" / "run.json"
    text = path.read_text()
    begin, end = text.index(' "thresholds": {'), text.index(' "host"')
    path.write_text(text[:begin] + text[end:])
    assert LocalSource(runs / "r").info().thresholds == Thresholds()
