"""`vaemon export`, by what other programs read of it."""

import csv
import io
import json
import re
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from vaemon import Recorder, open_run
from vaemon.cli import vaemon
from vaemon.errors import UnknownName, UsageError
from vaemon.exchange.jsonl import json_lines
from vaemon.exchange.selection import row_at, select
from vaemon.source.local import LocalSource

ROWS = 1500


@pytest.fixture
def run(runs):
    """A run of 1,500 rows at every third step, with a NaN, and what was logged."""
    rng = np.random.default_rng(0)
    variance = rng.random((ROWS, 3)).astype(np.float32)
    mse = rng.random(ROWS).astype(np.float32)
    mse[7] = np.nan
    with Recorder("r", latents=3) as recorder:
        for i in range(ROWS):
            recorder.log(3 * i + 1, mean_variance=variance[i], mse=float(mse[i]), psnr=0.1 * i)
    return {"step": 3 * np.arange(ROWS) + 1, "mean_variance": variance, "mse": mse, "psnr": 0.1 * np.arange(ROWS)}


def export(*arguments):
    done = CliRunner().invoke(vaemon, ["export", "r", *arguments], standalone_mode=False)
    if done.exception is not None:
        raise done.exception
    return done.stdout_bytes


def test_csv_has_every_row_as_it_was_recorded(run):
    rows = list(csv.reader(io.StringIO(export("--to", "csv", "--out", "-").decode())))
    assert rows[0][0] == "step"
    assert {"time", "epoch", "mse", "psnr", "mean_variance[2]"} <= set(rows[0])
    columns = {name: np.array([float(row[i]) for row in rows[1:]]) for i, name in enumerate(rows[0])}
    np.testing.assert_array_equal(columns["step"], run["step"])
    np.testing.assert_array_equal(columns["mse"].astype(np.float32), run["mse"])
    np.testing.assert_array_equal(columns["mean_variance[2]"].astype(np.float32), run["mean_variance"][:, 2])


def test_json_has_an_object_a_line_and_says_what_is_not_finite(run):
    lines = [json.loads(line) for line in export("--to", "json", "--channel", "mse", "--out", "-").splitlines()]
    assert [each["step"] for each in lines] == run["step"].tolist()
    assert lines[7] == {"step": 22, "mse": "NaN"}
    assert np.float32(lines[8]["mse"]) == run["mse"][8]
    assert len(repr(lines[8]["mse"])) < 14


def test_npz_has_an_array_a_channel(run, tmp_path):
    export("--to", "npz", "--out", str(tmp_path / "x.npz"))
    with np.load(tmp_path / "x.npz") as found:
        for name in ("step", "mean_variance", "mse", "psnr"):
            np.testing.assert_array_equal(found[name], run[name])
        assert found["mean_variance"].dtype == np.float32
        assert found["time"].shape == (ROWS,)


def test_infinite_values_and_latent_channels_of_ones_own(runs):
    with Recorder("r", latents=2) as recorder:
        for i in range(100):
            recorder.log(i + 1, mse=float("inf") if i == 7 else 0.5, own=[i, -float("inf")], mean_variance=[0.5, 1.0])
    rows = list(csv.DictReader(io.StringIO(export("--to", "csv", "--out", "-").decode())))
    assert [row["mse"] for row in rows[6:9]] == ["0.5", "inf", "0.5"]
    assert [(row["own[0]"], row["own[1]"]) for row in rows[98:]] == [("98.0", "-inf"), ("99.0", "-inf")]


@pytest.fixture
def seldom(runs):
    """A run of 300 rows with a scalar that two of them have, so that it is kept beside the rows; its values by step."""
    values = {11: 0.1, 151: float("inf")}
    with Recorder("r", latents=1) as recorder:
        for step in range(1, 301):
            recorder.log(step, mse=1 / step, **({"rare": values[step]} if step in values else {}))
    with open_run("r") as run:
        assert "rare" not in run.stage().channels
        assert run.series("rare").step.tolist() == [11, 151]
    return values


def read(path):
    """The columns of a file of any kind, by name."""
    if path.suffix == ".npz":
        with np.load(path) as file:
            return dict(file)
    if path.suffix == ".parquet":
        return {name: each.to_numpy() for name, each in zip(*unzipped(parquet.read_table(path)), strict=True)}
    if path.suffix == ".json":
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}
    rows = list(csv.reader(io.StringIO(path.read_text())))
    return {name: np.array([float(row[i]) for row in rows[1:]]) for i, name in enumerate(rows[0])}


