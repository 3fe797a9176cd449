"""The aggregate posterior: closed forms, slow references, and the edges."""

import numpy as np
import pytest

from analysis.measures.aggregate import (
    aggregate_covariance,
    chance_correlation,
    correlations,
    kl_to_prior,
    largest_correlation,
    marginal_kl,
    total_correlation,
)


def random_covariance(k, seed=0):
    factor = np.random.default_rng(seed).standard_normal((k, 2 * k))
    return factor @ factor.T / (2 * k)


def test_the_covariance_of_the_mixture_is_that_of_its_samples():
    generator = np.random.default_rng(1)
    mean = generator.standard_normal((2000, 3)) @ np.array([[1, 0.5, 0], [0, 1, 0], [0, 0, 0.1]])
    variance = generator.uniform(0.1, 1, (2000, 3))
    drawn = np.repeat(mean, 300, 0) + np.sqrt(np.repeat(variance, 300, 0)) * generator.standard_normal((600_000, 3))
    found = aggregate_covariance(np.cov(mean, rowvar=False, ddof=0), variance.mean(axis=0))
    np.testing.assert_allclose(found, np.cov(drawn, rowvar=False), atol=0.01)


def test_two_latents_in_closed_form():
    covariance = np.array([[4.0, 1.2], [1.2, 1.0]])  # ρ = .6
    assert largest_correlation(covariance) == pytest.approx(0.6)
    assert largest_correlation(-covariance * [[-1, 1], [1, -1]]) == pytest.approx(0.6)
    assert total_correlation(covariance) == pytest.approx(-0.5 * np.log(1 - 0.36))
    assert kl_to_prior(np.zeros(2), covariance) == pytest.approx(0.5 * (5 - 2 - np.log(4 * 0.64)))


def test_the_prior_itself_is_at_no_distance():
    assert kl_to_prior(np.zeros(5), np.eye(5)) == 0.0
    assert total_correlation(np.eye(5)) == 0.0
    assert largest_correlation(np.eye(5)) == 0.0


def test_against_the_formula_written_out():
    mean, covariance = np.array([0.3, -1, 0, 2, 0.1]), random_covariance(5)
    slow = 0.5 * (np.trace(covariance) + mean @ mean - 5 - np.log(np.linalg.det(covariance)))
    assert kl_to_prior(mean, covariance) == pytest.approx(slow, rel=1e-12)


def test_total_correlation_knows_no_scale_and_no_order():
    covariance = random_covariance(6)
    scale = np.array([1e-6, 1, 1e6, 3, 0.1, 7])
    order = [3, 0, 5, 1, 4, 2]
    changed = (covariance * np.outer(scale, scale))[np.ix_(order, order)]
    assert total_correlation(changed) == pytest.approx(total_correlation(covariance), rel=1e-9)


def test_latents_that_follow_from_others_are_infinitely_correlated():
    twice = np.ones((2, 2))
    assert largest_correlation(twice) == 1.0
    assert total_correlation(twice) == np.inf
    assert kl_to_prior(np.zeros(2), twice) == np.inf


def test_a_latent_without_variance_is_correlated_with_nothing():
    covariance = np.diag([1.0, 0.0, 2.0])
    np.testing.assert_array_equal(correlations(covariance), np.eye(3))
    assert total_correlation(covariance) == 0.0
    assert marginal_kl(np.zeros(3), np.diag(covariance)).tolist() == [0.0, np.inf, pytest.approx(0.5 * (1 - np.log(2)))]


def test_nan_is_not_hidden():
    covariance = np.array([[1.0, np.nan], [np.nan, 1.0]])
    assert np.isnan(largest_correlation(covariance))
    assert np.isnan(total_correlation(covariance))
    assert np.isnan(kl_to_prior(np.zeros(2), covariance))


def test_one_latent_alone():
    assert np.isnan(largest_correlation(np.eye(1)))
    assert total_correlation(np.array([[3.0]])) == 0.0


def test_what_chance_gives_is_what_independent_latents_give():
    """200 trainings' worth of independent latents: the mean total correlation is the one foretold."""
    generator = np.random.default_rng(2)
    deviation, variance, samples = np.array([1, 0.8, 0.5, 0.1] * 4), np.array([0.01, 0.3, 0.7, 1] * 4), 1000
    found = []
    for _ in range(200):
        of_mu = np.cov(generator.standard_normal((samples, 16)) * deviation, rowvar=False, ddof=0)
        found.append(total_correlation(aggregate_covariance(of_mu, variance)))
    foretold = chance_correlation(np.diag(deviation**2), variance, samples)
    assert np.mean(found) == pytest.approx(foretold, rel=0.1)


def test_chance_correlates_nothing_where_nothing_varies():
    assert chance_correlation(np.zeros((3, 3)), np.zeros(3), 10) == 0.0
