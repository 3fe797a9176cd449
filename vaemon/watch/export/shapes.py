"""Signs as geometry, so that a picture needs no font that has them: blocks, shades, dots, rules, states, arrows.

A cell is `CELL` wide and `LINE` high; y grows downward. What a sign has in the background's place is a hole.
"""

from dataclasses import dataclass
from functools import cache

CELL, LINE = 8.0, 18.0

_MIDDLE_X, _MIDDLE_Y = CELL / 2, LINE / 2
_ROUND_Y = 8.5
"""Where signs among words have their middle."""


@dataclass(frozen=True, slots=True)
class Box:
    """Level and upright edges, which lie on whole pixels where the scale is whole."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Polygon:
    """Other straight edges; the corners go round clockwise."""

    corners: tuple[tuple[float, float], ...]
    hole: bool = False


@dataclass(frozen=True, slots=True)
class Disc:
    """A circle, or of a hole the right half of one."""

    x: float
    y: float
    radius: float
    hole: bool = False
    half: bool = False


Shape = Box | Polygon | Disc

# Which quarters of a cell (two above, two below) have the foreground.
QUARTERS = {
    "█": "ffff",
    "▀": "ffbb",
    "▄": "bbff",
    "▌": "fbfb",
    "▐": "bfbf",
    "▘": "fbbb",
    "▝": "bfbb",
    "▖": "bbfb",
    "▗": "bbbf",
    "▚": "fbbf",
    "▞": "bffb",
    "▙": "fbff",
    "▟": "bfff",
    "▛": "fffb",
    "▜": "ffbf",
}
SHADES = {"▓": 0.75, "▒": 0.5, "░": 0.25}
"""The share of the foreground in a cell's colour."""

_EIGHTHS_UP = "▁▂▃▄▅▆▇"
_EIGHTHS_RIGHT = "▏▎▍▌▋▊▉"
_PLACES = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3))
"""Column and row of each of braille's dots, by bit."""

# Which arms a rule has: to the left, right, up, down, all across (h), all along (v); a capital is a heavy one.
_ARMS = {
    "─": "h",
    "━": "H",
    "│": "v",
    "┃": "V",
    "╵": "u",
    "╷": "d",
    "╴": "l",
    "╶": "r",
    "╸": "L",
    "╺": "R",
    "╹": "U",
    "╻": "D",
    "┌": "rd",
    "┐": "ld",
    "└": "ru",
    "┘": "lu",
    "╭": "rd",
    "╮": "ld",
    "╰": "ru",
    "╯": "lu",
    "├": "vr",
    "┤": "vl",
    "┬": "hd",
    "┴": "hu",
    "┼": "hv",
    "┏": "RD",
    "┓": "LD",
    "┗": "RU",
    "┛": "LU",
    "┣": "VR",
    "┫": "VL",
    "┳": "HD",
    "┻": "HU",
    "╋": "HV",
}


def _diamond(radius: float, *, hole: bool = False) -> Polygon:
    x, y = _MIDDLE_X, _ROUND_Y
    return Polygon(((x, y - radius), (x + radius, y), (x, y + radius), (x - radius, y)), hole)


def _stroke(x0: float, y0: float, x1: float, y1: float, thick: float) -> Polygon:
    length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
    across, along = (y1 - y0) / length * thick / 2, (x1 - x0) / length * thick / 2
    return Polygon(
        ((x0 + across, y0 - along), (x1 + across, y1 - along), (x1 - across, y1 + along), (x0 - across, y0 + along))
    )


def _cross(radius: float, thick: float) -> tuple[Shape, ...]:
    x, y = _MIDDLE_X, _ROUND_Y
    return (
        _stroke(x - radius, y - radius, x + radius, y + radius, thick),
        _stroke(x - radius, y + radius, x + radius, y - radius, thick),
    )