def unzipped(table):
    return table.column_names, table.columns


@pytest.mark.parametrize("words", [(), ("--channel", "rare"), ("--channel", "rare", "--first", "100", "--last", "152")])
@pytest.mark.parametrize("kind", ["csv", "json", "npz", "parquet"])
def test_a_scalar_that_comes_up_too_seldom_for_the_rows_is_there_at_its_steps(seldom, tmp_path, kind, words):
    export("--to", kind, "--out", str(tmp_path / f"x.{kind}"), *words)
    found = read(tmp_path / f"x.{kind}")
    assert found["step"].tolist() == list(range(100, 153) if "--first" in words else range(1, 301))
    expected = [seldom.get(step, float("nan")) for step in found["step"].tolist()]
    np.testing.assert_array_equal(found["rare"], expected)


def test_few_points_of_a_scalar_that_comes_up_seldom(seldom, tmp_path):
    export("--to", "npz", "--out", str(tmp_path / "x.npz"), "--points", "10", "--channel", "mse", "--channel", "rare")
    found = read(tmp_path / "x.npz")
    assert found["step"].tolist() == [*range(32, 300, 32), 300]
    expected = [0.1, *[float("nan")] * 9]  # of what is infinite there is no mean
    for name in ("rare", "rare.low", "rare.high"):
        np.testing.assert_array_equal(found[name], expected)


def test_parquet_has_a_column_a_channel(run, tmp_path):
    export("--to", "parquet", "--out", str(tmp_path / "x.parquet"))
    table = parquet.read_table(tmp_path / "x.parquet")
    np.testing.assert_array_equal(table["step"].to_numpy(), run["step"])
    np.testing.assert_array_equal(table["psnr"].to_numpy(), run["psnr"])
    found = table["mean_variance"].combine_chunks()
    np.testing.assert_array_equal(found.flatten().to_numpy().reshape(ROWS, 3), run["mean_variance"])
    assert table["time"].to_numpy().dtype == np.float64


def test_a_range_of_steps_and_some_channels(run, tmp_path):
    export("--to", "npz", "--out", str(tmp_path / "x.npz"), "--first", "31", "--last", "60", "--channel", "psnr")
    with np.load(tmp_path / "x.npz") as found:
        assert sorted(found) == ["psnr", "step"]
        assert found["step"].tolist() == [31, 34, 37, 40, 43, 46, 49, 52, 55, 58]


@pytest.mark.parametrize("kind", ["csv", "json", "npz"])
def test_few_points_are_means_with_low_and_high(run, tmp_path, kind):
    out = tmp_path / f"x.{kind}"
    export("--to", kind, "--points", "100", "--channel", "psnr", "--out", str(out))
    if kind == "npz":
        with np.load(out) as file:
            found = {name: file[name] for name in file}
    elif kind == "json":
        lines = [json.loads(line) for line in out.read_text().splitlines()]
        found = {name: np.array([line[name] for line in lines]) for name in lines[0]}
    else:
        rows = list(csv.reader(io.StringIO(out.read_text())))
        found = {name: np.array([float(row[i]) for row in rows[1:]]) for i, name in enumerate(rows[0])}
    assert list(found) == ["step", "psnr", "psnr.low", "psnr.high"]
    blocks = [run["psnr"][first : first + 16] for first in range(0, ROWS, 16)]
    assert len(blocks) == len(found["step"]) == 94
    np.testing.assert_allclose(found["psnr"], [each.mean() for each in blocks])
    np.testing.assert_allclose(found["psnr.high"], [each.max() for each in blocks])
    assert (found["step"][0], found["step"][-1]) == (run["step"][15], run["step"][-1])


