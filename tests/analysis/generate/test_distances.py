"""`vaemon analyze --fid`, of networks that were never trained, by features that need no weights."""

import csv
import io
import json

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from analysis.columns import COLUMNS
from analysis.distances import as_kept
from analysis.features.statistics import Made
from analysis.fid.compare import Comparison, Side
from analysis.generate.generate import samples
from analysis.generate.latents import latents
from analysis.generate.renormalisation import PerLatent
from analysis.generate.trained import Trained
from analysis.kept import kept
from analysis.measures.features import FeatureSums
from trainer.config import Balance, Stage2
from trainer.density import Mixture, save_mixture
from vaemon import Recorder
from vaemon.cli import vaemon
from vaemon.errors import NotFetched, UnknownName, UsageError

FEATURES = ("--features", "pixels")
SHOWN = (("value", 4), ("kid", 6), ("precision", 4), ("recall", 4))


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("VAEMON_INCEPTION", raising=False)


@pytest.fixture
def analyze():
    def run(*words):
        words = ["analyze", *map(str, words)]
        done = CliRunner().invoke(vaemon, words, catch_exceptions=False, standalone_mode=False)
        return done.stdout, done.stderr

    return run


def test_every_set_of_a_run_is_measured_against_its_test_images(make_run, runs, analyze):
    made = make_run()
    out, err = analyze("tiny", "--runs", runs, "--fid", *FEATURES, "--json")
    found = json.loads(out)["distances"]
    assert list(found) == ["REC", "GEN-1", "GEN-2", "GEN-2 renormalised"]
    assert {each["distance"] for each in found.values()} == {"FD-pixels"}
    count = len(Trained(made.folder).images.test)
    assert {each[side]["count"] for each in found.values() for side in ("reference", "judged")} == {count}
    assert f"the run has {count} test images: as many of each are compared" in err
    assert analyze("tiny", "--runs", runs, "--fid", *FEATURES, "--json")[0] == out
    (there,) = kept(made.folder)
    assert (there.recipe, there.how["images"], there.how["ddof"]) == ("FD-pixels", count, 1)
    assert there.values == pytest.approx({name: each["value"] for name, each in found.items()})
    text, _ = analyze("tiny", "--runs", runs, "--fid", *FEATURES, "--n", 5)
    assert text.startswith("tiny: FD-pixels against its test images\n\nREC ")
    assert "GEN-2 renormalised" in text


def test_as_csv_and_with_more_than_the_distance(make_run, runs, analyze):
    make_run()
    words = ("tiny", "--runs", runs, "--fid", *FEATURES, "--kid", "--precision-recall")
    sets = json.loads(analyze(*words, "--json")[0])["distances"]
    lines = list(csv.DictReader(io.StringIO(analyze(*words, "--csv")[0])))
    assert tuple(lines[0]) == COLUMNS
    assert {(line["run"], line["origin"], line["report"]) for line in lines} == {("tiny", "checkpoint", "fid")}
    told = {line["name"]: line for line in lines}
    for name, found in sets.items():
        for measure in ("value", "kid", "precision", "recall"):
            assert float(told[f"{name}.{measure}"]["value"]) == found[measure]
        assert told[f"{name}.judged.quantisation"]["value"] == found["judged"]["quantisation"]
        assert told[f"{name}.value"]["stage"] == ("2" if "GEN-2" in name else "1")
    rows = analyze(*words)[0].splitlines()[2:7]
    assert rows[0].split() == ["FD-pixels", "KID", "precision", "recall"]
    assert rows[1].split() == ["REC", *(f"{sets['REC'][name]:.{digits}f}" for name, digits in SHOWN)]
    assert len(set(map(len, rows))) == 1


def test_a_fid_is_kept_by_its_recipe_so_that_tables_find_it():
    features = np.random.default_rng(0).normal(size=(50, 3))
    sums = FeatureSums(3)
    sums.add(features)
    side = Side("its", sums.statistics(), Made("FID", "asperti", "Inception", "floats"))
    found = as_kept({"REC": Comparison(side, side, "FID", 1.5), "GEN-1": Comparison(side, side, "FID", 2.5)}, 70)
    assert (found.recipe, found.step, found.values) == ("asperti", 70, {"REC": 1.5, "GEN-1": 2.5})
    assert found.how == {"images": 50, "ddof": 1, "made_by": "Inception", "quantisation": "floats"}


