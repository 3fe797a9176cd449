"""A run to TensorBoard's event files and back is the same run."""

import shutil
import sys

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vaemon import Recorder, open_run
from vaemon.channels import channel
from vaemon.cli import vaemon
from vaemon.errors import UsageError
from vaemon.runfile.images import ImageFolder
from vaemon.thresholds import Thresholds

NUMBER = st.one_of(st.floats(width=64), st.sampled_from([0.1, 1e-300, 1e300, -0.0, float("nan"), float("inf")]))


def export(*words):
    done = CliRunner().invoke(vaemon, ["export", *map(str, words)], standalone_mode=False)
    if done.exception is not None:
        raise done.exception
    return done


def channels(run, stage):
    return {name: run.series(name, stage=stage) for name in run.channels(stage)}


def assert_same(name, other):
    with open_run(name) as first, open_run(other) as second:
        assert [*first.stages] == [*second.stages]
        for stage in first.stages:
            found, again = channels(first, stage.number), channels(second, stage.number)
            assert set(found) == set(again)
            for name, told in found.items():
                dtype = channel(name, "scalar" if told.mean.ndim == 1 else "latent").dtype
                there = np.isin(
                    again[name].step, told.step
                )  # not all, where it comes up so seldom that it is in no row
                values = np.full(again[name].mean.shape, np.nan)
                values[there] = told.mean
                with np.errstate(over="ignore"):  # values from before a channel had a place in the rows are float64
                    np.testing.assert_array_equal(values.astype(dtype), again[name].mean, err_msg=name)
                assert again[name].mean.dtype == dtype
        assert first.events() == second.events()
        assert first.evaluations() == second.evaluations()
        one, two = first.info(), second.info()
        assert (one.config, one.thresholds, one.created) == (two.config, two.thresholds, two.created)


@pytest.mark.timeout(300)  # each example records, exports and imports a run
@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.integers(1, 50),
            st.fixed_dictionaries({}, optional=dict.fromkeys(("loss", "kl", "own", "a/b"), NUMBER)),
        ),
        min_size=1,
        max_size=20,
    ),
    st.booleans(),
)
def test_whatever_the_numbers_and_wherever_some_are_missing(runs, bring, tmp_path, given_rows, latent):
    shutil.rmtree(runs, ignore_errors=True)
    shutil.rmtree(tmp_path / "out", ignore_errors=True)
    step = 0
    with Recorder("r") as recorder:
        for more, values in given_rows:
            step += more
            vector = {"mean_variance": np.float32([0.5, step])} if latent else {}
            recorder.log(step, **values, **vector, always=0.1 * step)
    export("r", "--to", "tensorboard", "--out", tmp_path / "out")
    bring(tmp_path / "out", "--run", "again")
    assert_same("r", "again")


@pytest.fixture
def recorded(runs, staircase, log_rows):
    """A run of two stages with all that a run can have."""
    rng = np.random.default_rng(0)
    at = Thresholds(wake=0.25, hold=10)
    with Recorder(
        "r", latents=3, config={"lr": 1e-4, "net": {"b": [1, "x"]}}, thresholds=at, steps_per_epoch=50
    ) as run:
        log_rows(run, staircase(500, 3))
        run.evaluation(mse=0.1, inactive=1, own=float("nan"))
        run.images("GEN-1", rng.random((5, 6, 7, 3)))
        run.images("grey", rng.random((2, 6, 7)))
        run.event("note", "half, “way”")
        run.stage(2, latents=2, total_steps=100)
        for step in range(1, 101):
            run.log(step, mean_variance=rng.random(2), own_vector=rng.random(2), epoch=step // 7)
    return runs / "r"


def test_stages_events_evaluations_images_and_config(recorded, runs, bring, tmp_path, monkeypatch):
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "PIL", None)  # not installed: to write images takes nothing
        export("r", "--to", "tensorboard", "--out", tmp_path / "out")
    bring(tmp_path / "out", "--run", "again")
    assert_same("r", "again")
    sets = ImageFolder(recorded).list()
    assert [(each.stage, each.kind, each.count, each.channels) for each in sets] == [
        (1, "GEN-1", 5, 3),
        (1, "grey", 2, 1),
    ]
    for each in sets:
        pixels = ImageFolder(recorded).read(each)
        np.testing.assert_array_equal(ImageFolder(runs / "again").read(each), pixels)


def test_a_part_of_a_run(recorded, bring, tmp_path):
    words = ("--first", 10, "--last", 60, "--channel", "mse", "--channel", "mean_variance", "--out", tmp_path / "out")
    export("r", "--to", "tensorboard", "--stage", 1, *words)
    bring(tmp_path / "out", "--run", "again")
    with open_run("r") as first, open_run("again") as again:
        assert set(again.stage().channels) == {"step", "time", "epoch", "mse", "mean_variance"}
        for name in ("step", "time", "mse", "mean_variance"):
            found = first.series(name, stage=1, first=10, last=60).mean
            np.testing.assert_array_equal(again.series(name).mean, found)


def test_few_points(recorded, bring, tmp_path):
    export("r", "--to", "tensorboard", "--points", 20, "--channel", "mse", "--stage", 1, "--out", tmp_path / "out")
    bring(tmp_path / "out", "--run", "again")
    with open_run("r") as first, open_run("again") as again:
        found = first.series("mse", stage=1, points=20)
        np.testing.assert_array_equal(again.series("mse").mean, found.mean.astype(np.float32))
        np.testing.assert_array_equal(again.series("mse.high").mean, found.high)
        np.testing.assert_array_equal(again.series("step").mean, found.step)


def test_no_folder_is_written_over_and_standard_output_is_none(recorded, tmp_path):
    out = tmp_path / "out"
    for _ in range(3):
        export("r", "--to", "tensorboard", "--out", out)
    assert sorted(each.name for each in tmp_path.iterdir() if each.name.startswith("out")) == ["out", "out-2", "out-3"]
    assert not [each for each in tmp_path.iterdir() if each.name.startswith(".")]
    with pytest.raises(UsageError, match="--out FOLDER"):
        export("r", "--to", "tensorboard", "--out", "-")


def test_only_stages_with_such_rows_are_written(recorded, tmp_path):
    export("r", "--to", "tensorboard", "--first", 200, "--out", tmp_path / "out")
    assert [each.name for each in (tmp_path / "out").iterdir()] == ["stage1"]
    with pytest.raises(UsageError, match="no rows in those steps"):
        export("r", "--to", "tensorboard", "--first", 2000, "--out", tmp_path / "none")
    assert not (tmp_path / "none").exists()
