import json

import h5py
import numpy as np
import pytest

from vaemon import Recorder, open_run
from vaemon.batch import RunState
from vaemon.errors import RunFileError, UnknownName


def test_what_was_logged_is_read_back(runs, staircase, log_rows):
    variance = staircase(700, 3)
    with Recorder("r", latents=3, config={"lr": 1e-3}, steps_per_epoch=100) as recorder:
        log_rows(recorder, variance)
    with open_run("r") as run:
        np.testing.assert_array_equal(run.series("step").mean, np.arange(1, 701))
        np.testing.assert_allclose(run.series("mean_variance").mean, variance, rtol=1e-6)
        np.testing.assert_allclose(run.series("mse").mean, 1 / np.arange(1, 701), rtol=1e-6)
        np.testing.assert_allclose(run.series("variance_law").mean, 1.0, rtol=1e-6)
        np.testing.assert_allclose(run.series("kl").mean, -0.5 * np.log(variance).sum(1), rtol=1e-5)
        np.testing.assert_array_equal(run.series("epoch").mean, np.arange(700) // 100)
        info = run.info()
        assert (info.name, info.state, dict(info.config)) == ("r", RunState.FINISHED, {"lr": 1e-3})
        assert info.stages[0].latents == 3


def test_fifteen_lines_of_plain_h5py_read_a_run(runs, staircase, log_rows):
    with Recorder("r", latents=3) as recorder:
        log_rows(recorder, staircase(50, 3))
    with h5py.File(runs / "r" / "segment-0000.h5") as file:
        assert file["rows"]["gamma"].shape == (50,)
        assert file["rows"]["mean_variance"].shape == (50, 3)
        assert {c["name"] for c in json.loads(file.attrs["channels"])} >= {"gamma", "mean_variance", "step"}


def test_a_range_of_steps_and_a_number_of_points(runs, staircase, log_rows):
    variance = staircase(1000, 2)
    with Recorder("r", latents=2) as recorder:
        log_rows(recorder, variance)
    with open_run("r") as run:
        part = run.series("mean_variance", first=101, last=200)
        assert part.exact
        np.testing.assert_allclose(part.mean, variance[100:200], rtol=1e-6)
        few = run.series("mean_variance", points=30)
        assert not few.exact
        assert len(few.step) <= 30
        assert few.step[-1] == 1000
        np.testing.assert_allclose(few.mean[0], variance[:64].mean(0), rtol=1e-6)
        np.testing.assert_allclose(few.low[-1], variance[few.step[-2] :].min(0), rtol=1e-6)
        assert len(run.series("mse", first=2000).step) == 0


def test_rows_that_a_resumed_run_replaces_are_replaced(runs, staircase, log_rows):
    old, new = np.full((100, 2), 0.9), np.full((80, 2), 0.2)
    with Recorder("r", latents=2) as recorder:
        log_rows(recorder, old)
        recorder.event("note", "before", step=60)
        recorder.event("note", "replaced", step=61)
    with Recorder("r", resume=True) as recorder:
        log_rows(recorder, new, first=61)
    with open_run("r") as run:
        np.testing.assert_array_equal(run.series("step").mean, np.arange(1, 141))
        variance = run.series("mean_variance").mean
        np.testing.assert_allclose(variance[:60], 0.9, rtol=1e-6)
        np.testing.assert_allclose(variance[60:], 0.2, rtol=1e-6)
        texts = [event.text for event in run.events() if event.kind == "note"]
        assert texts == ["before"]
        assert [event.kind for event in run.events()].count("resume") == 1


def test_a_run_resumed_twice_further_back_each_time(runs, log_rows):
    for first, last, level in ((1, 100, 0.9), (81, 120, 0.5), (41, 90, 0.1)):
        with Recorder("r", latents=1, resume=first > 1) as recorder:
            log_rows(recorder, np.full((last - first + 1, 1), level), first=first)
    with open_run("r") as run:
        np.testing.assert_array_equal(run.series("step").mean, np.arange(1, 91))
        np.testing.assert_allclose(run.series("mean_variance").mean[:, 0], [0.9] * 40 + [0.1] * 50, rtol=1e-6)


def test_two_stages_are_two_series(runs, log_rows):
    with Recorder("r") as recorder:
        recorder.stage(1, latents=2, total_steps=30)
        log_rows(recorder, np.full((30, 2), 0.4))
        recorder.stage(2, latents=5, total_steps=60)
        log_rows(recorder, np.full((40, 5), 0.7))
    with open_run("r") as run:
        assert [(s.number, s.latents, s.total_steps) for s in run.stages] == [(1, 2, 30), (2, 5, 60)]
        assert run.series("mean_variance").mean.shape == (40, 5)
        assert run.series("mean_variance", stage=1).mean.shape == (30, 2)


def test_a_scalar_that_comes_up_late_is_kept(runs):
    with Recorder("r", latents=1) as recorder:
        for step in range(1, 11):
            extra = {"test_mse": step / 2} if step in (4, 8) else {}
            recorder.log(step, mean_variance=[0.5], mse=1.0, **extra)
    with open_run("r") as run:
        late = run.series("test_mse")
        assert late.step.tolist() == [4, 8]
        assert late.mean.tolist() == [2.0, 4.0]
        assert "test_mse" in run.channels()
        assert all(event.kind != "value" for event in run.events())


def test_a_latent_channel_that_comes_up_late_opens_a_segment(runs):
    with Recorder("r", latents=2) as recorder:
        recorder.log(1, mean_variance=[0.5, 0.5])
        recorder.log(2, mean_variance=[0.4, 0.4], mean_mu=[1.0, 2.0])
    with open_run("r") as run:
        assert len(run.segments) == 2
        np.testing.assert_allclose(run.series("mean_variance").mean[:, 0], [0.5, 0.4], rtol=1e-6)
        np.testing.assert_allclose(run.series("mean_mu").mean, [[np.nan, np.nan], [1.0, 2.0]])


def test_an_unknown_channel_names_the_nearest(runs):
    with Recorder("r", latents=1) as recorder:
        recorder.log(1, mean_variance=[0.5], gamma=1.0)
    with open_run("r") as run:
        with pytest.raises(UnknownName, match="did you mean 'gamma'"):
            run.series("gama")
        with pytest.raises(UnknownName):
            run.series("\udc80")  # what no file can hold


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 99, "name": "r"}', '{"format": 1}'])
def test_a_damaged_run_json_is_an_error_with_its_path(runs, content):
    with Recorder("r", latents=1) as recorder:
        recorder.log(1, mean_variance=[0.5])
    (runs / "r" / "run.json").write_text(content)
    with open_run("r") as run:
        assert len(run.series("step").mean) == 1
        with pytest.raises(RunFileError, match=r"run\.json"):
            run.info()


