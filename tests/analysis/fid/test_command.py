import csv
import errno
import io
import json
import os
import socket
import sys
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from analysis.columns import COLUMNS
from analysis.features.statistics import Made, save
from analysis.measures.features import FeatureStatistics
from vaemon.cli import vaemon
from vaemon.errors import DataNotFound, NotFetched, UsageError, VaemonError

RNG = np.random.default_rng(0)
PIXELS = ("--features", "pixels")
PATIENCE = 300
"""Seconds after which processes are said to hang."""


@pytest.fixture
def a():
    np.save("a.npy", RNG.integers(0, 256, (90, 8, 8, 3), dtype=np.uint8))
    return "a.npy"


@pytest.fixture
def b():
    np.save("b.npy", (RNG.random((70, 8, 8, 3)) ** 2).astype(np.float32))
    return "b.npy"


def frechet_in_pixels(a, b):
    """By scipy, of components of `a` that leave nothing out but the least."""
    from scipy.linalg import sqrtm

    a, b = (x.reshape(len(x), -1) for x in (a / 255, b))
    axes = np.linalg.eigh(np.cov(a.T))[1][:, ::-1][:, :64]
    a, b = a @ axes, b @ axes
    covariances = np.cov(a.T), np.cov(b.T)
    root = sqrtm(covariances[0] @ covariances[1]).real
    return ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(covariances[0] + covariances[1] - 2 * root)


def squared_mmd_in_pixels(a, b):
    """By the definition, of components of `a` about its mean; all pairs of different images, the cubic kernel."""
    a, b = (x.reshape(len(x), -1) / 255 for x in (a, b))
    axes = np.linalg.eigh(np.cov(a.T))[1][:, ::-1][:, :64]
    a, b = ((x - a.mean(0)) @ axes for x in (a, b))
    within = [np.mean([(x @ y / 64 + 1) ** 3 for x, y in permutations(each, 2)]) for each in (a, b)]
    return sum(within) - 2 * np.mean([(x @ y / 64 + 1) ** 3 for x in a for y in b])


def test_the_distance_and_its_conditions(run, a, b):
    out, err = run(a, b, *PIXELS, "--json")
    found = json.loads(out)
    assert found["value"] == pytest.approx(frechet_in_pixels(np.load(a), np.load(b)), rel=1e-4)
    assert found["distance"] == "FD-pixels"
    assert (found["reference"]["count"], found["judged"]["count"]) == (90, 70)
    assert (found["reference"]["quantisation"], found["judged"]["quantisation"]) == ("bytes", "floats")
    assert found["reference"]["ddof"] == 1
    assert "unequal numbers of images, 90 against 70" in err
    text, _ = run(a, b, *PIXELS)
    assert text.startswith(f"FD-pixels   {found['value']:.4f}")
    assert "FID" not in text


def test_as_csv_a_line_a_value(run, a, b):
    found = json.loads(run(a, b, *PIXELS, "--kid", "--json")[0])
    lines = list(csv.DictReader(io.StringIO(run(a, b, *PIXELS, "--kid", "--csv")[0])))
    assert tuple(lines[0]) == COLUMNS
    told = {line["name"]: line["value"] for line in lines if line["report"] == "fid"}
    assert [float(told[name]) for name in ("value", "kid")] == [found["value"], found["kid"]]
    assert float(told["kid_deviation"]) == found["kid_deviation"] > 0  # subsets of 70 of the 90
    for side in ("reference", "judged"):
        assert told[f"{side}.count"] == str(found[side]["count"])
        assert told[f"{side}.features"] == found[side]["features"]
    with pytest.raises(UsageError, match="--json and --csv"):
        run(a, b, *PIXELS, "--json", "--csv")


def test_a_set_against_itself_is_at_no_distance(run, a):
    found = json.loads(run(a, a, *PIXELS, "--json")[0])
    assert abs(found["value"]) < 1e-10
    assert found["warnings"] == []


def test_constant_images_are_sets_like_others(run, a):
    np.save("flat.npy", np.full((90, 8, 8), 255, np.uint8))
    assert json.loads(run("flat.npy", "flat.npy", *PIXELS, "--json")[0])["value"] == pytest.approx(0, abs=1e-10)
    out, _ = run(a, "flat.npy", *PIXELS)
    assert "flat.npy: all images are grey, and were repeated to three channels" in out


def test_a_folder_of_mixed_sizes_is_told(run, a):
    Path("mixed").mkdir()
    for number, side in enumerate((8, 9, 8)):
        Image.fromarray(RNG.integers(0, 256, (side, 8, 3), dtype=np.uint8)).save(f"mixed/{number}.png")
    out, _ = run(a, "mixed", *PIXELS)
    assert "mixed: the images differ in size, and each was resized from its own" in out