def test_it_is_the_distance_that_vaemon_fid_gives_of_the_same_images(make_run, runs, analyze, tmp_path):
    trained = Trained(make_run().folder)
    np.save(tmp_path / "test.npy", trained.images.test)
    np.save(tmp_path / "gen1.npy", np.concatenate(list(samples(trained, 1, len(trained.images.test)))))
    words = ["fid", str(tmp_path / "test.npy"), str(tmp_path / "gen1.npy"), *FEATURES, "--json"]
    by_files = json.loads(CliRunner().invoke(vaemon, words, standalone_mode=False).stdout)
    by_run = json.loads(analyze("tiny", "--runs", runs, "--fid", *FEATURES, "--json")[0])
    assert by_run["distances"]["GEN-1"]["value"] == pytest.approx(by_files["value"], rel=1e-9)


def test_renormalised_samples_are_nearer_where_the_second_stage_falls_short(shrunken, tmp_path):
    """The reference is what the prior decodes to; latents of the second stage are off by known factors and means."""
    trained, count = Trained(shrunken.folder), 1500
    short = samples(trained, 2, count)
    true = PerLatent(trained.steps, 0, np.zeros(4), np.array([0.5, 0.8, 0.92, 1.25]) ** 2, np.ones(4), "1")
    centred = (z - np.float32([0, 1, -2, 0.5]) for z in latents(trained, 2, count, 0))
    sets = {
        "prior": samples(trained, 1, count, seed=1),
        "short": short,
        "renormalised": map(trained.decode, true.applied(centred, 2)),
    }
    for name, blocks in sets.items():
        np.save(tmp_path / name, np.concatenate(list(blocks)))
    found = {}
    for name in ("short", "renormalised"):
        words = ["fid", str(tmp_path / "prior.npy"), str(tmp_path / f"{name}.npy"), *FEATURES, "--json"]
        found[name] = json.loads(CliRunner().invoke(vaemon, words, standalone_mode=False).stdout)["value"]
    assert found["renormalised"] < 0.2 * found["short"]


def test_several_runs_are_told_one_after_the_other(make_run, runs, analyze):
    for name in ("one", "two"):
        make_run(name, saved=(1,))
    out, _ = analyze("o*", "two", "--runs", runs, "--fid", *FEATURES, "--json")
    assert [each["run"] for each in json.loads(out)] == ["one", "two"]
    assert analyze("one", "two", "--runs", runs, "--fid", *FEATURES)[0].count("FD-pixels against its test images") == 2


def test_of_several_runs_one_that_has_no_answer_costs_the_others_nothing(make_run, runs):
    make_run("one", saved=(1,))
    make_run("two", saved=(1,))
    (runs / "two" / "checkpoints" / "stage1.pt").write_bytes(b"nothing")
    with Recorder("bare", latents=2, runs=runs) as recorder:
        recorder.log(1, mse=0.5)
    words = ["analyze", "bare", "one", "two", "o*", "--runs", str(runs), "--fid", *FEATURES, "--json"]
    done = CliRunner().invoke(vaemon, words)
    assert done.exit_code == 1
    assert json.loads(done.stdout)["run"] == "one"
    assert "two: the checkpoint" in done.stderr
    assert "run 'bare' has no checkpoint; `vaemon train` saves one" in done.stderr


