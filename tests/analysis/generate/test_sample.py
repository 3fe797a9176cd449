"""`vaemon sample` and `vaemon analyze --renormalize` from the command line."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from analysis.command import analyze
from analysis.generate.generate import reconstructions, samples, traversals
from analysis.generate.kept import load
from analysis.generate.renormalisation import fit_kind
from analysis.generate.report import examine
from analysis.generate.trained import Trained
from analysis.generate.written import figures
from analysis.pictures.pixels import tiled
from analysis.renormalize import NAMES
from analysis.sample import sample
from vaemon import Recorder
from vaemon.errors import UnknownName, UsageError, VaemonError


def invoke(*arguments, command=sample, **more):
    return CliRunner().invoke(command, list(map(str, arguments)), catch_exceptions=False, **more)


def all_of(blocks):
    return np.concatenate(list(blocks))


def test_a_folder_of_pngs(shrunken, tmp_path):
    done = invoke("tiny", "--n", 12, "--seed", 3, "--to", tmp_path / "out")
    assert done.exit_code == 0
    assert done.stdout == ""
    assert done.stderr == f"written: {tmp_path / 'out'} (12 of GEN-2, seed 3)\n"
    read = np.stack([np.asarray(Image.open(each)) for each in sorted((tmp_path / "out").iterdir())])
    np.testing.assert_array_equal(read, np.rint(all_of(samples(shrunken.trained(), 2, 12, 3)) * 255))


@pytest.mark.parametrize(
    ("options", "expected", "told"),
    [
        (["--stage", "1"], lambda run: samples(run, 1, 9, 0), "9 of GEN-1, seed 0"),
        (
            ["--stage", "rec"],
            lambda run: reconstructions(run, 9),
            "9 reconstructions of test images, posterior samples",
        ),
        (["--stage", "rec", "--mean"], lambda run: reconstructions(run, 9, mean=True), "posterior means"),
        (
            ["--renormalize"],
            lambda run: samples(run, 2, 9, 0, load(run.folder)),
            "renormalised to a variance of 1, seed",
        ),
    ],
)
def test_arrays_of_what_was_asked_for(shrunken, tmp_path, options, expected, told):
    done = invoke("tiny", "--n", 9, "--to", tmp_path / "out.npz", *options)
    assert told in done.stderr
    with np.load(tmp_path / "out.npz") as found:
        np.testing.assert_array_equal(found["images"], all_of(expected(Trained(shrunken.folder))))


def test_all_reconstructions_there_can_be(shrunken, tmp_path):
    there = len(shrunken.trained().images.test)
    done = invoke("tiny", "--stage", "rec", "--n", 5000, "--contrast", "--to", tmp_path / "out.npy")
    assert f"there are {there} test images, and so as many reconstructions" in done.stderr
    assert "contrast adjusted as published" in done.stderr
    assert np.load(tmp_path / "out.npy").shape == (there, 8, 8, 3)


def test_the_terminal_shows_a_grid(shrunken):
    done = invoke("tiny")
    assert len(done.stdout.splitlines()) > 8
    assert "\x1b" not in done.stdout
    assert done.stderr == "64 of GEN-2, seed 0\n"


def test_a_terminal_that_takes_ascii(shrunken):
    assert CliRunner(charset="ascii").invoke(sample, ["tiny", "--n", "4"], catch_exceptions=False).stdout.isascii()


def test_without_a_second_stage_the_first_is_sampled(make_run):
    make_run("alone", saved=(1,))
    assert "64 of GEN-1" in invoke("alone").stderr


def test_a_traversal_as_a_picture_and_in_the_terminal(shrunken, tmp_path):
    place = tmp_path / "out.png"
    done = invoke("tiny", "--traverse", "2,0", "--columns", 5, "--image", 3, "--to", place)
    assert "rows: latent 2, latent 0\n" in done.stderr
    expected = tiled(traversals(shrunken.trained(), [2, 0], 5, 3).images)
    np.testing.assert_array_equal(np.asarray(Image.open(place)), expected)
    assert len(invoke("tiny", "--traverse", "2,0").stdout.splitlines()) == 9  # 2 rows of 8 pixels, 2 between, halved
    assert invoke("tiny", "--traverse").stderr.startswith("rows: latent ")


def test_interpolations(shrunken, tmp_path):
    assert invoke("tiny", "--interpolate", 3, "--to", tmp_path / "a.png").stderr.count(" – ") == 3
    assert np.asarray(Image.open(tmp_path / "a.png")).shape == (3 * 10 - 2, 9 * 10 - 2, 3)
    assert "rows: 3 – 5, 0 – 1\n" in invoke("tiny", "--between", 3, 5, "--between", 0, 1).stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--overwrite"], "--overwrite is for what --to names"),
        (["--mean"], "say --stage rec"),
        (["--stage", "rec", "--renormalize"], "not renormalised: use --stage 2"),
        (["--traverse", "1", "--interpolate", "2"], "use one of them"),
        (["--between", "1", "2", "--interpolate", "2"], "use one of the two"),
        (["--traverse", "1", "--n", "3"], "--n is for samples"),
        (["--interpolate", "1", "--stage", "1"], "--stage is for samples"),
        (["--interpolate", "1", "--to", "out"], "--to FILE.png, not out"),
        (["--traverse", "one"], "takes latents as 3,7,12, not 'one'"),
        (["--to", "x.jpg"], "to a folder"),
    ],
)
def test_options_that_make_no_sense(shrunken, options, message):
    with pytest.raises(UsageError, match=message):
        invoke("tiny", *options)


def test_a_tilde_is_the_home_and_that_of_nobody_a_name(shrunken, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for place, written in (("~/a.png", "a.png"), ("~nobody-of-that-name.png", "~nobody-of-that-name.png")):
        invoke("tiny", "--n", 2, "--to", place)
        assert (tmp_path / written).is_file()


def test_a_picture_is_not_replaced_unasked(shrunken, tmp_path):
    place = tmp_path / "out.png"
    invoke("tiny", "--traverse", "1", "--to", place)
    with pytest.raises(UsageError, match="is there already; --overwrite replaces it"):
        invoke("tiny", "--traverse", "1", "--to", place)
    assert invoke("tiny", "--traverse", "1", "--to", place, "--overwrite").exit_code == 0


def test_runs_that_cannot_be_sampled(runs, make_run):
    with Recorder("bare", latents=2, runs=runs) as recorder:
        recorder.log(1, mean_variance=np.ones(2))
    with pytest.raises(VaemonError, match="run 'bare' has no checkpoint; `vaemon train` saves one"):
        invoke("bare")
    with pytest.raises(VaemonError, match="gpu1:run lies on another machine"):
        invoke("gpu1:run")
    with pytest.raises(UnknownName):
        invoke("none")
    make_run("bar")
    (runs / "bare" / "checkpoints").mkdir()
    with pytest.raises(UsageError, match=r"ba\* means 2 runs; name one"):
        invoke("ba*")


def test_an_error_leaves_no_file(make_run, tmp_path):
    make_run("alone", saved=(1,))
    with pytest.raises(UsageError, match="no second stage"):
        invoke("alone", "--stage", 2, "--to", tmp_path / "out")
    assert not [each for each in tmp_path.iterdir() if each.name != "runs"]


def test_the_report_is_kept_for_sampling(shrunken, runs):
    text = invoke("tiny", "--renormalize", "--target", "law", command=analyze).stdout
    assert text.startswith("tiny · second stage · renormalised to the variance law of each latent, E[μ²] + E[σ²]\n")
    assert load(runs / "tiny").expected == "law"
    assert "renormalised to the variance law" in invoke("tiny", "--renormalize").stderr


def test_the_report_as_json(shrunken):
    told = json.loads(invoke("tiny", "--renormalize", "--as-published", "--json", command=analyze).stdout)
    assert told["kind"] == "as published"
    assert told["kept"].endswith("renormalisation.npz")
    assert len(told["latents"]) == 4


@pytest.mark.parametrize(
    ("options", "condition", "why"),
    [
        ([], "mean_after<9", "mean_after<9: mean_after is "),
        ([], "mean_after>9", ""),
        ([], "variance_loss>9", "variance_loss>9: variance_loss is not known"),
        (["--as-published"], "fires>=0 and batches=100", "fires>=0 and batches==100: fires is "),
    ],
)
def test_fail_if_takes_what_the_report_has(shrunken, options, condition, why):
    words = ["tiny", "--renormalize", *options, "--fail-if", condition]
    done = CliRunner().invoke(analyze, words)
    assert done.exit_code == (4 if why else 0)
    assert (f"vaemon: tiny: --fail-if {why}" in done.stderr) == bool(why)


def test_every_figure_of_the_report_may_be_named(shrunken, runs):
    for kind in ("1", "published"):
        trained = Trained(runs / "tiny")
        found = figures(examine(trained, fit_kind(trained, kind)))
        assert set(found) <= set(NAMES)
    assert set(found) == set(NAMES)


def test_the_report_in_ascii(shrunken):
    options = ["tiny", "--renormalize", "--as-published"]
    text = CliRunner(charset="ascii").invoke(analyze, options, catch_exceptions=False).stdout
    assert text.isascii()
    assert "+- 0." in text
    assert "?" not in text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--target", "law"], "say both"),
        (["--renormalize", "--inactive"], "does not go with --inactive"),
        (["--renormalize", "--no-checkpoint"], "does not go with --no-checkpoint"),
        (["--renormalize", "--target", "law", "--as-published"], "leave out --target"),
    ],
)
def test_options_of_the_report_that_contradict(shrunken, options, message):
    with pytest.raises(UsageError, match=message):
        invoke("tiny", *options, command=analyze)
