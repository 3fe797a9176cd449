"""From the segments of a screen to cells."""

import pytest
from rich.segment import Segment
from rich.style import Style

from vaemon.watch.export.frame import Cell, frame_of, quarter_colours

RED = Style.parse("#ff0000 on #000011")
BOLD = Style.parse("bold #00ff00 on #000011")


def signs(frame):
    return ["|".join(cell.sign for cell in row) for row in frame.rows]


def test_cells_of_two_rows():
    frame = frame_of([[Segment("a", RED), Segment("b", BOLD)], [Segment("cd", RED)]], ground="#000011")
    red = ("#ff0000", "#000011")
    assert frame.rows == (
        (Cell("a", *red), Cell("b", "#00ff00", "#000011", True)),
        (Cell("c", *red), Cell("d", *red)),
    )
    assert (frame.width, frame.height, frame.ground) == (2, 2, "#000011")


def test_short_rows_are_padded():
    frame = frame_of([[Segment("abc", RED)], [], [Segment("d", RED)]], ground="#000011", ink="#222222")
    assert signs(frame) == ["a|b|c", " | | ", "d| | "]
    assert frame.rows[1][0] == Cell(" ", "#222222", "#000011")


def test_a_wide_sign_takes_two_cells_and_a_mark_none():
    frame = frame_of([[Segment("日e", RED), Segment("\u0301x", BOLD)]], ground="#000011")
    assert signs(frame) == ["日||e\u0301|x"]
    assert frame.rows[0][2].fg == "#ff0000"


def test_a_mark_over_nothing_is_left_out():
    assert signs(frame_of([[Segment("\u0301a", RED)]], ground="#000011")) == ["a"]


@pytest.mark.parametrize(
    ("style", "fg", "bg"),
    [
        ("", "#808080", "#101010"),
        ("default on default", "#808080", "#101010"),
        ("red on blue", "#800000", "#000080"),
        ("reverse #ff0000 on #000011", "#000011", "#ff0000"),
        ("dim #ff0000 on #000000", "#7f0000", "#000000"),
    ],
)
def test_colours(style, fg, bg):
    cell = frame_of([[Segment("a", Style.parse(style))]], ground="#101010").rows[0][0]
    assert (cell.fg, cell.bg) == (fg, bg)


def test_a_segment_without_a_style_and_one_that_is_no_text():
    frame = frame_of([[Segment("a"), Segment("\x07", None, [(1,)])]], ground="#101010")
    assert frame.rows == ((Cell("a", "#808080", "#101010"),),)


@pytest.mark.parametrize(
    ("region", "seen"),
    [
        ((1, 0, 2, 2), ["b|c", "f|g"]),
        ((-1, -1, 2, 2), ["a"]),
        ((3, 1, 9, 9), ["h"]),
        ((4, 0, 2, 2), ["", ""]),
        ((0, 2, 4, 1), []),
    ],
)
def test_a_part(region, seen):
    frame = frame_of([[Segment("abcd", RED)], [Segment("efgh", RED)]], ground="#000011")
    assert signs(frame.part(*region)) == seen


def test_a_part_that_cuts_a_wide_sign():
    frame = frame_of([[Segment("日本", RED)]], ground="#000011")
    assert signs(frame.part(1, 0, 2, 1)) == [" |本"]


def test_one_over_the_other():
    title, panel = (frame_of([[Segment(text, RED)]], ground="#000011") for text in ("ab", "c"))
    assert signs(title.over(panel)) == ["a|b", "c| "]
    assert signs(panel.over(title)) == ["c| ", "a|b"]
    assert panel.over(title).rows[0][1] == Cell(" ", "#000011", "#000011")


@pytest.mark.parametrize(
    ("sign", "colours"), [("█", "ffff"), ("▀", "ffbb"), ("▌", "fbfb"), ("▚", "fbbf"), ("a", "bbbb"), ("●", "bbbb")]
)
def test_quarters(sign, colours):
    known = {"f": "#ffffff", "b": "#000000"}
    assert list(quarter_colours(Cell(sign, "#ffffff", "#000000"))) == [known[each] for each in colours]


def test_shades_lie_between_the_two_colours():
    seen = [quarter_colours(Cell(sign, "#ff0000", "#000000")) for sign in "░▒▓"]
    assert seen == [("#3f0000",) * 4, ("#7f0000",) * 4, ("#bf0000",) * 4]
