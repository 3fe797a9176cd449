import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from vaemon.watch.render.cells import length, plain
from vaemon.watch.render.heat import BAD, EMPTY, INKS, LEVELS, edged, levels, shaded, sided, stacked

anything = arrays(
    float, array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=9), elements=st.floats(allow_nan=True)
)


def test_the_scale_is_fixed():
    values = np.array([[0.0], [0.5], [0.97], [1.0], [1.3], [-0.2], [np.nan], [np.inf]])
    assert levels(values, 10)[0].tolist() == [0, 8, 15, 15, 15, 0, BAD, BAD, EMPTY, EMPTY]


def test_a_level_is_kept_until_it_is_left_for_good():
    edge = 13 / LEVELS
    noisy = np.array([[edge - 0.01], [edge + 0.01], [edge - 0.01], [edge + 0.03], [edge + 0.01]])
    assert levels(noisy, 5)[0].tolist() == [12, 12, 12, 13, 13]


def test_two_latents_in_a_row():
    upper = levels(np.array([[0.0], [0.9], [0.5]]), 4)
    lower = levels(np.array([[0.0], [0.1], [np.nan]]), 4)
    (row,) = stacked(upper, lower).rows(INKS)
    assert plain(row) == " ▀× "
    assert [(span.ink.fg, span.ink.bg) for span in row] == [
        ("ground", "heat0"),
        ("heat14", "heat1"),
        ("bad", "heat8"),
        ("ground", "ground"),
    ]


def test_two_moments_in_a_cell():
    (row,) = sided(levels(np.array([[0.0], [0.9], [0.5], [0.5]]), 6)).rows(INKS)
    assert plain(row) == "▌  "
    assert [(span.ink.fg, span.ink.bg) for span in row] == [
        ("heat0", "heat14"),
        ("ground", "heat8"),
        ("ground", "ground"),
    ]


def test_the_lower_half_of_an_edge_is_free():
    (row,) = edged(levels(np.array([[0.0]]), 2)).rows(INKS)
    assert plain(row) == "▀ "
    assert (row[0].ink.fg, row[0].ink.bg) == ("heat0", "ground")


def test_shades_part_at_the_bounds_of_the_states():
    values = np.array([[0.1], [0.3], [0.5], [0.8], [0.97], [np.nan]])
    (row,) = shaded(values, 8).rows(INKS)
    assert plain(row) == "█▓▒░·×  "
    assert row[0].ink.fg == "shade0"


@given(anything, st.integers(0, 4))
def test_anything_can_be_drawn(values, room):
    count, latents = values.shape
    width = count + room
    pictures = [
        stacked(levels(values, width), levels(values[::-1], width)),
        edged(levels(values, width)),
        shaded(values, width),
    ]
    for picture in pictures:
        rows = picture.rows(INKS)
        assert len(rows) == latents
        assert all(length(row) == width for row in rows)
    fine = sided(levels(values, width + width % 2)).rows(INKS)
    assert all(length(row) == (width + 1) // 2 for row in fine)


@given(arrays(float, (12, 3), elements=st.floats(0, 1)))
def test_a_level_is_never_far_from_its_value(values):
    level = levels(values, 12).T
    assert (np.abs((level + 0.5) / LEVELS - values) <= 0.5 / LEVELS + 0.02 + 1e-9).all()
