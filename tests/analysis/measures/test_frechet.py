"""The Fréchet distance against closed forms, the usual forms where they hold, and singular values of the features."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import linalg

from analysis.measures.features import FeatureStatistics, FeatureSums
from analysis.measures.frechet import covariance_root, distance_of_roots, frechet_distance
from vaemon.errors import UsageError, VaemonError


def gaussian(mean, covariance):
    return FeatureStatistics(1000, np.array(mean, np.float64), np.array(covariance, np.float64))


def statistics(features):
    sums = FeatureSums(features.shape[1])
    sums.add(features)
    return sums.statistics()


def rotation(rng, width):
    return np.linalg.qr(rng.standard_normal((width, width)))[0]


def by_root(a, b):
    """‖μ_a - μ_b‖² + tr(Σ_a + Σ_b - 2 (Σ_a Σ_b)^½) as it is written (Heusel et al. 2017), by a root of the matrix."""
    root = linalg.sqrtm(a.covariance @ b.covariance)
    apart = a.mean - b.mean
    return float(apart @ apart + np.trace(a.covariance + b.covariance) - 2 * np.trace(root).real)


def by_eigenvalues(a, b):
    """The same by the eigenvalues of Σ_a Σ_b, which are real and not negative."""
    values = np.linalg.eigvals(a.covariance @ b.covariance)
    apart = a.mean - b.mean
    return float(apart @ apart + np.trace(a.covariance + b.covariance) - 2 * np.sqrt(values.astype(complex)).real.sum())


def by_singular_values(x, y):
    """The same from the features, without a covariance: tr (Σ_a Σ_b)^½ is the nuclear norm of R_a R_bᵀ, of QR."""
    x, y = x.astype(np.float64), y.astype(np.float64)
    a, b = ((each - each.mean(axis=0)) / np.sqrt(len(each) - 1) for each in (x, y))
    common = np.linalg.svd(np.linalg.qr(a, mode="r") @ np.linalg.qr(b, mode="r").T, compute_uv=False).sum()
    apart = x.mean(axis=0) - y.mean(axis=0)
    return float(apart @ apart + np.square(a).sum() + np.square(b).sum() - 2 * common)


DOWSON = "Dowson & Landau 1982: in one dimension (μ - ν)² + (σ - τ)²"
CASES = [
    ("the same", ([0, 1], [[2, 1], [1, 3]]), ([0, 1], [[2, 1], [1, 3]]), 0.0, "definition"),
    ("means apart", ([3, 0], np.eye(2)), ([0, 4], np.eye(2)), 25.0, "definition"),
    ("one dimension", ([1.0], [[4.0]]), ([-1.0], [[9.0]]), 5.0, DOWSON),
    ("axes by themselves", ([0, 0], np.diag([1, 4])), ([0, 1], np.diag([9, 16])), 9.0, DOWSON),
    ("scales of 1e±6", ([0, 0], np.diag([1e12, 1e-12])), ([0, 0], np.diag([4e12, 9e-12])), 1e12, DOWSON),
    ("a point and a Gaussian", ([0, 0], np.zeros((2, 2))), ([0, 3], np.diag([2, 5])), 16.0, "tr Σ + ‖μ‖²"),
    ("two points", ([0, 1], np.zeros((2, 2))), ([2, 1], np.zeros((2, 2))), 4.0, "‖μ - ν‖²"),
    ("crossed lines", ([0, 0], [[1, 1], [1, 1]]), ([0, 0], [[1, -1], [-1, 1]]), 4.0, "no direction in common"),
    ("one line", ([0, 0], [[1, 1], [1, 1]]), ([0, 0], [[9, 9], [9, 9]]), 8.0, DOWSON),
    ("a line and a disc", ([0, 0], [[1, 1], [1, 1]]), ([0, 0], np.eye(2)), 4 - 2 * 2**0.5, "√2 along the line"),
]


@pytest.mark.parametrize(("a", "b", "expected", "source"), [pytest.param(*case[1:], id=case[0]) for case in CASES])
def test_closed_forms(a, b, expected, source):
    a, b = gaussian(*a), gaussian(*b)
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-13, abs=1e-14), source
    assert frechet_distance(b, a) == pytest.approx(expected, rel=1e-13, abs=1e-14), source


def test_scales_that_lie_far_apart_keep_the_digits_of_the_small():
    small = np.array([[2.0, 1.0], [1.0, 3.0]]) * 1e-14
    large = np.array([[5.0, 2.0], [2.0, 4.0]]) * 1e14
    root = covariance_root(linalg.block_diag(large, small))
    np.testing.assert_allclose((root @ root.T)[2:, 2:], small, rtol=1e-14)
    np.testing.assert_allclose((root @ root.T)[:2, :2], large, rtol=1e-14)


seeds = st.integers(0, 2**32 - 1)


@given(seeds, st.integers(1, 24))
def test_it_is_the_usual_form_where_that_is_well_conditioned(seed, width):
    rng = np.random.default_rng(seed)
    a, b = (statistics(rng.standard_normal((20 * width + 20, width)) * rng.uniform(0.5, 2, width)) for _ in range(2))
    found = frechet_distance(a, b)
    scale = np.trace(a.covariance + b.covariance)
    assert found == pytest.approx(by_root(a, b), rel=1e-9, abs=1e-12 * scale)
    assert found == pytest.approx(by_eigenvalues(a, b), rel=1e-9, abs=1e-12 * scale)


@pytest.mark.parametrize("width", [64, 256])
def test_at_a_size_it_is_the_usual_form_to_nine_digits(width):
    rng = np.random.default_rng(width)
    spread = np.exp(rng.uniform(-1, 1, width))
    a = statistics(rng.standard_normal((8 * width, width)) * spread + 100)
    b = statistics(np.maximum(rng.standard_normal((8 * width, width)) * spread[::-1], 0) + 100)
    assert frechet_distance(a, b) == pytest.approx(by_root(a, b), rel=1e-9)
    assert frechet_distance(a, b) == pytest.approx(by_eigenvalues(a, b), rel=1e-9)


@given(seeds, st.integers(2, 24), st.integers(2, 24), st.integers(1, 24), st.floats(0, 3))
def test_with_fewer_images_than_features_it_is_what_the_features_say(seed, images, others, width, unlike):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((images, width)) * np.exp(rng.normal(0, unlike, width))
    y = rng.standard_normal((others, width)) * np.exp(rng.normal(0, unlike, width)) + rng.standard_normal(width)
    expected = by_singular_values(x, y)
    scale = np.square(x).sum() / images + np.square(y).sum() / others
    assert frechet_distance(statistics(x), statistics(y)) == pytest.approx(expected, rel=1e-8, abs=1e-12 * scale)


@pytest.mark.parametrize(("images", "width"), [(100, 256), (257, 256), (40, 400)])
def test_rank_deficient_sets_keep_all_digits_where_eigenvalues_lose_half(images, width):
    rng = np.random.default_rng(images)
    x, y = (np.maximum(rng.standard_normal((images, width)) + lift, 0).astype(np.float32) for lift in (0, 0.2))
    expected = by_singular_values(x, y)
    assert frechet_distance(statistics(x), statistics(y)) == pytest.approx(expected, rel=1e-12)
    if images < width:
        assert abs(by_eigenvalues(statistics(x), statistics(y)) - expected) > 1e-9


@given(seeds, st.integers(1, 40), st.integers(2, 40), st.floats(-100, 100))
def test_nothing_is_apart_from_itself(seed, width, images, offset):
    features = np.random.default_rng(seed).standard_normal((images, width)) + offset
    assert frechet_distance(statistics(features), statistics(features)) <= 1e-10


@given(seeds, st.integers(1, 16), st.integers(2, 20), st.integers(2, 20))
def test_it_is_symmetric_not_negative_and_the_same_in_any_axes(seed, width, images, others):
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((images, width)), 2 * rng.standard_normal((others, width))
    turn, there = rotation(rng, width), rng.standard_normal(width)
    found = frechet_distance(statistics(x), statistics(y))
    assert found >= 0
    assert frechet_distance(statistics(y), statistics(x)) == pytest.approx(found, rel=1e-10, abs=1e-12)
    turned = frechet_distance(statistics(x @ turn + there), statistics(y @ turn + there))
    assert turned == pytest.approx(found, rel=1e-8, abs=1e-10)
    assert frechet_distance(statistics(3 * x), statistics(3 * y)) == pytest.approx(9 * found, rel=1e-10, abs=1e-11)


@given(seeds, st.integers(1, 12))
def test_its_root_is_a_distance_that_no_detour_shortens(seed, width):
    rng = np.random.default_rng(seed)
    a, b, c = (statistics(rng.standard_normal((8, width)) * rng.uniform(0, 3, width)) for _ in range(3))
    ab, bc, ac = (frechet_distance(*pair) ** 0.5 for pair in ((a, b), (b, c), (a, c)))
    assert ac <= ab + bc + 1e-6


@given(seeds, st.integers(1, 20), st.integers(0, 20))
def test_a_root_has_the_rank_and_gives_the_covariance_back(seed, width, rank):
    rng = np.random.default_rng(seed)
    half = rng.standard_normal((width, rank)) * np.exp(rng.normal(0, 4, width))[:, None]
    covariance = half @ half.T
    root = covariance_root(covariance)
    assert root.shape == (width, min(width, rank))
    deviation = np.sqrt(np.diagonal(covariance))
    assert (np.abs(root @ root.T - covariance) <= 1e-12 * np.outer(deviation, deviation)).all()


def test_roots_at_hand_give_the_same():
    rng = np.random.default_rng(8)
    a, b = statistics(rng.standard_normal((9, 12))), statistics(rng.standard_normal((50, 12)))
    by_roots = distance_of_roots(a, covariance_root(a.covariance), b, covariance_root(b.covariance))
    assert by_roots == frechet_distance(a, b)


def test_statistics_are_not_changed():
    a = gaussian([0, 1], [[2, 1], [1, 3]])
    before = a.covariance.copy()
    frechet_distance(a, a)
    np.testing.assert_array_equal(a.covariance, before)


@pytest.mark.parametrize("covariance", [[[1, 2], [2, 1]], [[-1, 0], [0, 1]], [[0, 1], [1, 1]]])
def test_what_is_no_covariance_is_refused(covariance):
    with pytest.raises(VaemonError, match="not positive semidefinite"):
        frechet_distance(gaussian([0, 0], covariance), gaussian([0, 0], np.eye(2)))


def test_a_covariance_that_was_kept_in_float32_is_taken():
    rng = np.random.default_rng(9)
    exact = statistics(rng.standard_normal((30, 50)))
    rounded = gaussian(exact.mean, exact.covariance.astype(np.float32))
    assert frechet_distance(exact, rounded) < 0.01


def test_features_of_two_extractors_are_not_compared():
    with pytest.raises(UsageError, match="2 features, the other 3"):
        frechet_distance(gaussian([0, 0], np.eye(2)), gaussian([0, 0, 0], np.eye(3)))


@pytest.mark.parametrize(("count", "width"), [(1000, 200), (100, 200), (2, 5)])
def test_a_set_is_at_no_distance_from_itself(count, width):
    rng = np.random.default_rng(3)
    x = rng.standard_normal((count, width)) * np.exp(2 * rng.standard_normal(width)) + 100
    assert frechet_distance(statistics(x), statistics(x)) == 0
