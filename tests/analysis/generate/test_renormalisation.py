"""Renormalisation of a second stage whose every figure is known, how it is kept, and that it brings GEN-2 nearer."""

import numpy as np
import pytest

from analysis.columns import COLUMNS
from analysis.encode import Checkpoint
from analysis.generate import kept
from analysis.generate.generate import samples
from analysis.generate.kept import current, load, save
from analysis.generate.latents import FIT, POSTERIOR, latents, noise
from analysis.generate.renormalisation import AsPublished, PerLatent, fit, fit_as_published
from analysis.generate.report import examine, to_json
from analysis.generate.written import to_csv_lines, to_text
from analysis.measures.features import FeatureSums
from analysis.measures.frechet import frechet_distance
from trainer.config import Balance, Stage2
from vaemon.errors import RunFileError, UsageError, VaemonError

DEVIATION = np.array([0.5, 0.8, 0.92, 1.25])
CENTRE = np.array([0.0, 1.0, -2.0, 0.5])


def all_of(blocks):
    return np.concatenate(list(blocks))


def statistics(values):
    sums = FeatureSums(values[0].size)
    sums.add(values.reshape(len(values), -1).astype(np.float64))
    return sums.statistics()


def test_the_factor_is_that_of_the_known_shortfall(shrunken):
    found = fit(shrunken.trained())
    np.testing.assert_allclose(found.factor, 1 / DEVIATION, rtol=0.03)  # of 10,000 samples: ± 0.7 %
    np.testing.assert_allclose(found.mean, CENTRE, atol=0.06)


def test_the_latents_have_the_intended_deviation(shrunken):
    run = shrunken.trained()
    for found in (fit(run), fit(run, "law")):
        z = all_of(found.applied(latents(run, 2, 10_000, run.config.seed, FIT), 2)).astype(np.float64)
        np.testing.assert_allclose(z.var(axis=0), found.target, rtol=1e-5)
        np.testing.assert_allclose(z.mean(axis=0), found.mean, atol=1e-5)
        fresh = all_of(found.applied(latents(run, 2, 10_000, 77), 2)).astype(np.float64)
        np.testing.assert_allclose(fresh.std(axis=0), np.sqrt(found.target), rtol=0.04)


def test_a_learned_gammas_noise_is_part_of_the_variance(learned):
    np.testing.assert_allclose(fit(learned.trained()).factor, 0.5**-0.5, rtol=0.03)


def test_the_law_is_that_of_the_whole_test_set(shrunken):
    encoded = Checkpoint(shrunken.folder, 1).encode_test_set(None, lambda *_: None)
    found = fit(shrunken.trained(), "law")
    np.testing.assert_allclose(found.target, encoded.mu_squared + encoded.mean_variance, rtol=1e-6)


@pytest.mark.parametrize(("deviation", "fires"), [(0.0, True), (300.0, False)])
def test_as_published(make_run, deviation, fires):
    made = make_run()
    mu = all_of(each for each, _ in made.trained().posteriors())
    made.shrink([deviation] * 4, mu.mean(axis=0).tolist())
    made.save(2)
    run = made.trained()
    found = fit_as_published(run)
    encoded = Checkpoint(made.folder, 1).encode_test_set(None, lambda *_: None)
    assert found.target == pytest.approx(np.sqrt((encoded.mu_variance + encoded.mean_deviation).mean()), rel=1e-6)
    mean, log_variance = run.encode_second(mu)
    epsilon = noise(run.config.seed, POSTERIOR, FIT).standard_normal(mean.shape, np.float32)
    z_hat = run.decode_second(mean + np.exp(0.5 * log_variance) * epsilon)
    lost = (mu.var(axis=0).mean() - z_hat.var(axis=0).mean()) / np.square(mu - z_hat).mean()
    assert found.loss == pytest.approx(lost, rel=1e-4)
    assert found.fires is fires