def test_events_and_the_name_of_the_file(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VAEMON_RUNS", str(tmp_path / "runs"))
    with Recorder("q", latents=1) as recorder:
        recorder.log(1, mean_variance=[0.5])
        recorder.event("note", "half, way")
    CliRunner().invoke(vaemon, ["export", "q", "--to", "csv", "--events"])
    rows = list(csv.reader(io.StringIO((tmp_path / "q-events.csv").read_text())))
    assert ["note", "-1", "half, way"] in [row[3:] for row in rows]


def test_events_and_evaluations_as_any_table(runs, tmp_path):
    with Recorder("r", latents=1) as recorder:
        recorder.log(1, mean_variance=[0.5])
        recorder.evaluation(mse=0.25, inactive=3)
        recorder.event("note", "“half”, way")
        recorder.log(2, mean_variance=[0.5])
        recorder.evaluation(mse=0.125)
    lines = [json.loads(line) for line in export("--to", "json", "--events", "--out", "-").splitlines()]
    assert [(each["kind"], each["text"]) for each in lines if each["kind"] == "note"] == [("note", "“half”, way")]
    export("--to", "parquet", "--events", "--out", str(tmp_path / "e.parquet"))
    assert parquet.read_table(tmp_path / "e.parquet").to_pylist() == lines
    rows = list(csv.reader(io.StringIO(export("--to", "csv", "--evaluations", "--out", "-").decode())))
    assert rows[0] == ["step", "time", "stage", "mse", "inactive"]
    assert [(row[0], row[2:]) for row in rows[1:]] == [("1", ["1", "0.25", "3.0"]), ("2", ["1", "0.125", "nan"])]
    found = [json.loads(line) for line in export("--to", "json", "--evaluations", "--out", "-").splitlines()]
    assert [(each["step"], each["mse"], each.get("inactive")) for each in found] == [(1, 0.25, 3.0), (2, 0.125, None)]
    export("--to", "parquet", "--evaluations", "--out", str(tmp_path / "v.parquet"))
    assert parquet.read_table(tmp_path / "v.parquet")["mse"].to_pylist() == [0.25, 0.125]


@pytest.mark.parametrize("package", ["pyarrow", "crc32c", "google"])
def test_a_package_that_is_missing_is_named_with_its_extra(runs, tmp_path, package):
    with Recorder("r") as recorder:
        recorder.log(1, mse=0.5)
    kind = "parquet" if package == "pyarrow" else "tensorboard"
    words = ["vaemon", "export", "r", "--to", kind, "--out", str(tmp_path / "out")]
    code = f"import sys; sys.modules[{package!r}] = None; sys.argv = {words!r}; from vaemon.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"pip install 'vaemon[{kind}]'" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["../../stolen", "/stolen", ".hidden", "a\nb"])
def test_a_run_cannot_choose_where_it_is_written(run, runs, tmp_path, monkeypatch, name):
    told = json.loads((runs / "r" / "run.json").read_text())
    (runs / "r" / "run.json").write_text(json.dumps({**told, "name": name}))
    here = tmp_path / "a" / "b"
    here.mkdir(parents=True)
    monkeypatch.chdir(here)
    CliRunner().invoke(vaemon, ["export", str(runs / "r"), "--to", "csv", "--events"])
    (written,) = here.iterdir()
    assert written.name == f"{re.sub('[^a-z]+', '-', name).strip('-')}-events.csv"


def test_what_is_asked_for_wrongly(run):
    with pytest.raises(UnknownName, match="did you mean 'mse'"):
        export("--to", "csv", "--channel", "mes", "--out", "-")
    with pytest.raises(UnknownName, match="stage"):
        export("--to", "csv", "--stage", "2", "--out", "-")
    with pytest.raises(UsageError, match="no rows in those steps"):
        export("--to", "csv", "--first", "4499", "--out", "-")
    with pytest.raises(UsageError, match="events"):
        export("--to", "npz", "--events")


@settings(max_examples=30, deadline=None)
@given(st.integers(-5, 3 * ROWS + 10), st.integers(1, ROWS))
def test_the_row_of_a_step(run_once, step, rows):
    steps = 3 * np.arange(rows) + 1
    assert row_at(run_once, 1, rows, step) == int(np.searchsorted(steps, step))


@pytest.fixture(scope="module")
def run_once(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    with Recorder("r", runs=folder) as recorder:
        for i in range(ROWS):
            recorder.log(3 * i + 1, mse=0.5)
    source = LocalSource(folder / "r")
    yield source
    source.close()


def test_all_channels_are_meant_unless_some_are_named(run, runs):
    source = LocalSource(runs / "r")
    assert {"time", "epoch", "mse", "psnr", "mean_variance"} <= set(select(source).channels)
    assert select(source, channels=["psnr", "step", "psnr"]).channels == ("psnr",)


def test_json_of_single_precision_has_no_digits_more():
    block = {"step": np.array([1]), "v": np.array([[0.1, np.inf]], np.float32)}
    assert list(json_lines([block])) == [b'{"step": 1, "v": [0.1, "Infinity"]}\n']
