import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaemon.watch.render import heat
from vaemon.watch.render.cells import plain
from vaemon.watch.render.overlay import Curve, Overlay, overlay_rows, resample
from vaemon.watch.render.walls import bands, wall_grid


def test_as_many_parts_as_columns_are_the_columns():
    values = np.array([3.0, 1.0, np.nan, 2.0])
    assert np.array_equal(resample(np.arange(5.0), values, 0.0, 4.0, 4), values, equal_nan=True)


def test_a_part_has_the_mean_of_its_finite_columns():
    values = np.array([1.0, 3.0, np.nan, 5.0])
    assert resample(np.arange(5.0), values, 0.0, 4.0, 2).tolist() == [2.0, 5.0]


def test_a_column_wider_than_parts_fills_them():
    assert resample(np.array([0.0, 4.0, 8.0]), np.array([1.0, 2.0]), 0.0, 8.0, 8).tolist() == [1.0] * 4 + [2.0] * 4


def test_parts_after_the_end_of_a_run_are_not_there():
    assert len(resample(np.arange(4.0), np.ones(3), 0.0, 6.0, 6)) == 3
    assert len(resample(np.zeros(0), np.zeros(0), 0.0, 6.0, 6)) == 0


@given(
    st.lists(st.floats(-1e6, 1e6) | st.just(np.nan), min_size=1, max_size=60),
    st.integers(1, 80),
    st.floats(0.1, 200.0),
)
def test_what_is_drawn_lies_between_the_values(values, cells, high):
    values = np.array(values)
    seen = resample(np.arange(len(values) + 1.0), values, 0.0, high, cells)
    known = seen[np.isfinite(seen)]
    assert len(seen) <= cells
    if len(known):
        slack = 1e-9 * len(values) * np.nanmax(np.abs(values)) + 1e-9
        assert np.nanmin(values) - slack <= known.min()
        assert known.max() <= np.nanmax(values) + slack


def rows(*curves, height=3, width=12, **options):
    drawn = tuple(Curve(np.array(places, float), sign, f"run{i}") for i, (places, sign) in enumerate(curves))
    return [plain(row) for row in overlay_rows(Overlay(drawn, **options), height, width, ascii_only=True)]


def test_a_line_ends_in_its_letter():
    assert rows(([1, 1, 1], "a"), ([0, 0, 0, 0], "b")) == [
        "aaaa        ",
        "            ",
        "bbbbb       ",
    ]


@pytest.mark.parametrize("end", np.linspace(0, 1, 23))
def test_a_letter_stands_in_the_row_in_which_its_line_ends(end):
    line = Curve(np.array([0.0, 1.0, *[end] * 6]), "a", "line")
    drawn = [plain(row) for row in overlay_rows(Overlay((line,)), 7, 12, ascii_only=False)]
    assert [row[3] != " " for row in drawn] == [row[4] == "a" for row in drawn]


def test_lines_that_meet_take_turns_and_their_letters_stand_apart():
    drawn = rows(([0] * 8, "a"), ([0] * 8, "b"), ([1, 1], "c"))
    assert drawn == ["ccc         ", "        a   ", "aabbaabbb   "]


def test_what_is_not_finite_is_marked_at_the_top():
    drawn = rows(([0, np.nan, 0], "a"), bad=np.array([False, True, False]))
    assert drawn[0][1] == "x"


@given(
    st.lists(st.lists(st.floats(-1e200, 1e200) | st.sampled_from([np.nan, np.inf, -np.inf]), max_size=30), max_size=8),
    st.integers(0, 6),
    st.integers(0, 40),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
def test_every_overlay_fills_its_room(places, height, width, log, smoothed, ascii_only):
    cells = max(width - 9, 0) * (1 if ascii_only else 2)
    lines = [np.array(each[:cells], float) for each in places]
    raw = [each[::-1] if smoothed else None for each in lines]
    curves = tuple(Curve(each, "abcdefgh"[i], "line", raw[i]) for i, each in enumerate(lines))
    drawn = overlay_rows(Overlay(curves, level=1.0, log=log, at=3), height, width, ascii_only=ascii_only)
    assert all(len(plain(row)) == width for row in drawn)
    assert len(drawn) in (0, height)


def test_few_latents_are_spread_over_the_bands_and_many_pressed_into_them():
    variance = np.array([[0.0, 1.0, 0.5, np.nan]])
    assert bands(variance, np.array([1, 0]), 4).tolist() == [[1.0, 1.0, 0.0, 0.0]]
    assert bands(variance, np.array([0, 1, 2, 3]), 2).tolist() == [[0.5, 0.5]]
    assert np.isnan(bands(variance, np.array([3]), 2)).all()


@pytest.mark.parametrize("shaded", [False, True])
def test_a_wall_has_the_room_it_is_given(shaded):
    variance = np.linspace(0, 1, 40).reshape(10, 4)
    grid = wall_grid(np.arange(11.0), variance, np.arange(4), (0.0, 20.0), (5, 8), shaded=shaded)
    assert grid.codes.shape == (5, 8)
    drawn = [plain(row) for row in grid.rows(heat.INKS)]
    assert all(row[4:].isspace() for row in drawn), "the run has come but half the way"