def test_as_published_each_batch_of_100_has_the_target_as_its_mean_deviation(shrunken):
    run = shrunken.trained()
    fires = AsPublished(run.steps, 5, np.zeros(4), np.ones(4), target=1.1, loss=0.26)
    z = all_of(fires.applied(latents(run, 2, 1000, 0), 2))
    for batch in np.split(z, 10):
        assert batch.std(axis=0).mean() == pytest.approx(1.1, rel=1e-5)
    prior = all_of(latents(run, 1, 1000, 0))
    np.testing.assert_allclose(all_of(fires.applied([prior], 1)), 1.1 * prior, rtol=1e-6)
    rests = AsPublished(run.steps, 5, np.zeros(4), np.ones(4), target=1.1, loss=0.25)
    np.testing.assert_array_equal(all_of(rests.applied([z], 2)), z)


def test_gen_2_comes_nearer_where_the_latents_lack_variance(make_run):
    made = make_run()
    made.shrink([0.5, 0.6, 0.7, 0.6], [0.0, 0.0, 0.0, 0.0])
    made.save(2)
    run = made.trained()
    count = 4000
    real = {"latents": all_of(latents(run, 1, count, 9)), "pixels": all_of(samples(run, 1, count, 9))}
    found = fit(run)
    z = list(latents(run, 2, count, 0))
    before = {"latents": all_of(z), "pixels": all_of(samples(run, 2, count, 0))}
    after = {"latents": all_of(found.applied(z, 2)), "pixels": all_of(samples(run, 2, count, 0, found))}
    for kind, values in real.items():
        far, near = (frechet_distance(statistics(each[kind]), statistics(values)) for each in (before, after))
        assert near < 0.1 * far, kind
    assert frechet_distance(statistics(before["latents"]), statistics(real["latents"])) == pytest.approx(
        0.5**2 + 0.4**2 + 0.3**2 + 0.4**2, rel=0.1
    )


def test_the_first_stage_is_not_renormalised_per_latent(shrunken):
    run = shrunken.trained()
    with pytest.raises(UsageError, match="nothing to renormalise: --stage 2"):
        next(samples(run, 1, 1, 0, fit(run)))


@pytest.mark.parametrize("make", [fit, lambda run: fit(run, "law"), fit_as_published])
def test_what_is_kept_is_what_was_fitted(shrunken, make):
    run = shrunken.trained()
    found = make(run)
    assert load(run.folder) is None
    save(run.folder, found)
    again = load(run.folder)
    assert type(again) is type(found)
    assert again.name == found.name
    assert not again.is_stale(run)
    z = list(latents(run, 2, 300, 0))
    np.testing.assert_array_equal(all_of(found.applied(z, 2)), all_of(again.applied(z, 2)))
    assert not list(run.folder.glob(".*.part"))


def test_what_is_kept_is_used_until_the_run_is_trained_further(shrunken):
    said = []
    run = shrunken.trained()
    first = current(run, said.append)
    assert isinstance(first, PerLatent)
    assert said == ["renormalisation fitted, to a variance of 1 (none was kept)"]
    save(run.folder, fit(run, "law"))
    assert current(run, said.append).expected == "law"
    assert len(said) == 1
    shrunken.second.step = 40
    shrunken.shrink([1.0] * 4, [0.0] * 4)
    shrunken.save(2)
    new = current(shrunken.trained(), said.append)
    assert said[1].startswith("renormalisation fitted, to the variance law of each latent")
    assert said[1].endswith("(the one kept is of steps 0 and 0, and so out of date)")
    assert (new.expected, new.steps) == ("law", (0, 40))
    np.testing.assert_allclose(new.variance, 1.0, rtol=0.06)
    assert not load(run.folder).is_stale(shrunken.trained())


def test_a_folder_that_cannot_be_written_costs_only_the_keeping(shrunken, monkeypatch):
    def refuse(*_, **__):
        raise VaemonError("cannot write it")

    monkeypatch.setattr(kept, "write_file", refuse)
    said = []
    assert current(shrunken.trained(), said.append) is not None
    assert said[-1] == "cannot write it; it is used all the same"


