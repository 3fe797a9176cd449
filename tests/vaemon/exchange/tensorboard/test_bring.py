"""`vaemon import tensorboard`, by what can be read of the run afterwards."""

import shutil
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vaemon import open_run
from vaemon.errors import BadRunName, RunExists, UnknownName, UsageError
from vaemon.exchange.tensorboard import reading
from vaemon.runfile.check import check_segment
from vaemon.runfile.images import ImageFolder

GOLDEN = Path(__file__).parent / "golden"
"""Its README says what the files hold."""


@pytest.fixture
def log(tmp_path):
    """log(path, name) -> a folder of event files, with a golden one at a path."""

    def log(path, name):
        (tmp_path / "log" / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(GOLDEN / name, tmp_path / "log" / path)
        return tmp_path / "log"

    return log


def test_what_tensorboardx_wrote(log, bring, runs):
    bring(log("run/events.out.tfevents.1600000001.host", "tensorboardx.tfevents"))
    with open_run("run") as run:
        kl = run.series("kl")
        assert (kl.step.tolist(), kl.mean.dtype) == ([1, 2], np.float32)
        np.testing.assert_array_equal(kl.mean, np.float32([0.1, np.nan]))
        np.testing.assert_array_equal(run.series("loss").mean, [2.5, np.nan])
        assert run.series("time").mean.tolist() == [1600000001.5, 1600000002.5]
        figures = {name: run.series(f"w.{name}").mean[1] for name in ("min", "q50", "max", "mean", "std")}
        expected = {"min": 0, "q50": 50, "max": 99, "mean": 49.5, "std": np.arange(100).std()}
        np.testing.assert_allclose(list(figures.values()), list(expected.values()), atol=1)
        notes = [(each.step, each.text) for each in run.events() if each.kind == "note"]
        assert notes[-1] == (2, "note/text_summary: hello")
        info = run.info()
        assert (info.state.value, info.reason, info.created) == ("finished", "", 1600000001.5)
        columns = run.stage().pooled(0, 2, 2, ("loss", "kl"))
        assert columns.absent["loss"].tolist() == [1]
        assert columns.channels["kl"].bad.tolist() == [1]
    (images,) = ImageFolder(runs / "run").list()
    assert (images.kind, images.step) == ("x", 2)
    np.testing.assert_array_equal(
        ImageFolder(runs / "run").read(images), np.arange(12, dtype=np.uint8).reshape(1, 2, 2, 3)
    )


def test_what_tensorboard_wrote(log, bring):
    bring(log("events.out.tfevents.1", "tensorboard.tfevents"), "--run", "own")
    with open_run("own") as run:
        loss = run.series("loss")
        assert (loss.step.tolist(), loss.mean.tolist()) == ([1, 2], [0.25, 0.125])
        assert run.series("time").mean.tolist() == [1600000001.0, 1600000002.0]
        figures = [float(run.series(f"w.{name}").mean[1]) for name in ("min", "q05", "q50", "q95", "max", "mean")]
        np.testing.assert_allclose(figures, [0, 5, 50, 95, 100, 50], atol=1)


def test_hyperparameters_are_the_config_and_belong_to_the_run_above(log, bring, runs):
    log("run/events.out.tfevents.1", "tensorboard.tfevents")
    bring(log("run/1600000009.25/events.out.tfevents.2", "hparams.tfevents"))
    assert [each.name for each in runs.iterdir()] == ["run"]
    with open_run("run") as run:
        assert dict(run.info().config) == {"lr": 0.001, "bs": 64, "opt": "adam", "amp": True}
        assert run.series("hparam/acc").mean[0] == 0.5


def test_hyperparameters_beyond_the_bound_are_told(log, bring, runs, monkeypatch):
    monkeypatch.setattr(reading, "MOST_SETTINGS", 3)
    log("run/events.out.tfevents.1", "tensorboard.tfevents")
    done = bring(log("run/1600000009.25/events.out.tfevents.2", "hparams.tfevents"))
    assert "1 hyperparameters beyond the first 3 are left out" in done.output
    with open_run("run") as run:
        assert len(run.info().config) == 3


def test_a_run_that_began_anew_replaces_what_came_after(log, bring):
    log("run/events.out.tfevents.1", "restarted-0.tfevents")
    bring(log("run/events.out.tfevents.2", "restarted-1.tfevents"))
    with open_run("run") as run:
        a = run.series("a")
        assert (a.step.tolist(), a.mean.tolist()) == ([0, 1, 2, 3], [0.0, 1.0, 2.0, 30.0])


def test_every_value_of_tags_that_come_at_steps_of_their_own(write, event, bring):
    rng = np.random.default_rng(0)
    often, seldom = rng.random(20_000), rng.random(200)
    records = [event(i, 1e9 + i, {"often": value}) for i, value in enumerate(often)]
    late = [event(100 * i + 7, 2e9, {"val/loss": value}) for i, value in enumerate(seldom)]
    bring(write("run/a.tfevents", *records, *late))
    with open_run("run") as run:
        found = run.series("often")
        assert found.step.tolist() == list(range(20_000))
        np.testing.assert_array_equal(found.mean, often.astype(np.float32))
        there = run.series("val/loss").mean
        np.testing.assert_array_equal(there[7::100], seldom.astype(np.float32))
        assert np.isnan(there).sum() == 19_800
        np.testing.assert_array_equal(run.series("time").mean, 1e9 + np.arange(20_000))
        pooled = run.stage().pooled(0, 20_000, 1024, ("val/loss",))
        assert not pooled.channels["val/loss"].bad.any()
        assert (20_000 - pooled.absent["val/loss"].sum()) == 200


def test_of_a_step_that_several_files_have_the_last_counts(write, event, bring):
    write("run/1.tfevents", *(event(i, 1.0, {"a": float(i)}) for i in range(10)))
    bring(write("run/2.tfevents", *(event(i, 2.0, {"a": -float(i)}) for i in range(5, 12))))
    with open_run("run") as run:
        assert run.series("a").mean.tolist() == [0, 1, 2, 3, 4, -5, -6, -7, -8, -9, -10, -11]
        assert run.series("time").mean.tolist() == [1.0] * 5 + [2.0] * 7


def test_vectors_of_the_latents_and_what_follows_from_them(write, event, bring, runs, staircase):
    variance = staircase(400, 2).astype(np.float32)
    records = [
        event(i + 1, float(i), {"z/var": row, "other": row[:1], "mu2": 1 - row}) for i, row in enumerate(variance)
    ]
    told = bring(write("run/a.tfevents", *records), "--map", "z/var=mean_variance", "--map", "mu2=mu_squared")
    assert "other kept as arrays" in told.stderr
    with open_run("run") as run:
        np.testing.assert_array_equal(run.series("mean_variance").mean, variance)
        np.testing.assert_allclose(run.series("variance_law").mean, 1, atol=1e-6)
        assert [each.latent for each in run.events() if each.kind == "wake"] == [0, 1]
        assert run.stages[0].latents == 2
    with np.load(runs / "run" / "tensors" / "1-other.npz") as arrays:
        assert arrays["step"].tolist() == list(range(1, 401))
        np.testing.assert_array_equal(arrays["values"], variance[:, :1])
    assert not list(check_segment(runs / "run" / "segment-0000.h5", live=False).findings)


def test_each_folder_is_a_run_and_stages_are_of_one(write, event, bring, runs):
    for path in ("a/x.tfevents", "b/c/x.tfevents", "d/stage1/x.tfevents", "d/stage2/x.tfevents"):
        log = write(path, event(1, 1.0, {"loss": 1.0}))
    bring(log)
    assert sorted(each.name for each in runs.iterdir()) == ["a", "b-c", "d"]
    with open_run("d") as run:
        assert [each.number for each in run.stages] == [1, 2]
    bring(log, "--run", "p")
    assert sorted(each.name for each in runs.iterdir()) == ["a", "b-c", "d", "p-a", "p-b-c", "p-d"]


def test_of_a_cut_file_what_is_before_is_kept_and_it_is_told(write, event, bring):
    log = write("run/a.tfevents", *(event(i, 1.0, {"a": 1.0}) for i in range(10)))
    whole = (log / "run/a.tfevents").read_bytes()
    (log / "run/a.tfevents").write_bytes(whole[:-3])
    told = bring(log)
    assert "a.tfevents: it ends within a record" in told.stderr
    with open_run("run") as run:
        assert run.series("a").step.tolist() == list(range(9))


def test_what_is_not_there_or_cannot_be(write, event, bring, runs, tmp_path):
    with pytest.raises(UsageError, match="no folder"):
        bring(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="has no event files"):
        bring(tmp_path / "empty")
    log = write("run/a.tfevents", event(1, 1.0, {"loss/kl": 1.0}))
    with pytest.raises(UnknownName, match="did you mean 'loss/kl'"):
        bring(log, "--map", "loss/lk=kl")
    with pytest.raises(UsageError, match="say TAG=CHANNEL"):
        bring(log, "--map", "loss")
    with pytest.raises(BadRunName):
        bring(log / "run", "--run", "../x")
    with pytest.raises(UsageError, match="nothing to import"):
        bring(write("nothing/a.tfevents") / "nothing")
    for path in ("two/a/b/x.tfevents", "two/a-b/x.tfevents"):
        write(path, event(1, 1.0, {"loss": 1.0}))
    with pytest.raises(UsageError, match="both be called 'a-b'"):
        bring(log / "two")
    shutil.rmtree(log / "two")
    shutil.rmtree(log / "nothing")
    assert not runs.exists() or not list(runs.iterdir())
    bring(log / "run")
    with pytest.raises(RunExists, match="is taken: there is a run already"):
        bring(log / "run")


def test_one_run_that_cannot_be_leaves_the_others(write, event, bring, runs):
    write("bad/a.tfevents")
    done = bring(write("good/a.tfevents", event(1, 1.0, {"loss": 1.0})))
    assert done.return_value == 1
    assert "nothing to import as bad" in done.stderr
    assert [each.name for each in runs.iterdir()] == ["good"]


def test_odd_values_are_told_and_cost_no_others(write, event, bring):
    records = [
        event(-1, 1.0, {"a": 1.0}),
        event(1, float("nan"), {"a": 2.0, "step": 3.0}),
        event(2, 1e300, {"a": np.zeros(3)}),
        event(3, -1.0, {"a": float("inf"), "v": np.zeros(2), "w": np.zeros((0, 2))}),
        event(4, 1.0, {"v": np.zeros(3)}),
    ]
    told = bring(write("run/a.tfevents", *records)).stderr
    for said in ("negative steps", "'a' have another shape", "'v' have another shape"):
        assert said in told
    with open_run("run") as run:
        assert run.series("a").step.tolist() == [1, 3]
        assert run.series("time").mean.tolist() == [0.0, 0.0]
        assert run.series("step'").mean[0] == 3.0


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 2000), st.integers(1, 255)), min_size=1, max_size=8), st.integers(0, 1000))
def test_a_damaged_file_is_imported_as_far_as_it_goes(write, bring, runs, flips, cut):
    data = bytearray((GOLDEN / "tensorboardx.tfevents").read_bytes())
    for at, bits in flips:
        data[at % len(data)] ^= bits
    log = write("run/a.tfevents")
    (log / "run/a.tfevents").write_bytes(data[: len(data) - cut % len(data)])
    shutil.rmtree(runs, ignore_errors=True)
    with suppress(UsageError):  # of values there may be none left
        bring(log)
    assert [each.name for each in runs.iterdir()] in ([], ["run"])
    for folder in runs.iterdir():
        with open_run(folder) as run:
            assert 1 <= len(run.stage()) <= 2


def test_a_tag_that_a_terminal_would_obey_is_told_as_text(write, event, bring):
    shapes = {"a\x1b[2J": np.zeros((2, 2), np.float32), "loss": 1.0}
    done = bring(write("run/events.out.tfevents.1", event(1, 1.0, shapes)))
    assert "a?[2J kept as arrays" in done.stderr
    assert "\x1b" not in done.output
