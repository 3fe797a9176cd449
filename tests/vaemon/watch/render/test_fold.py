import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaemon.latents import LatentState
from vaemon.watch.render.cells import plain
from vaemon.watch.render.fold import (
    Fold,
    fold,
    strip_label_row,
    strip_label_width,
    strip_value_row,
    strip_value_width,
)
from vaemon.watch.render.wall import Shelf

ORDER = np.array([3, 1, 0, 2, 4, 7, 6, 5, 8])


def strips(folded):
    return [folded.latents(strip).tolist() for strip in range(len(folded))]


def test_groups_are_the_smallest_power_of_two_that_fits():
    assert strips(fold(ORDER, 2, 0, single=False)) == [[3, 1, 0, 2], [4, 7, 6, 5], [8]]
    assert strips(fold(ORDER, 4, 0, single=False)) == [[3, 1], [0, 2], [4, 7], [6, 5], [8]]
    assert fold(ORDER, 5, 0, single=False) is None
    assert fold(ORDER, 5, 0, single=True).each == 2
    assert fold(ORDER, 0, 0, single=False) is None


def test_pinned_latents_have_strips_of_their_own_while_they_are_few():
    folded = fold(ORDER, 4, 1, single=False)
    assert strips(folded) == [[3], [1, 0], [2, 4], [7, 6], [5, 8]]
    assert folded.shelves(single=False) == [Shelf((0,)), Shelf((1, 2)), Shelf((3, 4))]
    assert fold(ORDER, 4, 2, single=False).alone == 0


@given(st.integers(1, 300), st.integers(1, 60), st.integers(0, 20), st.booleans())
def test_every_latent_is_in_sight_once_and_in_order(count, height, pinned, single):
    order = np.random.default_rng(count).permutation(count)
    folded = fold(order, height, min(pinned, count), single=single)
    if folded is None:
        assert count <= height * (1 if single else 2)
        return
    assert np.concatenate(strips(folded)).tolist() == order.tolist()
    assert folded.sizes.tolist() == [len(each) for each in strips(folded)]
    shelves = folded.shelves(single=single)
    assert len(shelves) <= height
    assert [strip for shelf in shelves for strip in shelf.latents] == list(range(len(folded)))
    assert all(folded.strip(latent) == strip for strip, group in enumerate(strips(folded)) for latent in group)
    assert folded.strip(count) == -1
    smaller = (height - folded.alone) * (1 if single else 2)
    assert folded.each == 2 or -(-(count - folded.alone) // (folded.each // 2)) > smaller


@given(st.integers(1, 70), st.integers(0, 4), st.integers(0, 5), st.integers(0, 3))
def test_means_and_counts_equal_the_slow_way(count, columns, power, alone):
    rng = np.random.default_rng(count)
    folded = Fold(rng.permutation(count), min(alone, count), 2**power)
    values = rng.random((columns, count))
    values[rng.random(values.shape) < 0.02] = np.nan
    slow = [[row[group].mean() for group in strips(folded)] for row in values]
    np.testing.assert_allclose(folded.mean(values), np.reshape(slow, (columns, len(folded))))
    which = rng.random(count) < 0.5
    assert folded.count(which).tolist() == [sum(which[each] for each in group) for group in strips(folded)]


@given(st.integers(1, 50))
def test_groups_of_one_are_the_wall_unfolded(count):
    order = np.random.default_rng(count).permutation(count)
    values = np.random.default_rng(count).random((3, count))
    np.testing.assert_array_equal(Fold(order, 0, 1).mean(values), values[:, order])


MEAN = np.array([0.047, 0.8, np.nan])
STATES = np.array([LatentState.ACTIVE, LatentState.LIMBO, *[LatentState.COLLAPSED] * 7], np.int8)


@pytest.mark.parametrize(
    ("shelf", "total", "text"),
    [
        (Shelf((0, 1)), False, " 0.05●3 0.80●0"),
        (Shelf((0, 1)), True, " 0.05●3/4 0.80●0/4"),
        (Shelf((2,)), False, "  NaN○        "),
    ],
)
def test_values(shelf, total, text):
    folded = Fold(np.array([3, 8, 0, 2, 4, 7, 6, 5, 1]), 0, 4)
    width = strip_value_width(folded, [Shelf((0, 1)), Shelf((2,))], total)
    row = strip_value_row(shelf, folded, MEAN, np.array([3, 0, 0]), STATES, 1, width, total)
    assert plain(row) == text
    assert {span.text for span in row if span.ink.bold} == ({" 0.80"} if 1 in shelf.latents else set())


def test_labels():
    folded = Fold(np.arange(4096), 1, 128)
    width = strip_label_width(folded, 4096)
    rows = [strip_label_row(shelf, folded, 2, frozenset({0}), width) for shelf in (Shelf((0,)), Shelf((1, 2)))]
    assert [plain(row) for row in rows] == ["     0◆", "▸   #2 "]
    assert (folded.name(0), folded.name(1), folded.name(32)) == ("#1", "#2-129", "#3970-4096")