@pytest.mark.parametrize("damage", ["text", "cut", "nan", "shape", "format", "pickle", "packed"])
def test_a_damaged_file_is_said_to_be_one(shrunken, damage):
    run = shrunken.trained()
    path = save(run.folder, fit(run))
    with path.open("rb") as file, np.load(file) as held:
        arrays = {name: held[name] for name in held.files}
    if damage == "text":
        path.write_text("no arrays")
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:300])
    elif damage == "packed":  # in a way that no zip knows; the method stands 10 bytes into each entry of the directory
        content = bytearray(path.read_bytes())
        content[content.index(b"PK\x01\x02") + 10] = 77
        path.write_bytes(content)
    else:
        arrays["variance"] = {"nan": np.full(4, np.nan), "shape": np.ones(3)}.get(damage, arrays["variance"])
        arrays["format"] = np.array(99 if damage == "format" else 1)
        arrays["mean"] = np.array([object()]) if damage == "pickle" else arrays["mean"]
        np.savez(path, **arrays)
    with pytest.raises(RunFileError, match=r"renormalisation\.npz cannot be read .* remove it, it is fitted anew"):
        load(run.folder)


def test_latents_that_are_not_finite(shrunken):
    shrunken.shrink([1e38 * 3] * 4, [0.0] * 4)
    shrunken.save(2)
    with pytest.raises(VaemonError, match="4 of the 4 latents that the second stage of run 'tiny' generates are not"):
        fit(shrunken.trained())


def test_there_is_nothing_to_fit_without_a_second_stage(make_run):
    with pytest.raises(UsageError, match="which has no second stage"):
        fit(make_run(saved=(1,), balance=Balance(name="rae-l2"), stage2=Stage2(enabled=False, batch=10)).trained())


def test_the_report(shrunken):
    run = shrunken.trained()
    found = examine(run, fit(run), "kept/here.npz")
    np.testing.assert_allclose(found.variance, 1.0, rtol=0.06)  # of fresh samples
    np.testing.assert_allclose(found.shortfall, 1 - DEVIATION**2, atol=0.06)
    lines = to_text(found, 100).splitlines()
    assert lines[0] == "tiny · second stage · renormalised to a variance of 1"
    rows = [line.split() for line in lines if line.strip()[:1].isdigit()]
    assert [row[0] for row in rows] == ["0", "1", "2", "3"], "the least variance first"
    assert float(rows[0][1]) == pytest.approx(0.25, rel=0.06)
    assert "Kept in kept/here.npz; `vaemon sample tiny --renormalize` applies it." in lines
    told = to_json(found)
    assert told["factor"] == {"mean": found.found.factor.mean(), "deviation": found.found.factor.std()}
    assert told["latents"][3]["variance_after"] == found.variance[3]
    lines = to_csv_lines(found)
    assert {len(line) for line in lines} == {len(COLUMNS)}
    assert ("tiny", "2", "checkpoint", "0", "renormalize", "3", "factor", repr(float(found.factor[3])), "", "") in lines


def test_the_published_report_tells_rule_and_spread(shrunken):
    run = shrunken.trained()
    fires = AsPublished(run.steps, 5, np.zeros(4), DEVIATION**2, target=1.1, loss=0.26)
    found = examine(run, fires)
    text = to_text(found, 100)
    assert "mse(μ, ẑ) = 0.260 > 0.25: renormalised" in text
    assert (
        f"factor                 {found.factors.mean():.4f} ± {found.factors.std():.4f} over 100 batches of 100" in text
    )
    assert to_json(found)["published"] == {
        "target_deviation": 1.1,
        "variance_loss": 0.26,
        "rule": 0.25,
        "fires": True,
        "batches": 100,
    }
    rests = AsPublished(run.steps, 5, np.zeros(4), DEVIATION**2, target=1.1, loss=0.2)
    assert "0.200 ≤ 0.25: left as they are" in to_text(examine(run, rests), 100)