def test_more_than_the_distance(run):
    grey, black, white = (RNG.integers(low, low + 40, (45, 8, 8, 3), dtype=np.uint8) for low in (110, 0, 215))
    real, fake = np.concatenate([grey, black]), np.concatenate([grey, grey[:15], white[:30]])
    np.save("real.npy", real)
    np.save("fake.npy", fake)
    found = json.loads(run("real.npy", "fake.npy", *PIXELS, "--kid", "--precision-recall", "--json")[0])
    assert found["kid"] == pytest.approx(squared_mmd_in_pixels(real, fake), rel=1e-4)
    assert (found["kid_subset"], found["kid_deviation"]) == (90, None)  # every subset of 90 is all 90
    assert found["precision"] == 60 / 90  # no ball of grey or black images reaches to the white ones
    assert found["recall"] == 45 / 90
    text, _ = run("real.npy", "fake.npy", *PIXELS, "--kid", "--precision-recall")
    assert text.splitlines()[1:4] == [
        f"KID         {found['kid']:.6f}",
        "precision   0.6667",
        "recall      0.5000",
    ]


@pytest.mark.parametrize(("condition", "code"), [("value>0", 4), ("value<0", 0), ("recall<9", 4)])
def test_fail_if_is_told_by_the_exit_code(a, b, condition, code):
    done = CliRunner().invoke(vaemon, ["fid", a, b, *PIXELS, "--fail-if", condition])
    assert done.exit_code == code
    assert (f"vaemon: --fail-if {condition}: " in done.stderr) is (code == 4)
    assert done.stdout.startswith("FD-pixels")


def test_statistics_are_saved_and_compared(run, a):
    assert run(a, *PIXELS, "--save-statistics", "a.npz")[0] == ""
    out, err = run(a, "a.npz", *PIXELS, "--json")
    assert json.loads(out)["value"] == pytest.approx(0, abs=1e-9)
    assert err == ""
    with pytest.raises(UsageError, match=r"a\.npz holds statistics alone"):
        run(a, "a.npz", *PIXELS, "--kid")
    with pytest.raises(UsageError, match="fitted to the reference's images"):
        run("a.npz", a, *PIXELS)
    np.savez("plain.npz", mu=np.zeros(2), sigma=np.eye(2))
    with pytest.raises(UsageError, match="holds statistics already"):
        run("plain.npz", "--save-statistics", "b.npz")


def test_statistics_of_pytorch_fid_are_taken_with_a_warning(run):
    for name, shift in (("x.npz", 0), ("y.npz", 2)):
        np.savez_compressed(name, mu=np.full(5, float(shift)), sigma=np.eye(5))
    out, err = run("x.npz", "y.npz", "--json")
    assert json.loads(out)["value"] == pytest.approx(20)
    assert err.count("does not tell by which recipe") == 2
    assert json.loads(out)["judged"]["count"] is None


def test_other_recipes_on_the_two_sides_are_warned_of(run):
    for recipe in ("tf", "clean"):
        made = Made("FID", recipe, f"inception {recipe} float32", "bytes")
        save(Path(f"{recipe}.npz"), FeatureStatistics(10_000, np.zeros(3), np.eye(3)), made)
    out, err = run("tf.npz", "clean.npz")
    assert "unequal recipes, tf against clean" in err
    assert out.startswith("FID         0.0000")


