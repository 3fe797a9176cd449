"""What is found in the rows while a run is recorded: as events of the run, and what a view makes of them."""

import numpy as np
import pytest

from vaemon import Recorder, open_run
from vaemon.batch import Cursor, Want
from vaemon.findings import CHANNELS, FOUND, Findings
from vaemon.latents import Failure
from vaemon.source.local import LocalSource
from vaemon.view.fold import fold
from vaemon.view.state import RunView


def course(*pieces, latents=4):
    """E[σ²] rows of a course: (rows, E[σ²]) one after the other, the same for all latents."""
    return np.concatenate([np.full((rows, latents), level) for rows, level in pieces])


def test_a_collapse_and_its_end_are_events_of_the_run_and_an_alarm_of_its_view(runs, log_rows):
    with Recorder("r", latents=4) as recorder:
        log_rows(recorder, course((200, 0.1), (200, 1.0)))
        recorder.flush()
        view = fold(RunView(), LocalSource(runs / "r").poll(Cursor(), Want(())))
        assert view.failure is Failure.COLLAPSE
        assert view.alarm == "posterior collapse: 4 of 4 latents tell nothing of the data (E[σ²] ≥ 0.8, KL < 0.01)"
        log_rows(recorder, course((200, 0.1)), first=401)
    view = fold(RunView(), LocalSource(runs / "r").poll(Cursor(), Want(())))
    assert (view.failure, view.alarm) == (Failure.NONE, "")
    found = [(e.step, e.kind) for e in view.events if e.kind in ("collapse", "ignored", "restored")]
    assert found == [(352, "collapse"), (512, "restored")]


def test_an_ignored_prior_is_an_event(runs):
    with Recorder("r", latents=2) as recorder:
        for step in range(1, 2200):
            recorder.log(step, mean_variance=[1e-4] * 2, mu_squared=[3.0] * 2, latent_kl=[5.6] * 2)
    view = fold(RunView(), LocalSource(runs / "r").poll(Cursor(), Want(())))
    told = [e for e in view.events if e.kind == "ignored"]
    assert [e.text for e in told] == ["2 of 2 latents have E[σ²] < 0.001, the variance law is 2.0 off"]
    assert view.alarm == f"prior ignored: {told[0].text}"


@pytest.mark.parametrize("cut", [260, 330, 350, 420])
def test_a_failure_is_recorded_once_though_the_run_was_resumed_in_the_middle_of_it(runs, log_rows, cut):
    variance = course((200, 0.1), (200, 1.0), (200, 0.1))
    with Recorder("whole", latents=4) as recorder:
        log_rows(recorder, variance)
    with Recorder("parts", latents=4) as recorder:
        log_rows(recorder, variance[: cut + 30])
    with Recorder("parts", resume=True) as recorder:
        log_rows(recorder, variance[cut:], first=cut + 1)
    told = {}
    for name in ("whole", "parts"):
        with open_run(runs / name) as run:
            told[name] = [(e.step, e.kind, e.text) for e in run.events() if e.kind in FOUND[2:]]
    assert told["parts"] == told["whole"]
    assert len(told["whole"]) == 2


def test_rows_without_posteriors_between_those_with_them_shift_nothing(runs):
    with Recorder("r", latents=2) as recorder:
        for step, level in enumerate(np.repeat([0.1, 1.0], [300, 300]), start=1):
            posterior = {"mean_variance": [level] * 2, "latent_kl": [-np.log(level)] * 2}
            recorder.log(step, mse=0.5, **(posterior if step % 3 else {}))
    with open_run(runs / "r") as run:
        rows = run.stage(1)
        found = Findings(1, 2).update(rows.read(0, len(rows), CHANNELS))
        assert [e for e in run.events() if e.kind in FOUND] == found
        assert {"collapse", "wake"} <= {e.kind for e in found}
