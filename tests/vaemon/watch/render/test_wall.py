import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaemon.latents import LatentState
from vaemon.watch.render.cells import length, plain
from vaemon.watch.render.heat import INKS
from vaemon.watch.render.span import TimeSpan
from vaemon.watch.render.wall import Shelf, arrange, heat_grid, label_row, label_width, legend, value_row, value_width


def latents(shelves):
    return [shelf.latents for shelf in shelves]


def test_all_share_where_there_is_little_room():
    assert latents(arrange([3, 1, 2, 0, 4], 2, single=False)) == [(3, 1), (2, 0), (4,)]


def test_the_first_have_rows_of_their_own_where_there_is_more():
    assert latents(arrange([3, 1, 2, 0, 4], 4, single=False)) == [(3,), (1,), (2,), (0, 4)]
    assert latents(arrange([3, 1, 2, 0, 4], 5, single=False)) == [(3,), (1,), (2,), (0,), (4,)]


def test_a_few_alone_among_many_that_share_would_look_odd():
    assert latents(arrange(range(64), 33, single=False))[0] == (0, 1)


def test_latents_grow_thick_where_there_is_much_room():
    assert arrange([1, 0], 5, single=False) == [
        Shelf((1,), 0, 3),
        Shelf((1,), 1, 3),
        Shelf((1,), 2, 3),
        Shelf((0,), 0, 2),
        Shelf((0,), 1, 2),
    ]
    assert [shelf.edge for shelf in arrange([0], 20, single=False)] == [False, False, True]


def test_one_that_is_thicker_than_the_rest_would_look_odd():
    assert [shelf.rows for shelf in arrange(range(5), 6, single=False)] == [1] * 5


def test_shades_are_never_shared():
    assert latents(arrange([2, 0, 1], 2, single=True)) == [(2,), (0,), (1,)]


@given(st.permutations(list(range(9))), st.integers(0, 40), st.booleans())
def test_every_latent_has_its_place_in_order(order, height, single):
    shelves = arrange(order, height, single=single)
    assert [latent for shelf in shelves if not shelf.part for latent in shelf.latents] == list(order)
    if height >= len(order):
        assert len(shelves) <= height


def strips(shelves, variance, cells, shaded=False, span=None):
    grid = heat_grid(shelves, variance, span or TimeSpan.over(len(variance)), cells, shaded=shaded)
    return [plain(row) for row in grid.rows(INKS)]


def test_shared_and_single_strips_stand_in_one_picture():
    variance = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    assert strips([Shelf((0, 1)), Shelf((2,))], variance, 2) == ["▀ ", "  "]
    assert strips([Shelf((0,))], variance, 1) == ["▌"]
    assert strips([Shelf((0,), 0, 2), Shelf((0,), 1, 2)], variance, 2) == ["  ", "▀▀"]


def test_a_live_strip_is_painted_by_whole_cells():
    variance = np.full((5, 1), 0.5)
    grid = heat_grid([Shelf((0,))], variance, TimeSpan.live(5, 4), 4, shaded=False)
    assert [span.ink.bg for span in grid.rows(INKS)[0]] == ["heat8", "ground"]
    assert [len(span.text) for span in grid.rows(INKS)[0]] == [2, 2]


@given(st.integers(0, 40), st.integers(0, 12), st.integers(0, 7), st.booleans(), st.booleans())
def test_any_wall_can_be_drawn(count, cells, height, shaded, live):
    rng = np.random.default_rng(count)
    variance = rng.random((count, 6))
    variance[rng.random(variance.shape) < 0.2] = np.nan
    shelves = arrange(range(6), height, single=shaded)[:height]
    span = TimeSpan.live(count, cells) if live else TimeSpan.over(count)
    found = strips(shelves, variance, cells, shaded, span)
    assert [len(row) for row in found] == [cells] * len(shelves)


def test_a_wall_without_statistics_is_blank():
    assert strips([Shelf((0,))], np.zeros((0, 0)), 3) == ["   "]


@pytest.mark.parametrize(
    ("shelf", "chosen", "label"),
    [
        (Shelf((3, 41)), 0, "  3 41 "),
        (Shelf((3, 41)), 41, "▸ 3 41 "),
        (Shelf((41,)), 41, "▸   41 "),
        (Shelf((41,), 1), 41, "       "),
    ],
)
def test_labels(shelf, chosen, label):
    assert label_width([Shelf((3, 41))], 64) == 7
    assert plain(label_row(shelf, chosen, (), 7, 64)) == label


def test_the_chosen_one_of_two_is_marked_by_colour_too():
    spans = label_row(Shelf((3, 41)), 41, (), 7, 64)
    assert [span.text for span in spans if span.ink.fg == "accent"] == ["▸", "41"]


VARIANCE = np.array([0.047, 0.8, np.nan])
KL = np.array([2.31, 0.02, np.nan])
STATES = np.array([LatentState.ACTIVE, LatentState.LIMBO, LatentState.LIMBO], np.int8)


@pytest.mark.parametrize(
    ("shelf", "wide", "text"),
    [
        (Shelf((0, 1)), False, " 0.05 ● 0.80 ○"),
        (Shelf((0,)), False, " 0.05 ●"),
        (Shelf((0,)), True, " 0.05 ● active   "),
        (Shelf((2,)), False, "  NaN ○"),
        (Shelf((0,), 1), True, " KL 2.31 nats    "),
        (Shelf((2,), 1), True, " " * 17),
        (Shelf((0,), 2), True, " " * 17),
    ],
)
def test_values(shelf, wide, text):
    width = value_width([shelf], wide)
    assert plain(value_row(shelf, VARIANCE, KL, STATES, width)) == text
    assert len(text) == width


def test_the_legend():
    assert plain(legend(4, shaded=False)).startswith("E[σ²] 0 ")
    assert length(legend(4, shaded=False)) == 14
    assert plain(legend(4, shaded=True)) == "E[σ²] 0 █▓▒░· 1"
