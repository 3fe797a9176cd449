"""Precision and recall against sets laid by hand, the definition point by point, and any size of block."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.measures import manifold
from analysis.measures.manifold import PrecisionRecall, precision_recall, squared_distances, squared_reach
from vaemon.errors import UsageError, VaemonError


def column(*values):
    return np.array(values, np.float64)[:, None]


def point_by_point(real, fake, neighbours):
    """The definition: is there a ball that holds the point?"""

    def reach(rows):
        return [sorted(float(np.linalg.norm(x - y)) for y in rows)[neighbours] for x in rows]

    def share(points, rows):
        balls = list(zip(rows, reach(rows), strict=True))
        return sum(any(np.linalg.norm(p - centre) <= r for centre, r in balls) for p in points) / len(points)

    return PrecisionRecall(share(fake, real), share(real, fake))


CASES = [
    ("the same set", column(0, 1, 3, 7), column(0, 1, 3, 7), 1, (1.0, 1.0)),
    ("far apart", column(0, 1, 2), column(100, 101, 102), 1, (0.0, 0.0)),
    ("all on one of the modes", column(0, 1, 10, 11), column(0.4, 0.5, 0.6), 1, (1.0, 0.0)),
    ("on a mode, wide", column(0, 1, 10, 11), column(0, 0.5, 1), 1, (1.0, 0.5)),
    ("one of two is outside", column(0, 1, 2), column(1.5, 4.0), 1, (0.5, 1.0)),
    ("on the edge of a ball is within", column(0, 1), column(2, 9), 1, (0.5, 1.0)),
    ("the second neighbour reaches further", column(0, 1, 3), column(-3, 20, 21), 2, (1 / 3, 1.0)),
    ("constant images, equal", np.ones((5, 2)), np.ones((4, 2)), 3, (1.0, 1.0)),
    ("constant images, unequal", np.ones((5, 2)), np.zeros((4, 2)), 3, (0.0, 0.0)),
]


@pytest.mark.parametrize(
    ("real", "fake", "neighbours", "expected"), [pytest.param(*case[1:], id=case[0]) for case in CASES]
)
def test_by_hand(real, fake, neighbours, expected):
    assert precision_recall(real, fake, neighbours) == pytest.approx(expected)


sets = st.tuples(
    st.integers(0, 2**32 - 1), st.integers(5, 20), st.integers(5, 20), st.integers(1, 4), st.integers(1, 4)
)


@given(sets)
def test_it_is_the_definition(drawn):
    seed, n, m, width, neighbours = drawn
    rng = np.random.default_rng(seed)
    real, fake = rng.standard_normal((n, width)), rng.standard_normal((m, width)) + 0.5
    found = precision_recall(real, fake, neighbours)
    assert found == pytest.approx(point_by_point(real, fake, neighbours))
    assert precision_recall(fake, real, neighbours) == PrecisionRecall(found.recall, found.precision)
    axes = np.linalg.qr(rng.standard_normal((width, width)))[0]
    assert precision_recall(real @ axes + 9, fake @ axes + 9, neighbours) == found


@pytest.mark.parametrize("rows", [1, 2, 3, 7, 50])
def test_blocks_of_any_size_give_the_same(rows, monkeypatch):
    rng = np.random.default_rng(1)
    real, fake = rng.standard_normal((23, 3)), 1.3 * rng.standard_normal((17, 3))
    whole = precision_recall(real, fake)
    reach = squared_reach(real, 3, np.zeros(3))
    monkeypatch.setattr(manifold, "ROWS", rows)
    assert precision_recall(real, fake) == whole
    np.testing.assert_allclose(squared_reach(real, 3, np.zeros(3)), reach, rtol=1e-12)


def test_equal_features_are_no_distance_apart_wherever_they_lie():
    rows = np.random.default_rng(2).standard_normal((30, 64)) + 1000
    distances = squared_distances(rows, rows[::-1].copy())
    assert (np.diagonal(distances[:, ::-1]) == 0).all()
    assert (distances[:, ::-1] + np.eye(30) > 0).all()


def test_an_offset_and_float32_do_not_matter():
    rng = np.random.default_rng(3)
    real, fake = rng.standard_normal((40, 5)).astype(np.float32), rng.standard_normal((40, 5)).astype(np.float32)
    expected = point_by_point(real.astype(np.float64), fake.astype(np.float64), 3)
    assert precision_recall(real, fake) == pytest.approx(expected)
    assert precision_recall(real.astype(np.float64) + 1e4, fake.astype(np.float64) + 1e4) == pytest.approx(expected)


@pytest.mark.parametrize(("n", "m"), [(3, 10), (10, 3), (1, 1)])
def test_an_image_without_so_many_neighbours_is_told(n, m):
    with pytest.raises(UsageError, match=f"at least 4 images on each side; there are {n} and {m}"):
        precision_recall(np.zeros((n, 2)), np.zeros((m, 2)))


def test_sets_that_cannot_be_compared_are_told():
    with pytest.raises(UsageError, match="2 features, the other 3"):
        precision_recall(np.zeros((9, 2)), np.zeros((9, 3)))
    with pytest.raises(VaemonError, match="9 of 9 images have NaN or infinity"):
        precision_recall(np.zeros((9, 2)), np.full((9, 2), np.inf))
