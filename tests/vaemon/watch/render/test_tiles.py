from hypothesis import given, settings
from hypothesis import strategies as st

from vaemon.watch.render.cells import Span, length, plain
from vaemon.watch.render.tiles import tile

FOUR = [(64, 32, 32)] * 4


def test_a_wide_screen_has_them_beside_each_other_and_a_high_one_below():
    assert (tile(FOUR, 200, 20).across, tile(FOUR, 40, 60).across, tile(FOUR, 120, 38).across) == (4, 1, 2)


def test_what_cannot_be_made_out_is_left_out_from_the_last():
    assert tile(FOUR, 20, 12).tiles == 2
    assert tile(FOUR, 10, 3).tiles == 1
    assert tile(FOUR, 1, 1) is None
    assert tile([], 80, 24) is None


def test_tiles_are_put_together_row_by_row():
    tiling = tile([(1, 9, 9)] * 3, 22, 14)
    rows = tiling.join([[(Span(str(n) * 3),), (Span("x"),)] for n in range(3)])
    assert (tiling.across, tiling.width, tiling.height) == (2, 10, 7)
    assert [plain(row).rstrip() for row in rows[:2]] == ["000         111", "x           x"]
    assert [plain(row).rstrip() for row in rows[7:9]] == ["222", "x"]


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 64), st.integers(1, 256), st.integers(1, 256)), max_size=6),
    st.integers(0, 220),
    st.integers(0, 70),
)
def test_tiles_never_leave_the_screen(sizes, width, height):
    tiling = tile(sizes, width, height)
    if tiling is None:
        return
    assert 1 <= tiling.tiles <= len(sizes)
    rows = tiling.join([[(Span("x" * 300),)] * 99] * tiling.tiles)
    assert len(rows) <= height
    assert all(length(row) <= width for row in rows)
