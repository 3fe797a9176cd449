import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vaemon.watch.render.braille import ASCII, BRAILLE, Layer, band, dashes, draw, line, lines
from vaemon.watch.render.cells import length, plain

PLACES = st.floats(allow_nan=True, allow_infinity=True)


def picture(place, height, width, dots=BRAILLE):
    return [
        plain(row)
        for row in draw([Layer(line(np.array(place, float), height, width, dots), "line")], height, width, dots)
    ]


def test_a_rising_line():
    assert picture(np.linspace(0, 1, 8), 2, 4) == ["  ⡠⠊", "⡠⠊  "]


def test_a_steep_line_has_no_holes():
    assert picture([0, 1, 0, 1], 2, 2) == ["⢸⣾", "⡸⡿"]
    assert picture([0.0, 0.0, 1.0], 2, 2) == [" ⡇", "⣀⠇"]


def test_a_gap_stays_a_gap():
    assert picture([0.5, np.nan, np.nan, 0.5], 1, 2) == ["⠄⠠"]


def test_what_is_outside_is_drawn_at_the_edge():
    assert picture([5.0, 5.0], 1, 1) == ["⠉"]
    assert picture([-np.inf, -3.0], 1, 1) == ["⣀"]


def test_ascii_has_one_dot_a_cell():
    assert picture([0.0, 0.5, 1.0], 3, 4, ASCII) == ["  * ", " *  ", "*   "]


def test_a_band_is_filled():
    mask = band(np.array([0.0, 0.0]), np.array([1.0, 0.5]), 1, 1, BRAILLE)
    assert plain(draw([Layer(mask, "band")], 1, 1, BRAILLE)[0]) == "⣧"


def test_the_topmost_layer_has_the_cell():
    low, high = line(np.zeros(4), 1, 2, BRAILLE), line(np.array([1.0, 1.0]), 1, 2, BRAILLE)
    (row,) = draw([Layer(low, "band"), Layer(high, "line")], 1, 2, BRAILLE)
    assert [(span.text, span.ink.fg) for span in row] == [("⠉", "line"), ("⣀", "band")]


def test_dashes():
    assert plain(draw([Layer(dashes(0.0, 1, 4, BRAILLE), "reference")], 1, 4, BRAILLE)[0]) == "⣀⣀  "
    assert not dashes(1.2, 2, 4, BRAILLE).any()
    assert not dashes(float("nan"), 2, 4, BRAILLE).any()


@given(st.integers(0, 6), st.integers(0, 9), st.sampled_from([BRAILLE, ASCII]), st.data())
def test_anything_can_be_drawn(height, width, dots, data):
    count = data.draw(st.integers(0, width * dots.across))
    low, high = (data.draw(arrays(float, count, elements=PLACES)) for _ in range(2))
    layers = [
        Layer(band(low, high, height, width, dots), "band"),
        Layer(dashes(data.draw(PLACES), height, width, dots), "reference"),
        Layer(line(low, height, width, dots), "line"),
    ]
    rows = draw(layers, height, width, dots)
    assert len(rows) == height
    assert all(length(row) == width for row in rows)


@given(arrays(float, 10, elements=st.floats(0, 1)))
def test_every_finite_value_has_its_dot(place):
    mask = line(place, 3, 5, BRAILLE)
    rows = np.rint((1 - place) * 11).astype(int)
    assert mask[rows, np.arange(10)].all()


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (5, 1)])
def test_a_constant_line_is_level(size):
    height, width = size
    mask = line(np.full(width * 2, 0.5), height, width, BRAILLE)
    assert mask.sum() == width * 2


@given(st.sampled_from([BRAILLE, ASCII]), st.data())
def test_many_lines_are_all_of_them_at_once(dots, data):
    places = data.draw(arrays(float, (6, data.draw(st.integers(0, 4))), elements=PLACES))
    alone = [line(places[:, i], 3, 8, dots) for i in range(places.shape[1])]
    blank = np.zeros((3 * dots.down, 8 * dots.across), bool)
    assert np.array_equal(lines(places, 3, 8, dots), np.any([blank, *alone], axis=0))
