"""Active, mixed and passive variables, and those that are none of them."""

import numpy as np
import pytest

from analysis.measures.polarised import variable_kinds

CASES = [
    ("σ² near 0", 0.05, 0.0, "active"),
    ("at the edge", 0.1, 0.0, "active"),
    ("σ² near 1", 0.95, 0.0, "passive"),
    ("above 1", 1.09, 0.0, "passive"),
    ("far above 1", 1.2, 0.0, "mixed"),
    ("active for half, passive for half", 0.5, 0.25, "mixed"),
    ("½ for all: mixed by the rule, though passive nowhere", 0.5, 0.0, "mixed"),
    ("near 1 in the mean, but not steadily", 1.0, 0.1, "mixed"),
    ("unknown mean", np.nan, 0.0, ""),
    ("unknown spread", 0.05, np.nan, ""),
]


@pytest.mark.parametrize(("mean", "spread", "expected"), [pytest.param(*case[1:], id=case[0]) for case in CASES])
def test_kinds(mean, spread, expected):
    assert variable_kinds(np.array([mean]), np.array([spread])).tolist() == [expected]


def test_its_thresholds():
    mean, spread = np.array([0.2, 0.75]), np.array([0.0, 0.15])
    assert variable_kinds(mean, spread).tolist() == ["mixed", "mixed"]
    assert variable_kinds(mean, spread, near=0.3, spread=0.2).tolist() == ["active", "passive"]


def test_every_latent_that_is_known_is_of_one_kind():
    generator = np.random.default_rng(0)
    kinds = variable_kinds(generator.uniform(0, 1.3, 500), generator.uniform(0, 0.2, 500))
    assert set(kinds.tolist()) == {"active", "mixed", "passive"}