@pytest.mark.parametrize("content", [b"", b"not hdf5 at all", b"\x89HDF\r\n\x1a\n"])
def test_a_damaged_segment_is_an_error_with_its_path(runs, content):
    with Recorder("r", latents=1) as recorder:
        recorder.log(1, mean_variance=[0.5])
    (runs / "r" / "segment-0000.h5").write_bytes(content)
    with pytest.raises(RunFileError, match=r"segment-0000\.h5"):
        open_run("r")


def test_a_late_scalar_that_gets_a_place_in_the_rows_is_one_series(runs):
    with Recorder("r", latents=1) as recorder:
        for step in range(1, 41):
            late = {"grad": step / 2} if step in (4, 8) or step >= 20 else {}
            recorder.log(step, mean_variance=[0.5], mse=1.0, **late)
    with open_run("r") as run:
        assert len(run.segments) == 2, "what comes at every step is no late value for long"
        found = run.series("grad")
        steps = found.step[np.isfinite(found.mean)]
        assert steps.tolist() == [4, 8, *range(20, 41)]
        np.testing.assert_array_equal(found.mean[steps - 1], steps / 2)


def test_late_scalars_of_rows_that_were_replaced_are_void(runs):
    with Recorder("r", latents=1) as recorder:
        for step in range(1, 21):
            recorder.log(step, mean_variance=[0.5], **({"test_mse": float(step)} if step % 5 == 0 else {}))
    with Recorder("r", latents=1, resume=True) as recorder:
        for step in range(11, 15):
            recorder.log(step, mean_variance=[0.5])
    with open_run("r") as run:
        assert run.series("test_mse").step.tolist() == [5, 10]


def test_a_run_whose_lock_cannot_be_seen_is_still_read_as_it_grows(runs, log_rows, monkeypatch):
    """As through a mount that passes no locks on, or a copy that is brought up to date again and again."""
    with Recorder("r", latents=1) as recorder:
        log_rows(recorder, np.full((50, 1), 0.5))
        recorder.flush()
        monkeypatch.setattr("vaemon.runfile.lock.holder", lambda folder: None)
        with open_run("r") as run:
            for last in (50, 120, 300):
                log_rows(
                    recorder, np.full((last - len(run.series("step").mean), 1), 0.5), len(run.series("step").mean) + 1
                )
                recorder.flush()
                run.refresh()
                assert len(run.series("step").mean) == last
                assert run.info().state is RunState.CRASHED


def test_a_late_scalar_is_of_one_stage(runs, log_rows):
    with Recorder("r") as recorder:
        for number, fid in ((1, 10.0), (2, 20.0)):
            recorder.stage(number, latents=2)
            log_rows(recorder, np.full((5, 2), 0.5))
            recorder.log(6, mean_variance=[0.5, 0.5], fid=fid, **({"old": 1.0} if number == 1 else {}))
    with open_run("r") as run:
        assert run.series("fid").mean.tolist() == run.series("fid", stage=2).mean.tolist() == [20.0]
        assert run.series("fid", stage=1).mean.tolist() == [10.0]
        assert run.series("old").mean.tolist() == [1.0], "of the newest stage that has it"
        assert set(run.channels(1)) - set(run.channels(2)) == {"old"}
        with pytest.raises(UnknownName):
            run.series("old", stage=2)
        assert run.channels(3) == ()


def test_a_late_scalar_that_got_a_place_is_listed_once(runs):
    with Recorder("r", latents=1) as recorder:
        for step in range(1, 41):
            recorder.log(step, mean_variance=[0.5], **({"grad": 1.0} if step in (4, 8) or step >= 20 else {}))
    with open_run("r") as run:
        assert run.channels().count("grad") == 1