def test_features_of_two_kinds_are_not_compared(run, a):
    np.savez("x.npz", mu=np.zeros(5), sigma=np.eye(5))
    with pytest.raises(UsageError, match="features of two kinds"):
        run(a, "x.npz", *PIXELS)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("a.npy",), "give a second, or --save-statistics"),
        (("a.npy", "--save-statistics", "s.npz", "--fail-if", "value>1"), "give a second set"),
        (("a.npy", "b.npy", "--fail-if", "values>1"), "did you mean 'value'"),
        (("a.npy", "b.npy", "--features", "pixel"), "known are inception, pixels, encoder"),
        (("a.npy", "b.npy", "--features", "pixels", "--recipe", "tf"), "are of Inception"),
        (("a.npy", "b.npy", "--features", "encoder"), "--model says which"),
        (("a.npy", "one.npy", "--features", "pixels"), "one.npy holds 1 image"),
        (("one.npy", "a.npy", "--features", "pixels"), "one.npy holds 1 image"),
        (("a.npy", "b.npy", "--features", "os:listdir"), "os:listdir failed: TypeError: .*; VAEMON_DEBUG=1"),
        (("a.npy", "nan.npy", "--features", "pixels"), "NaN"),
        (("a.npy", "none", "--features", "pixels"), "no such file or folder"),
        # Before the features are made, which these would fail to be.
        (("a.npy", "b.npy", "--features", "os:listdir", "--infinity"), "5,000 images and more; b.npy holds 70"),
        (("a.npy", "three.npy", "--features", "os:listdir", "--precision-recall"), "three.npy holds 3 images"),
        (("a.npy", "some.npz", "--features", "os:listdir", "--kid"), "some.npz holds statistics alone"),
        (("a.npy", "of-pixels.npz", "--features", "os:listdir"), r"some of a.npy \(FD-listdir\) against 5 of of-"),
        (("some.npz", "a.npy", "--recipe", "tf"), r"5 of some.npz against 2,048 of a.npy \(FID\)"),
    ],
)
def test_a_question_that_is_wrong_is_answered_in_a_line(run, a, b, words, said):
    np.save("one.npy", np.zeros((1, 8, 8)))
    np.save("nan.npy", np.full((9, 8, 8), np.nan))
    np.save("three.npy", np.zeros((3, 8, 8)))
    np.savez("some.npz", mu=np.zeros(5), sigma=np.eye(5))
    made = Made("FD-pixels", "", "pixels", "bytes")
    save(Path("of-pixels.npz"), FeatureStatistics(90, np.zeros(5), np.eye(5)), made)
    with pytest.raises(UsageError, match=said) as told:
        run(*words)
    assert "\n" not in str(told.value)


def test_what_may_not_be_read_is_answered_in_a_line(run, a, monkeypatch):
    """Permissions are nothing to root, who may be the one that tests: what opens files refuses in their place."""

    def refuse(path, *_, **__):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(DataNotFound, match=r"cannot read a\.npy: Permission denied"):
        run(a, a, *PIXELS)


def test_without_weights_it_is_said_where_they_are(run, a, b, monkeypatch):
    monkeypatch.setattr("analysis.features.weights.MIRRORS", ("http://127.0.0.1:9/",))
    with pytest.raises(NotFetched, match="95,628,359 bytes, sha256:6726825d"):
        run(a, b)


def test_statistics_that_cannot_be_written_leave_nothing(run, a):
    with pytest.raises(VaemonError, match=r"cannot write none/a\.npz: No such file"):
        run(a, *PIXELS, "--save-statistics", "none/a.npz")
    assert not Path("none").exists()


THEIRS = """
import os

def means(x):
    with open(f"calls-{os.environ.get('RANK', 'alone')}", "a") as file:
        file.write(f"{len(x)} ")
    return x.mean((2, 3))
"""

MORTAL = """
import os

def means(x):
    if os.environ["RANK"] == "1":
        os._exit(9)
    return x.mean((2, 3))
"""


@pytest.fixture
def two(torch_fork_server, monkeypatch):
    """two("A", "B", …) -> what two processes of `vaemon fid` say, started as by torchrun, and their exit codes."""

    def fid(*words):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        shared = {**os.environ, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2"}
        environments = [{**shared, "RANK": str(rank), "LOCAL_RANK": str(rank)} for rank in (0, 1)]
        both = [torch_fork_server.captured("fid", *words, environment=each) for each in environments]
        done = [each.ended(PATIENCE) for each in both]
        return [(each.stdout, each.stderr) for each in done], [each.returncode for each in done]

    monkeypatch.setattr(sys, "path", list(sys.path))
    return fid


def test_two_processes_share_a_pass(run, two, a):
    """Each does half of the blocks, and one of them tells."""
    Path("theirs_counted.py").write_text(THEIRS)
    images = RNG.integers(0, 256, (300, 8, 8, 3), dtype=np.uint8)
    np.save("many.npy", images)
    words = ("many.npy", a, "--features", "theirs_counted:means", "--json")
    alone = json.loads(run(*words)[0])
    said, codes = two(*words)
    assert codes == [0, 0], said
    assert said[1][0] == ""
    assert json.loads(said[0][0]) == alone
    # The width is not known beforehand, so that each computes the first block of both sets, too.
    assert Path("calls-0").read_text().split() == ["64", "64", "64", "44", "64", "64"]
    assert Path("calls-1").read_text().split() == ["64", "64", "64", "64", "26"]


def test_a_process_that_dies_is_told_of_in_a_line(two, a):
    Path("theirs_mortal.py").write_text(MORTAL)
    said, codes = two(a, a, "--features", "theirs_mortal:means")
    assert codes == [1, 9], said
    (line,) = said[0][1].splitlines()
    assert line.startswith("vaemon: another of the 2 processes that work together has died or does not answer")
    assert line.endswith("; start them again, with any number of them; features that are kept are not computed anew")
