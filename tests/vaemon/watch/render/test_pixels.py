import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaemon.watch.render.cells import Ink, length, plain
from vaemon.watch.render.pixels import ASCII_SHADES, LEAST, MOST_ASIDE, SHADES, grid_rows, plan, shrink


def inks(row):
    return [(sign, span.ink.fg, span.ink.bg) for span in row for sign in span.text]


def test_two_pixels_a_cell_the_upper_in_front():
    image = np.array([[[255, 0, 0], [0, 0, 0]], [[0, 0, 255], [0, 0, 0]]], np.uint8)[None]
    (row,) = grid_rows(image, 2, 1)
    assert inks(row) == [("▀", "#ff0000", "#0000ff"), (" ", "#000000", "#000000")]


def test_a_grey_image_is_grey_and_colours_are_coarse():
    (row,) = grid_rows(np.array([[[[100]], [[255]]]], np.uint8).reshape(1, 2, 1, 1), 1, 1)
    assert inks(row) == [("▀", "#636363", "#ffffff")]


def test_a_lower_half_without_a_sample_is_the_ground():
    rows = grid_rows(np.full((1, 1, 1, 1), 255, np.uint8), 1, 1)
    assert inks(rows[0]) == [("▀", "#ffffff", "ground")]


def test_samples_are_parted_by_the_ground():
    white = np.full((4, 9, 9, 1), 255, np.uint8)
    rows = grid_rows(white, 19, 10)
    assert len(rows) == 10
    assert [(length(row), plain(row)[9]) for row in rows] == [(19, " ")] * 10
    assert inks(rows[0])[9] == (" ", "ground", "ground")
    assert inks(rows[4])[0] == ("▀", "#ffffff", "ground")


@pytest.mark.parametrize(
    ("cells", "rows", "down", "across", "size"),
    [
        (79, 40, 8, 8, 9),
        (128, 64, 8, 8, 15),
        (50, 26, 5, 5, 9),
        (40, 20, 4, 4, 9),
        (20, 10, 2, 2, 9),
        (18, 9, 1, 1, 18),
    ],
)
def test_as_many_samples_as_can_be_made_out(cells, rows, down, across, size):
    assert plan(64, 32, 32, cells, rows) == (down, across, size, size)


def test_few_samples_are_large_and_a_wide_place_is_filled():
    assert plan(5, 32, 32, 60, 18)[:3] == (2, 3, 17)
    assert plan(64, 32, 32, 60, 18)[:3] == (3, 5, 11)
    assert plan(1, 32, 32, 60, 18) == (1, 1, 36, 36)
    assert plan(64, 32, 32, 0, 5) is plan(64, 32, 32, 5, 0) is None


@settings(deadline=None)
@given(
    st.integers(1, 64),
    st.integers(1, 256),
    st.integers(1, 256),
    st.sampled_from((1, 3)),
    st.integers(0, 90),
    st.integers(0, 40),
    st.sampled_from(("", SHADES, ASCII_SHADES)),
)
def test_a_picture_never_leaves_its_place(count, height, width, channels, cells, rows, shades):
    images = np.random.default_rng(0).integers(0, 256, (min(count, 3), height, width, channels), np.uint8)
    images = np.resize(images, (count, height, width, channels)) if count < 4 else images.repeat(22, axis=0)[:count]
    drawn = grid_rows(images, cells, rows, shades)
    assert len(drawn) <= rows
    assert all(length(row) <= cells for row in drawn)
    made = plan(count, height, width, cells, rows)
    assert (made is None) == (drawn == [])
    if made is not None and made.down * made.across > 1:
        assert max(made.height, made.width) >= LEAST or min(made.down, made.across) == 1
        assert max(made.down, made.across) <= MOST_ASIDE


def test_shrinking_takes_means_and_keeps_the_whole():
    image = np.random.default_rng(0).integers(0, 256, (2, 12, 8, 3), np.uint8)
    np.testing.assert_allclose(shrink(image, 6, 4), image.reshape(2, 6, 2, 4, 2, 3).mean(axis=(2, 4)), rtol=1e-5)
    np.testing.assert_allclose(shrink(image, 5, 3).mean(axis=(1, 2)), image.mean(axis=(1, 2)), rtol=1e-5)
    np.testing.assert_allclose(shrink(image, 24, 16)[:, ::2, ::2], image, rtol=1e-5)


def test_without_colours_brightness_is_density():
    ramp = np.linspace(0, 255, 10).astype(np.uint8).reshape(1, 1, 10, 1).repeat(2, axis=1)
    (row,) = grid_rows(ramp, 10, 1, ASCII_SHADES)
    assert plain(row) == " .:-=+*#%@"
    assert {span.ink for span in row} == {Ink()}
    (row,) = grid_rows(ramp, 10, 1, ASCII_SHADES[::-1])
    assert plain(row) == "@%#*+=-:. "


def test_a_grid_of_noise_needs_few_enough_styles_to_be_kept():
    noise = np.random.default_rng(0).integers(0, 256, (64, 32, 32, 1), np.uint8)
    used = {span.ink for row in grid_rows(noise, 200, 60) for span in row}
    assert len(used) <= 32 * 32 + 64
