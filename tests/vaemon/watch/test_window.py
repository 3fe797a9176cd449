"""The rows in sight: closer, further off, along, in whatever order."""

from hypothesis import given
from hypothesis import strategies as st

from vaemon.watch.widgets.window import LEAST, Window, around, closer, following, further, moved

ROWS = st.integers(1, 3_000_000)
GESTURES = st.lists(
    st.tuples(
        st.sampled_from(["closer", "further", "moved", "around", "following"]), st.floats(0, 1), st.integers(-3, 3)
    ),
    max_size=20,
)


def apply(window, gesture, rows):
    kind, share, by = gesture
    at = int(share * (rows - 1))
    if kind == "closer":
        return closer(window, rows, at if by else None)
    if kind == "further":
        return further(window, rows, at if by > 0 else None)
    if kind == "around":
        return around(window, at, rows)
    if kind == "following":
        return following(window, rows)
    return moved(window, by * share, rows) if window is not None else None


@given(ROWS, GESTURES)
def test_a_window_is_a_power_of_two_on_the_grid_of_its_columns_and_has_rows_in_it(rows, gestures):
    window = None
    for gesture in gestures:
        window = apply(window, gesture, rows)
        if window is None:
            continue
        assert window.size >= LEAST
        assert window.size & (window.size - 1) == 0
        assert window.size < 2 * rows
        assert 0 <= window.first < rows
        assert window.first % max(window.size // 512, 1) == 0
        assert rows - window.first >= window.size // 2


@given(ROWS, st.floats(0, 1))
def test_the_row_under_the_crosshair_keeps_its_place(rows, share):
    at, window = int(share * (rows - 1)), None
    while (nearer := closer(window, rows, at)) != window:
        before = (window.first, window.size) if window else (0, rows)
        assert nearer.first <= at < nearer.last
        place = (at - before[0]) / before[1] - (at - nearer.first) / nearer.size
        bounded = nearer.first == 0 or nearer.first >= rows - nearer.size // 2 - max(nearer.size // 512, 1)
        assert bounded or abs(place) <= 1 / 256 + 1 / nearer.size
        window = nearer
    assert window is None or window.size == LEAST


@given(ROWS)
def test_coming_closer_at_the_newest_row_keeps_it_in_sight(rows):
    window = None
    while (nearer := closer(window, rows, None)) != window:
        assert nearer.follows
        assert nearer.first < rows <= nearer.last
        window = nearer


@given(ROWS, st.floats(0, 1), st.integers(1, 8))
def test_further_off_undoes_closer_in_the_end(rows, share, times):
    window = None
    for _ in range(times):
        window = closer(window, rows, int(share * (rows - 1)))
    for _ in range(times):
        window = further(window, rows)
    assert window is None


def test_a_window_that_follows_leaps_on_by_half_once_it_is_full():
    window = Window(0, 64, follows=True)
    assert following(window, 64) is window
    assert following(window, 65) == Window(33, 64, follows=True)
    assert following(Window(0, 64), 65) == Window(0, 64)
    assert following(None, 65) is None


def test_it_leaps_back_where_the_rows_are_gone():
    assert following(Window(500, 64, follows=True), 300) == Window(268, 64, follows=True)
    assert following(Window(500, 64), 300) == Window(500, 64)


def test_without_a_crosshair_one_comes_closer_to_the_middle_of_what_one_looks_at():
    assert closer(Window(100, 64), 4096, None) == Window(116, 32)


def test_a_short_run_cannot_be_seen_closer():
    assert closer(None, 20, None) is not None
    assert closer(None, 16, None) is None
    assert closer(None, 0, None) is None