def test_samples_of_a_regularised_autoencoder_are_those_of_its_density(make_run, runs, analyze):
    made = make_run(saved=(1,), balance=Balance(name="rae-l2"), stage2=Stage2(enabled=False, batch=10))
    out, err = analyze("tiny", "--runs", runs, "--fid", *FEATURES, "--json")
    assert list(json.loads(out)["distances"]) == ["REC"]
    assert "no GEN-GMM: run 'tiny' has no density" in err
    save_mixture(made.folder, Mixture(np.ones(1), np.zeros((1, 4)), np.eye(4)[None]))
    first = json.loads(analyze("tiny", "--runs", runs, "--fid", *FEATURES, "--json")[0])["distances"]
    assert list(first) == ["REC", "GEN-GMM"]
    save_mixture(made.folder, Mixture(np.ones(1), np.full((1, 4), 3.0), np.eye(4)[None]))
    second = json.loads(analyze("tiny", "--runs", runs, "--fid", *FEATURES, "--json")[0])["distances"]
    assert second["REC"] == first["REC"]
    assert second["GEN-GMM"]["value"] != first["GEN-GMM"]["value"]


def test_features_are_known_by_the_networks_that_made_them(make_run):
    trained = Trained(make_run().folder)
    before = trained.made_by(1), trained.made_by(2)
    with torch.no_grad():
        next(trained.second.model.parameters()).add_(1.0)
    assert (trained.made_by(1), trained.made_by(2) == before[1]) == (before[0], False)
    with torch.no_grad():
        next(trained.first.model.parameters()).add_(1.0)
    assert trained.made_by(1) != before[0]


def test_a_run_without_a_second_stage_has_two_sets(make_run, runs, analyze):
    make_run(saved=(1,))
    out, err = analyze("tiny", "--runs", runs, "--fid", *FEATURES, "--json")
    assert list(json.loads(out)["distances"]) == ["REC", "GEN-1"]
    assert "no GEN-2: run 'tiny' has no second stage" in err


@pytest.mark.parametrize(
    ("condition", "why"),
    [
        ("GEN-1>=0", "GEN-1>=0: GEN-1 is "),
        ("REC.value<0 or REC.kid<9", "REC.kid<9: REC.kid is "),
        ('"GEN-2 renormalised">9', "GEN-2 renormalised>9: GEN-2 renormalised is not known"),
        ("GEN-1<0", ""),
    ],
)
def test_fail_if_takes_the_distances_by_their_sets(make_run, runs, analyze, condition, why):
    make_run(saved=(1,))
    words = ["analyze", "tiny", "--runs", str(runs), "--fid", *FEATURES, "--kid", "--fail-if", condition]
    done = CliRunner().invoke(vaemon, words)
    assert done.exit_code == (4 if why else 0)
    assert (f"vaemon: tiny: --fail-if {why}" in done.stderr) == bool(why)
    assert "GEN-1" in done.stdout


def test_fail_if_is_looked_at_before_any_image_is_made(make_run, runs, analyze):
    make_run()
    with pytest.raises(UnknownName, match="did you mean 'GEN-1'"):
        analyze("tiny", "--runs", runs, "--fid", "--features", "os:listdir", "--fail-if", "GEN1>3")
    with pytest.raises(UsageError, match=r'write it as in .*"GEN-2 renormalised">50'):
        analyze("tiny", "--runs", runs, "--fid", "--features", "os:listdir", "--fail-if", "GEN-2 renormalised>3")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--n", "5"), "--n is of --fid"),
        (("--precision-recall",), "--precision-recall is of --fid"),
        (("--fid", "--json", "--csv"), "use one of them"),
        (("--fid", "--inactive"), "does not go with --inactive"),
        (("--fid", "--renormalize"), "does not go with --renormalize"),
        (("--fid", "--stage", "2"), "does not go with --stage"),
        (("--fid", "--features", "pixels", "--recipe", "tf"), "are of Inception"),
        (("--fid", "--features", "os:listdir", "--infinity"), "5,000 images and more"),
    ],
)
def test_options_that_do_not_go_together(make_run, runs, analyze, words, said):
    make_run()
    with pytest.raises(UsageError, match=said):
        analyze("tiny", "--runs", runs, *words)


def test_without_weights_it_is_said_where_they_are(make_run, runs, analyze, monkeypatch):
    monkeypatch.setattr("analysis.features.weights.MIRRORS", ("http://127.0.0.1:9/",))
    make_run()
    with pytest.raises(NotFetched, match="95,628,359 bytes"):
        analyze("tiny", "--runs", runs, "--fid")
