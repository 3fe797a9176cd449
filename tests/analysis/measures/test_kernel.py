"""KID against sums over pairs, every subset there is, and closed forms."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.measures.kernel import cubic_kernel, kid, squared_mmd
from vaemon.errors import UsageError, VaemonError

seeds = st.integers(0, 2**32 - 1)


def drawn(seed, *shapes):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(shape) for shape in shapes]


def pair_by_pair(a, b):
    """The definition, one pair after the other."""

    def k(x, y):
        return (float(np.dot(x, y)) / len(x) + 1) ** 3

    within = [[k(x, y) for i, x in enumerate(rows) for j, y in enumerate(rows) if i != j] for rows in (a, b)]
    across = [k(x, y) for x in a for y in b]
    return sum(sum(each) / len(each) for each in within) - 2 * sum(across) / len(across)


KERNEL = "(xᵀy / d + 1)³"
CASES = [
    ("two points each", [[1.0], [0.0]], [[2.0], [0.0]], 1 + 1 - 2 * (27 + 3) / 4, KERNEL),
    ("one point each, twice", [[0.0, 2.0]] * 2, [[2.0, 0.0]] * 2, 27 + 27 - 2, KERNEL),
    ("the same point", [[1.0, 1.0]] * 3, [[1.0, 1.0]] * 2, 0.0, KERNEL),
    ("opposite", [[1.0]] * 2, [[-1.0]] * 2, 8 + 8 - 0, KERNEL),
]


@pytest.mark.parametrize(("a", "b", "expected", "source"), [pytest.param(*case[1:], id=case[0]) for case in CASES])
def test_closed_forms(a, b, expected, source):
    assert squared_mmd(np.array(a), np.array(b)) == pytest.approx(expected, rel=1e-14, abs=1e-14), source


@given(seeds, st.integers(2, 7), st.integers(2, 7), st.integers(1, 5))
def test_it_is_the_mean_over_pairs(seed, n, m, width):
    a, b = drawn(seed, (n, width), (m, width))
    assert squared_mmd(a, b) == pytest.approx(pair_by_pair(a, b), rel=1e-12, abs=1e-12)


@given(seeds, st.integers(2, 4))
def test_over_all_subsets_it_is_that_of_the_whole_sets_for_it_is_unbiased(seed, subset):
    a, b = drawn(seed, (5, 3), (4, 3))
    every = [
        squared_mmd(a[list(of_a)], b[list(of_b)])
        for of_a in combinations(range(5), subset)
        for of_b in combinations(range(4), subset)
    ]
    assert np.mean(every) == pytest.approx(squared_mmd(a, b), rel=1e-10, abs=1e-10)


def test_of_gaussians_it_is_what_their_moments_say():
    # E k(x, y) of independent x, y ~ N(m, 1), N(n, 1), d = 1: E(xy + 1)³ = μ₃ν₃ + 3 μ₂ν₂ + 3 μν + 1, raw moments.
    def moments(mean):
        return mean**3 + 3 * mean, mean**2 + 1, mean

    def expected_kernel(m, n):
        third, second, first = (x * y for x, y in zip(moments(m), moments(n), strict=True))
        return third + 3 * second + 3 * first + 1

    a, b = drawn(1, (2000, 1), (2000, 1))
    found = kid(a, b + 0.5, subset=300, subsets=50)
    expected = expected_kernel(0, 0) + expected_kernel(0.5, 0.5) - 2 * expected_kernel(0, 0.5)
    assert found.mean == pytest.approx(expected, rel=0.3)
    assert abs(found.mean - expected) < 2 * found.deviation


def test_of_one_distribution_it_is_about_nothing():
    a, b = drawn(2, (1000, 8), (1000, 8))
    found = kid(a, b, subset=200, subsets=50)
    assert abs(found.mean) < found.deviation
    assert kid(a, b + 1, subset=200, subsets=50).mean > 10 * found.deviation


def test_mean_and_deviation_are_those_of_subsets():
    a, b = drawn(3, (40, 4), (30, 4))
    draws = np.random.default_rng(7)
    found = [
        pair_by_pair(a[draws.choice(40, 5, replace=False)], b[draws.choice(30, 5, replace=False)]) for _ in range(9)
    ]
    spread = kid(a, b, subset=5, subsets=9, seed=7)
    assert spread.mean == pytest.approx(np.mean(found), rel=1e-10)
    assert spread.deviation == pytest.approx(np.std(found), rel=1e-10)


def test_equal_seeds_give_equal_figures_and_others_do_not():
    a, b = drawn(4, (50, 4), (50, 4))
    assert kid(a, b, 10, 5, seed=1) == kid(a, b, 10, 5, seed=1)
    assert kid(a, b, 10, 5, seed=1) != kid(a, b, 10, 5, seed=2)


def test_all_images_of_both_sides_have_no_deviation():
    a, b = drawn(5, (12, 3), (12, 3))
    found = kid(a, b, subset=12, subsets=4)
    assert found.mean == pytest.approx(squared_mmd(a, b), rel=1e-10)
    assert found.deviation < 1e-12


def test_float32_is_computed_in_float64_and_not_changed():
    a, b = (each.astype(np.float32) for each in drawn(6, (20, 5), (20, 5)))
    before = a.copy()
    assert kid(a, b, 20, 1) == pytest.approx(kid(a.astype(np.float64), b.astype(np.float64), 20, 1), rel=1e-12)
    np.testing.assert_array_equal(a, before)


@given(seeds, st.integers(1, 6))
def test_the_kernel_is_symmetric_and_positive_definite(seed, width):
    (rows,) = drawn(seed, (8, width))
    kernel = cubic_kernel(rows, rows)
    np.testing.assert_allclose(kernel, kernel.T, rtol=1e-13)
    assert np.linalg.eigvalsh(kernel).min() > -1e-9 * np.trace(kernel)


@pytest.mark.parametrize(("n", "m", "subset"), [(9, 20, 10), (20, 9, 10), (1, 5, 1), (0, 0, 10)])
def test_too_few_images_are_told(n, m, subset):
    with pytest.raises(UsageError, match=f"at least {max(subset, 2)} images on each side; there are {n} and {m}"):
        kid(np.zeros((n, 2)), np.zeros((m, 2)), subset=subset)


def test_features_that_are_no_numbers_are_told():
    with pytest.raises(VaemonError, match="1 of 3 images have NaN"):
        kid(np.array([[0.0], [np.nan], [1.0]]), np.zeros((3, 1)), subset=2)
