import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from vaemon.watch.render.cells import Grid, Ink, Span, cut, fit, join, length, plain, said, spread

ROW = (said("step "), said("1,240", "accent", bold=True), said(" ok", "muted"))


def test_fit_cuts_and_pads():
    assert plain(fit(ROW, 7)) == "step 1,"
    assert plain(fit(ROW, 15)) == "step 1,240 ok  "
    assert fit(ROW, 0) == ()


@given(st.lists(st.text(max_size=8), max_size=5), st.integers(-2, 30))
def test_fit_is_exact_for_any_text(texts, width):
    row = fit(tuple(Span(text) for text in texts), width)
    assert length(row) == max(width, 0)


def test_wide_characters_take_two_cells():
    assert length((said("潜在"),)) == 4
    assert plain(fit((said("潜在"),), 3)) == "潜 "


def test_spread():
    assert plain(spread(ROW, (said("now"),), 20)) == "step 1,240 ok    now"
    assert plain(spread(ROW, (said("now"),), 16)) == "step 1,240 ok   "
    assert plain(spread(ROW, (), 14)) == "step 1,240 ok "


def test_join_leaves_out_what_does_not_fit():
    parts = [(said("aa"),), (said("bbbb"),), (said("c"),)]
    assert plain(join(parts, said(" · "), 20)) == "aa · bbbb · c"
    assert plain(join(parts, said(" · "), 10)) == "aa · bbbb"
    assert join(parts, said(" · "), 1) == ()


@given(st.integers(-3, 16), st.integers(-3, 16))
def test_cut_is_a_slice(start, width):
    assert plain(cut(ROW, start, width)) == plain(ROW)[max(start, 0) : max(start + width, 0)]


def test_grid_puts_neighbours_of_one_ink_together():
    table = [Ink(), Ink("line")]
    codes = np.array([[ord(sign) for sign in line] for line in ("ab⣿d", "xxxx")])
    rows = Grid(codes, np.array([[0, 1, 1, 0], [1, 1, 1, 1]])).rows(table)
    assert rows[0] == (Span("a", table[0]), Span("b⣿", table[1]), Span("d", table[0]))
    assert rows[1] == (Span("xxxx", table[1]),)


def test_grid_parts():
    grid = Grid(np.arange(65, 71).reshape(1, 6), np.zeros((1, 6), int))
    assert plain(grid.part(2, 4).rows([Ink()])[0]) == "CD"
    assert grid.part(0, 3).same(grid.part(0, 3))
    assert not grid.part(0, 3).same(grid.part(3, 6))
    assert not grid.part(0, 3).same(grid.part(0, 2))
    assert grid.part(3, 3).rows([Ink()]) == [()]
    assert cell_len(plain(grid.rows([Ink()])[0])) == 6