def _arrow(turn: int) -> tuple[Shape, ...]:
    """An arrow to the right, turned clockwise by so many right angles."""
    corners = ((-3.4, -0.6), (0.4, -0.6), (0.4, -2.6), (3.6, 0.0), (0.4, 2.6), (0.4, 0.6), (-3.4, 0.6))
    for _ in range(turn):
        corners = tuple((-y, x) for x, y in corners)  # type: ignore[assignment]
    return (Polygon(tuple((_MIDDLE_X + x, _ROUND_Y + y) for x, y in corners)),)


_RING = (Disc(_MIDDLE_X, _ROUND_Y, 3.3), Disc(_MIDDLE_X, _ROUND_Y, 2.1, hole=True))

_SIGNS: dict[str, tuple[Shape, ...]] = {
    "●": (Disc(_MIDDLE_X, _ROUND_Y, 3.3),),
    "◐": (Disc(_MIDDLE_X, _ROUND_Y, 3.3), Disc(_MIDDLE_X, _ROUND_Y, 2.1, hole=True, half=True)),
    "○": _RING,
    "·": (Disc(_MIDDLE_X, _ROUND_Y, 1.3),),
    "▲": (Polygon(((4.0, 4.6), (7.6, 11.8), (0.4, 11.8))),),
    "▼": (Polygon(((0.4, 5.2), (7.6, 5.2), (4.0, 12.4))),),
    "▸": (Polygon(((1.8, 4.7), (6.8, 8.5), (1.8, 12.3))),),
    "◂": (Polygon(((6.2, 4.7), (6.2, 12.3), (1.2, 8.5))),),
    "◆": (_diamond(3.8),),
    "◇": (_diamond(3.8), _diamond(2.2, hole=True)),
    "■": (Box(1, 5.5, 6, 6),),
    "✓": (_stroke(1.0, 8.6, 3.4, 11.6, 1.5), _stroke(2.9, 11.9, 7.2, 4.9, 1.5)),
    "✗": _cross(2.9, 1.7),
    "×": _cross(2.3, 1.2),
    "‖": (Box(2, 4, 1.5, 9), Box(4.5, 4, 1.5, 9)),
    "→": _arrow(0),
    "↓": _arrow(1),
    "←": _arrow(2),
    "↑": _arrow(3),
}


@cache
def shapes_of(sign: str) -> tuple[Shape, ...]:
    """What a sign is made of; nothing where it is a letter, a block in `QUARTERS` or a shade."""
    if sign in QUARTERS:
        return ()
    if is_braille(sign):
        bits = ord(sign) - 0x2800
        return tuple(Box(0.5 + 4 * i, 1 + 4.5 * j, 3, 3) for bit, (i, j) in enumerate(_PLACES) if bits >> bit & 1)
    if sign in _ARMS:
        return tuple(_arm(arm) for arm in _ARMS[sign])
    if sign and sign in _EIGHTHS_UP:
        high = LINE * (_EIGHTHS_UP.index(sign) + 1) / 8
        return (Box(0, LINE - high, CELL, high),)
    if sign and sign in _EIGHTHS_RIGHT:
        return (Box(0, 0, CELL * (_EIGHTHS_RIGHT.index(sign) + 1) / 8, LINE),)
    return _SIGNS.get(sign, ())


def _arm(arm: str) -> Box:
    thick = 2.0 if arm.isupper() else 1.0
    x, y = _MIDDLE_X - thick // 2, _MIDDLE_Y - thick // 2
    return {
        "l": Box(0, y, _MIDDLE_X, thick),
        "r": Box(_MIDDLE_X, y, _MIDDLE_X, thick),
        "h": Box(0, y, CELL, thick),
        "u": Box(x, 0, thick, y + thick),
        "d": Box(x, y, thick, LINE - y),
        "v": Box(x, 0, thick, LINE),
    }[arm.lower()]


def is_braille(sign: str) -> bool:
    """Whether a sign is one of the patterns of eight dots."""
    return len(sign) == 1 and 0x2800 <= ord(sign) <= 0x28FF


def is_word(sign: str) -> bool:
    """Whether a sign is left to a font."""
    return bool(sign.strip()) and not (sign in QUARTERS or sign in SHADES or is_braille(sign) or shapes_of(sign))
