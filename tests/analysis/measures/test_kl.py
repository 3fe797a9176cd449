"""The KL to the prior against closed forms, an integral, and the formula as it is printed."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.measures.kl import gaussian_kl


def integrated_kl(mean, log_variance):
    """∫ q log(q / p) by the trapezoidal rule: slow, and knows no formula."""
    deviation = math.exp(0.5 * log_variance)
    z = np.linspace(mean - 12 * deviation, mean + 12 * deviation, 20_001)
    log_q = -0.5 * ((z - mean) / deviation) ** 2 - math.log(deviation) - 0.5 * math.log(2 * math.pi)
    log_p = -0.5 * z**2 - 0.5 * math.log(2 * math.pi)
    return float(np.trapezoid(np.exp(log_q) * (log_q - log_p), z))


EQ4 = "Asperti & Trentin 2020, eq. 4"

CASES = [
    ("posterior is the prior", (0.0, 0.0), 0.0, 0.0, EQ4),
    ("mean moved by one", (1.0, 0.0), 0.5, 1e-15, EQ4),
    ("variance e", (0.0, 1.0), (math.e - 2) / 2, 1e-15, EQ4),
    ("variance 4, mean -3", (-3.0, math.log(4)), (9 + 4 - math.log(4) - 1) / 2, 1e-15, EQ4),
    ("narrow", (0.0, math.log(1e-6)), (1e-6 + 6 * math.log(10) - 1) / 2, 1e-15, EQ4),
    ("next to the prior: t²/4", (0.0, 1e-8), 2.5e-17, 1e-8, "Taylor series of eᵗ - 1 - t"),
    ("next to the prior, below it", (0.0, -1e-5), 2.5e-11 - 1e-15 / 12, 1e-11, "Taylor series of eᵗ - 1 - t"),
    ("beyond the series", (0.0, 0.05), (math.exp(0.05) - 1.05) / 2, 1e-12, EQ4),
    ("no variance at all", (0.0, -math.inf), math.inf, 0.0, "limit of eq. 4"),
    ("variance beyond float64", (0.0, 1e4), math.inf, 0.0, "limit of eq. 4"),
    ("an integral", (0.7, -1.3), integrated_kl(0.7, -1.3), 1e-9, "definition of the KL"),
    ("a wide integral", (-2.0, 1.1), integrated_kl(-2.0, 1.1), 1e-9, "definition of the KL"),
]


@pytest.mark.parametrize(
    ("arrays", "expected", "rtol", "source"), [pytest.param(*case[1:], id=case[0]) for case in CASES]
)
def test_value(arrays, expected, rtol, source):
    np.testing.assert_allclose(gaussian_kl(*map(np.array, arrays)), expected, rtol=rtol, atol=0, err_msg=source)


@given(mean=st.floats(-50, 50), log_variance=st.floats(-30, 30))
def test_it_is_the_printed_formula_and_never_negative(mean, log_variance):
    printed = 0.5 * (mean**2 + math.exp(log_variance) - log_variance - 1)
    found = float(gaussian_kl(np.array(mean), np.array(log_variance)))
    assert found >= 0
    assert found == pytest.approx(printed, rel=1e-12, abs=1e-15)


def test_the_two_branches_meet():
    below, above = gaussian_kl(np.zeros(2), np.array([1e-3 * (1 - 1e-12), 1e-3 * (1 + 1e-12)]))
    assert below == pytest.approx(above, rel=1e-11)


def test_shape_is_kept_and_float32_is_computed_in_float64():
    mean = np.zeros((5, 3), np.float32)
    found = gaussian_kl(mean, np.full((5, 3), 1e-4, np.float32))
    assert found.shape == (5, 3)
    np.testing.assert_allclose(found, 2.5e-9, rtol=1e-4)
