"""Posteriors as bare arrays: what is read, in whatever form, and what is refused in which words."""

import io
import warnings
import zipfile

import numpy as np
import pytest

from analysis import arrays
from analysis.arrays import read_posterior
from analysis.question import Question, answer_of_arrays
from vaemon.errors import UsageError


@pytest.fixture
def drawn():
    generator = np.random.default_rng(0)
    return generator.standard_normal((250, 4)), generator.uniform(0.1, 1.2, (250, 4))


@pytest.fixture
def save(tmp_path):
    def made(**held):
        path = tmp_path / "posterior.npz"
        np.savez(path, **held)
        return path

    return made


def test_against_numpy_whatever_the_block(save, drawn, monkeypatch):
    mean, variance = drawn
    for block in (1000, 7):
        monkeypatch.setattr(arrays, "BLOCK", block)
        found = read_posterior(save(mean=mean, variance=variance))
        np.testing.assert_allclose(found.mean_variance, variance.mean(axis=0))
        np.testing.assert_allclose(found.mu_covariance, np.cov(mean, rowvar=False, ddof=0), atol=1e-12)
        np.testing.assert_allclose(found.variance_variance, variance.var(axis=0))
        assert (found.origin.kind, found.origin.samples, found.origin.left_out) == ("posterior", 250, 0)


def test_three_ways_to_write_the_spread_and_float32(save, drawn):
    mean, variance = drawn
    whole = read_posterior(save(mean=mean, variance=variance))
    for name, values in (("log_variance", np.log(variance)), ("std", np.sqrt(variance))):
        found = read_posterior(save(mean=mean.astype(np.float32), **{name: values.astype(np.float32)}))
        np.testing.assert_allclose(found.kl, whole.kl, rtol=1e-5)


def test_every_position_of_a_feature_map_is_a_sample(save):
    generator = np.random.default_rng(1)
    mean = generator.standard_normal((5, 3, 2, 2))
    found = read_posterior(save(mean=mean, std=np.ones_like(mean)))
    assert found.origin.samples == 20
    np.testing.assert_allclose(found.mean_mu, mean.mean(axis=(0, 2, 3)))


def test_samples_that_are_not_finite_are_left_out_and_told_of(save, drawn):
    mean, variance = drawn
    mean[3, 1], variance[7, 0], variance[7, 2] = np.nan, np.inf, np.nan
    path = save(mean=mean, variance=variance)
    kept = np.delete(mean, [3, 7], axis=0)
    report = answer_of_arrays(path, Question())
    np.testing.assert_allclose(report.posterior.column("mean_mu").values, kept.mean(axis=0))
    assert report.notes == ("2 further samples in which a latent was not finite are left out.",)


def test_a_sigma_of_zero_is_an_infinite_kl(save):
    found = read_posterior(save(mean=np.zeros((3, 2)), std=np.array([[0.0, 1.0]] * 3)))
    assert found.kl.tolist() == [np.inf, 0.0]


def test_one_sample(save):
    found = read_posterior(save(mean=[[1.0, 2.0]], variance=[[1.0, 1.0]]))
    assert found.mu_variance.tolist() == [0.0, 0.0]


ONES = np.ones((4, 2))
REFUSED = [
    ("no mean", {"mu": ONES, "variance": ONES}, "holds 'mu', 'variance'; it must hold `mean` and one of"),
    ("no spread", {"mean": ONES, "sigma": ONES}, "holds 'mean', 'sigma'; it must hold"),
    ("two spreads", {"mean": ONES, "variance": ONES, "std": ONES}, "holds 'variance' and 'std'; leave one"),
    ("unlike", {"mean": ONES, "variance": np.ones((4, 3))}, r"`mean` is of shape \(4, 2\), `variance` of \(4, 3\)"),
    ("one axis", {"mean": np.ones(4), "variance": np.ones(4)}, r"shape \(4,\); it must be \(samples, latents\)"),
    ("no samples", {"mean": np.ones((0, 2)), "std": np.ones((0, 2))}, r"shape \(0, 2\)"),
    ("words", {"mean": np.array([["a"]]), "std": ONES}, "must be numbers"),
    ("complex", {"mean": ONES * 1j, "std": ONES}, "dtype complex128; it must be numbers"),
    ("negative", {"mean": ONES, "variance": ONES * [1, -1]}, "negative, first in latent 1; if it is a logarithm"),
    ("a latent never finite", {"mean": ONES * [1, np.nan], "std": ONES}, "latent 1 is not in 4"),
    ("objects", {"mean": np.array([[None]]), "std": ONES}, "cannot be read as an .npz of plain arrays"),
]


@pytest.mark.parametrize(("held", "words"), [pytest.param(*case[1:], id=case[0]) for case in REFUSED])
def test_what_is_refused(save, held, words):
    with pytest.raises(UsageError, match=words):
        read_posterior(save(**held))


def test_files_that_are_none(tmp_path):
    with pytest.raises(UsageError, match="there is no file"):
        read_posterior(tmp_path / "gone.npz")
    with pytest.raises(UsageError, match="cannot be read"):
        read_posterior(tmp_path)
    (tmp_path / "text.npz").write_text("mean, variance")
    with pytest.raises(UsageError, match="cannot be read"):
        read_posterior(tmp_path / "text.npz")
    np.save(tmp_path / "one.npy", ONES)
    with pytest.raises(UsageError, match="holds one array, not several"):
        read_posterior(tmp_path / "one.npy")
    (tmp_path / "empty.npz").touch()
    with pytest.raises(UsageError, match="cannot be read"):
        read_posterior(tmp_path / "empty.npz")


def test_a_cut_off_file(save, drawn):
    path = save(mean=drawn[0], variance=drawn[1])
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(UsageError, match="cannot be read"):
        read_posterior(path)


def test_files_damaged_within_are_told_of(tmp_path, drawn):
    """Bytes of a compressed file changed at random places: zlib and zipfile have errors of their own."""
    path, places = tmp_path / "posterior.npz", np.random.default_rng(2)
    np.savez_compressed(path, mean=drawn[0], variance=drawn[1])
    whole = path.read_bytes()
    refused = 0
    for _ in range(300):
        damaged = bytearray(whole)
        for at in places.integers(len(whole), size=3):
            damaged[at] = places.integers(256)
        path.write_bytes(damaged)
        try:
            read_posterior(path)
        except UsageError:
            refused += 1
    assert refused > 250


def test_members_that_are_no_arrays_or_claim_more_than_any_memory_holds(tmp_path):
    header = io.BytesIO()
    huge = {"descr": "<f8", "fortran_order": False, "shape": (10**12, 10**3)}
    np.lib.format.write_array_header_1_0(header, huge)
    for member, words in ((b"words", "`mean` is no array"), (header.getvalue(), "Unable to allocate")):
        with zipfile.ZipFile(tmp_path / "posterior.npz", "w") as file:
            file.writestr("mean.npy", member)
            file.writestr("variance.npy", member)
        with pytest.raises(UsageError, match=words):
            read_posterior(tmp_path / "posterior.npz")


@pytest.mark.parametrize(("scale", "spread"), [(1e200, 1e300), (1e308, 1.0)])
def test_values_beyond_all_measure_give_infinities_and_no_warnings(save, drawn, scale, spread):
    path = save(mean=drawn[0].clip(-1.5, 1.5) * scale, variance=drawn[1] * spread)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        report = answer_of_arrays(path, Question())
    figures = {each.name: each.value for each in report.posterior.figures["inactive"]}
    assert figures["kl"] == np.inf
    assert figures["active_units"] == 4
