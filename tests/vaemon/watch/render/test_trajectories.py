import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vaemon.latents import LatentState
from vaemon.watch.render.cells import length, plain
from vaemon.watch.render.trajectories import (
    CHOSEN,
    MOST_LINES,
    PINNED,
    Room,
    Sheaf,
    nearest,
    quantiles,
    room_for,
    sheaf_rows,
)

LIMBO, ACTIVE = int(LatentState.LIMBO), int(LatentState.ACTIVE)
BARE = Room(0, 4, 0)


def sheaf(*lines, states=None, first=0, **options):
    variance = np.array(lines, float).T
    count = variance.shape[1]
    states = [LIMBO] * count if states is None else states
    return Sheaf(variance, np.arange(first, first + count), np.array(states, np.int8), **options)


def shown(picture, height, room, ascii_only=False):
    return [plain(row).rstrip() for row in sheaf_rows(picture, height, room, ascii_only=ascii_only)]


def inks(picture, height=8, room=BARE):
    """The ink of every drawn cell."""
    rows = sheaf_rows(picture, height, room, ascii_only=False)
    return [span.ink for row in rows for span in row for sign in span.text if sign != " "]


def test_levels_and_their_names():
    assert shown(sheaf([0.0, 0.0]), 11, room_for(60, 64)) == [
        "     1",
        "",
        "   0.8 ⠒⠒  ⠒⠒  ⠒⠒  ⠒⠒  ⠒⠒  ⠒⠒  ⠒⠒  ⠒⠒  ⠒⠒  ⠒⠒  ⠒⠒   inactive",
        "",
        "",
        "   0.5",
        "",
        "   0.3 ⠤⠤  ⠤⠤  ⠤⠤  ⠤⠤  ⠤⠤  ⠤⠤  ⠤⠤  ⠤⠤  ⠤⠤  ⠤⠤  ⠤⠤   awake",
        "",
        "",
        "     0 ⣀",
    ]


def test_levels_are_those_of_the_run():
    rows = shown(sheaf([0.0, 0.0], levels=(0.9, 0.4)), 11, room_for(60, 64))
    assert rows[1].startswith("   0.9 ")
    assert rows[6].endswith("awake")


def test_the_wakest_line_wins_its_cells():
    both = sheaf([0.52] * 8, [0.5] * 8, states=[ACTIVE, LIMBO])
    assert {ink.fg for ink in inks(both, 5)} == {"active", "reference", "faint"}


def test_a_line_falls_from_one_and_more_to_zero():
    falls = sheaf([1.05, 1.0, 0.5, 0.0, 0.0, -0.1], chosen=0)
    assert shown(falls, 5, Room(0, 6, 0), ascii_only=True) == ["##", "--# --", "  #", "-- #--", "   ###"]


def test_the_chosen_one_lies_on_top_and_has_its_name_where_it_ends():
    picture = sheaf([0.5] * 4, [0.5] * 4, first=11, chosen=12, pins=frozenset({11}))
    rows = sheaf_rows(picture, 9, room_for(40, 64), ascii_only=False)
    named = {span.text: span.ink for row in rows for span in row if span.text.startswith("z")}
    assert {text: (ink.fg, ink.bold) for text, ink in named.items()} == {"z12": (CHOSEN, True), "z11": (PINNED, True)}
    (line,) = [row for row in rows if "z12" in plain(row)]
    assert [span.text for span in line if span.ink.fg == CHOSEN] == ["⠤⠤", "z12"]


def test_names_of_one_place_stand_in_rows_of_their_own():
    ends = [[0.05] * 4] * 5
    rows = shown(sheaf(*ends, chosen=2, pins=frozenset({0, 1, 3, 4})), 12, room_for(40, 64))
    assert [row[10:12] for row in rows if "z" in row] == ["z0", "z1", "z3", "z4", "z2"]
    assert "z2" in rows[-1]


def test_more_names_than_rows():
    rows = shown(sheaf(*[[0.5] * 4] * 9, chosen=7, pins=frozenset(range(7))), 3, room_for(40, 64))
    assert sum("z" in row for row in rows) == 3
    assert any("z7" in row for row in rows)


def test_a_gap_is_marked_at_the_top():
    lost = sheaf([0.5, 0.5, np.nan, 0.5], [0.9, np.inf, 0.9, 0.9])
    top = sheaf_rows(lost, 4, Room(0, 2, 0), ascii_only=False)[0]
    assert [(span.text, span.ink.fg) for span in top if span.ink.fg == "bad"] == [("⢸⡇", "bad")]


