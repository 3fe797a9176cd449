"""The SVG of small frames, line by line."""

from xml.etree import ElementTree

import pytest
from rich.segment import Segment
from rich.style import Style

from vaemon.watch.export.frame import frame_of
from vaemon.watch.export.svg import save_svg, svg

GROUND = "#000011"
RED = Style.parse("#ff0000 on #000011")
BLUE = Style.parse("bold #0000ff on #222222")


def drawn(*rows):
    """What stands between the frame's head and its end."""
    lines = svg(frame_of(rows, ground=GROUND)).splitlines()
    assert lines[-2:] == ["</g>", "</svg>"]
    return lines[4:-2]


def test_head():
    lines = svg(frame_of([[Segment("ab", RED)]] * 3, ground=GROUND)).splitlines()
    assert lines[0] == '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 44 82" width="44" height="82">'
    assert lines[1] == '<rect width="44" height="82" rx="10" fill="#000011"/>'
    assert lines[2] == '<g transform="translate(14 14)" shape-rendering="crispEdges"'


def test_blank_cells_draw_nothing():
    assert drawn([Segment("   ", RED)]) == []


def test_words_and_their_background():
    assert drawn([Segment(" a<b ", RED), Segment("cd", BLUE)]) == [
        '<rect x="40" y="0" width="16" height="18" fill="#222222"/>',
        '<text x="8" y="13.0" textLength="24" fill="#ff0000">a&lt;b</text>',
        '<text x="40" y="13.0" textLength="16" fill="#0000ff" font-weight="bold">cd</text>',
    ]


def test_a_wide_word():
    assert drawn([Segment("日本x", RED)]) == ['<text x="0" y="13.0" textLength="40" fill="#ff0000">日本x</text>']


def test_full_blocks_are_one_bar():
    assert drawn([], [Segment(" ██", RED)]) == ['<rect x="8" y="18" width="16" height="18" fill="#ff0000"/>']


def test_half_blocks():
    above_and_below = Style.parse("#ff0000 on #00ff00")
    assert drawn([Segment("▀▌", above_and_below)]) == [
        '<rect x="0" y="0" width="12" height="9" fill="#ff0000"/>',
        '<rect x="12" y="0" width="4" height="9" fill="#00ff00"/>',
        '<rect x="0" y="9" width="8" height="9" fill="#00ff00"/>',
        '<rect x="8" y="9" width="4" height="9" fill="#ff0000"/>',
        '<rect x="12" y="9" width="4" height="9" fill="#00ff00"/>',
    ]


def test_a_shade():
    assert drawn([Segment("▒", Style.parse("#ff0000 on #000000"))]) == [
        '<rect x="0" y="0" width="8" height="18" fill="#7f0000"/>'
    ]


def test_dots_and_rules_are_one_path_a_colour():
    assert drawn([Segment("⠁⢀━", RED)]) == ['<path fill="#ff0000" d="M0.5 1h3v3h-3zM12.5 14.5h3v3h-3zM16 8h8v2h-8z"/>']


@pytest.mark.parametrize(
    ("sign", "path"),
    [
        ("●", "M4 5.2a3.3 3.3 0 0 1 0 6.6a3.3 3.3 0 0 1 0-6.6z"),
        ("○", "M4 5.2a3.3 3.3 0 0 1 0 6.6a3.3 3.3 0 0 1 0-6.6zM4 6.4a2.1 2.1 0 0 0 0 4.2a2.1 2.1 0 0 0 0-4.2z"),
        ("◐", "M4 5.2a3.3 3.3 0 0 1 0 6.6a3.3 3.3 0 0 1 0-6.6zM4 6.4v4.2a2.1 2.1 0 0 0 0-4.2z"),
        ("◇", "M4 4.7L7.8 8.5L4 12.3L0.2 8.5zM1.8 8.5L4 10.7L6.2 8.5L4 6.3z"),
    ],
)
def test_signs_of_states(sign, path):
    assert drawn([Segment(sign, RED)]) == [f'<path fill="#ff0000" shape-rendering="geometricPrecision" d="{path}"/>']


@pytest.mark.parametrize("sign", "●◐○·▲▼▸◂■◆◇✓✗×‖→←↑↓│╵─━┌┘┼▁▇▏▉▄▐░⣿")
def test_no_font_is_asked_for_a_sign(sign):
    assert "<text" not in svg(frame_of([[Segment(sign, RED)]], ground=GROUND))


def test_nothing_at_all():
    assert ElementTree.fromstring(svg(frame_of([], ground=GROUND))).get("width") == "28"


def test_saved(tmp_path):
    frame = frame_of([[Segment("γ", RED)]], ground=GROUND)
    assert save_svg(frame, tmp_path / "a.svg") == tmp_path / "a.svg"
    assert (tmp_path / "a.svg").read_text(encoding="utf-8") == svg(frame)
    assert save_svg(frame, tmp_path / "a.svg") == tmp_path / "a-2.svg"