def test_a_logarithmic_axis_parts_what_is_awake():
    values = [[0.2] * 4, [0.02] * 4, [0.0] * 4]
    assert (
        len({y for y, row in enumerate(shown(sheaf(*values, log=True), 12, BARE)) if "⠒⠒" in row or row[:1] > " "}) > 3
    )
    assert "  0.01" in "\n".join(shown(sheaf(*values, log=True), 24, room_for(40, 64)))


def test_smoothing():
    jitters = sheaf([0.2, 0.8] * 4, smoothed=np.full((8, 1), 0.5))
    rough = sheaf([0.2, 0.8] * 4)
    assert nearest(jitters, 0, 0.5) == 0
    assert len(inks(jitters)) < len(inks(rough))


def test_a_fan_of_very_many():
    many = np.tile(np.linspace(0, 1, MOST_LINES + 1)[:, None], 8)
    colours = {ink.fg for ink in inks(sheaf(*many, chosen=3), 20)}
    assert colours == {"muted", "band", "line", CHOSEN, "reference"}
    assert {ink.fg for ink in inks(sheaf(*many[1:]), 20)} == {"limbo", "reference"}


def test_the_fan_has_the_median_in_its_middle():
    many = np.tile(np.linspace(0, 1, MOST_LINES + 1)[:, None], 8)
    rows = sheaf_rows(sheaf(*many), 9, Room(0, 8, 0), ascii_only=True)
    assert [y for y, row in enumerate(rows) if any(span.ink.fg == "line" for span in row)] == [4]


def test_the_crosshair():
    assert "cursor" in {ink.fg for ink in inks(sheaf([0.5] * 4, at=2))}
    assert "cursor" not in {ink.fg for ink in inks(sheaf([0.5] * 4, at=99))}


def test_the_nearest_line():
    two = sheaf([0.2, 0.9], [0.6, np.nan], first=5)
    assert nearest(two, 0, 0.3) == 5
    assert nearest(two, 0, 0.5) == 6
    assert nearest(two, 1, 0.0) == 5
    assert nearest(two, 2, 0.5) == nearest(two, -1, 0.5) == -1
    assert nearest(sheaf([np.nan]), 0, 0.5) == -1


@given(arrays(float, st.tuples(st.integers(1, 6), st.integers(1, 9)), elements=st.floats(0, 1) | st.just(np.nan)))
def test_quantiles_are_those_of_the_finite_values(values):
    at = (0.0, 0.05, 0.5, 0.9, 1.0)
    for row, found in zip(values, quantiles(values, at), strict=True):
        known = row[np.isfinite(row)]
        expected = np.quantile(known, at) if len(known) else np.full(len(at), np.nan)
        assert found == pytest.approx(expected, nan_ok=True)


@given(st.integers(0, 250), st.integers(0, 5000))
def test_the_room_is_the_width(width, latents):
    room = room_for(width, latents)
    assert sum(room) == width
    assert min(room) >= 0
    assert room.margin in (0, *(range(3, 12)))


@given(
    st.integers(0, 9),
    st.integers(0, 90),
    st.sampled_from([0, 1, 2, 5, MOST_LINES + 3]),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.data(),
)
def test_anything_can_be_drawn(height, width, latents, log, smoothed, ascii_only, data):
    room = room_for(width, latents)
    painted = data.draw(st.integers(0, min(room.cells if ascii_only else 2 * room.cells, 7)))
    seed = data.draw(st.integers(0, 9))
    values = data.draw(arrays(float, (painted, min(latents, 5)), elements=st.floats(allow_nan=True)))
    rest = np.random.default_rng(seed).random((painted, latents - values.shape[1]))
    picture = Sheaf(
        np.concatenate([values, rest], axis=1),
        np.arange(latents),
        data.draw(arrays(np.int8, latents, elements=st.integers(0, 3))),
        chosen=data.draw(st.integers(-1, 6)),
        pins=data.draw(st.frozensets(st.integers(0, 6))),
        smoothed=np.concatenate([values, rest], axis=1)[::-1] if smoothed else None,
        log=log,
        at=data.draw(st.none() | st.integers(0, 200)),
        marks=((3, "active"), (500, "bad")),
    )
    rows = sheaf_rows(picture, height, room, ascii_only=ascii_only)
    assert len(rows) == (height if room.cells else 0)
    assert all(length(row) == width for row in rows)
    if ascii_only:
        assert all(plain(row).isascii() for row in rows)
