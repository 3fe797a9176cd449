"""Kitty's graphics protocol: what a terminal is written to hold a picture, and the cells that show it. Pure.

The picture is placed by placeholders, which are text to all between here and the terminal: they scroll, are covered and
come back, and pass through tmux, like any other sign. https://sw.kovidgoyal.net/kitty/graphics-protocol/
"""

from base64 import b64encode

from vaemon.watch.render.cells import PICTURE, Ink, Row, Span

PLACEHOLDER = "\U0010eeee"
"""Stands for a cell of a picture."""
CHUNK = 4096
"""Bytes of a picture in one command, at most."""
FEWEST, MOST = 16, 256
"""The colours that numbers are told by: those below are the terminal's own sixteen, which themes change."""

_RANGES = (
    "305 30d-30e 310 312 33d-33f 346 34a-34c 350-352 357 35b 363-36f 483-487 592-595 597-599 59c-5a1 5a8-5a9 5ab-5ac "
    "5af 5c4 610-617 657-65b 65d-65e 6d6-6dc 6df-6e2 6e4 6e7-6e8 6eb-6ec 730 732-733 735-736 73a 73d 73f-741 743 745 "
    "747 749-74a 7eb-7f1 7f3 816-819 81b-823 825-827 829-82d 951 953-954 f82-f83 f86-f87 135d-135f 17dd 193a 1a17 "
    "1a75-1a7c 1b6b 1b6d-1b73 1cd0-1cd2 1cda-1cdb 1ce0 1dc0-1dc1 1dc3-1dc9 1dcb-1dcc 1dd1-1de6 1dfe 20d0-20d1 "
    "20d4-20d7 20db-20dc 20e1 20e7 20e9 20f0 2cef-2cf1 2de0-2dff a66f a67c-a67d a6f0-a6f1 a8e0-a8f1 aab0 aab2-aab3 "
    "aab7-aab8 aabe-aabf aac1 fe20-fe26 10a0f 10a38 1d185-1d189 1d1aa-1d1ad 1d242-1d244"
)
_ENDS = [(int(a, 16), int(b or a, 16)) for a, _, b in (each.partition("-") for each in _RANGES.split())]
MARKS = "".join(chr(code) for first, last in _ENDS for code in range(first, last + 1))
"""The marks over a placeholder that stand for the numbers from 0 on: the protocol's own list."""


def transmit(number: int, png: bytes, cells: int, rows: int) -> str:
    """Have the terminal hold a picture, to be shown where its placeholders are; it answers nothing.

    Args:
        number: the picture's; see `placeholders`.
        png: the picture.
        cells: width of the place that it is fitted to.
        rows: its height.
    """
    data = b64encode(png).decode("ascii")
    parts = [data[i : i + CHUNK] for i in range(0, len(data), CHUNK)]
    first = f"a=T,U=1,f=100,t=d,i={number},c={cells},r={rows},"
    return "".join(
        _command(f"{'' if i else first}q=2,m={int(i < len(parts) - 1)}", part) for i, part in enumerate(parts)
    )


def delete(number: int) -> str:
    """Have the terminal forget a picture."""
    return _command(f"a=d,d=I,i={number},q=2")


def placeholders(number: int, cells: int, rows: int) -> list[Row]:
    """The cells in which the terminal draws a picture.

    Each tells its row and column, for those beside it may be covered. The number's last byte is the colour, for one of
    256 goes unchanged through whatever has fewer colours; the first is a third mark, the others are 0.

    Args:
        number: of the picture, `FEWEST` to 255 in its last byte, 0 in the middle ones.
        cells: width, at most 297.
        rows: height, at most 297.
    """
    ink, first = Ink(f"{PICTURE}{number & 255}"), MARKS[number >> 24]
    columns = [MARKS[column] + first for column in range(cells)]
    return [(Span("".join(PLACEHOLDER + MARKS[row] + column for column in columns), ink),) for row in range(rows)]


def through_tmux(commands: str) -> str:
    """The same commands, for tmux to hand on to the terminal it is in; it must allow that (`allow-passthrough`)."""
    parts = [f"{part}\x1b\\" for part in commands.split("\x1b\\") if part]
    return "".join("\x1bPtmux;" + part.replace("\x1b", "\x1b\x1b") + "\x1b\\" for part in parts)


def _command(keys: str, data: str = "") -> str:
    return f"\x1b_G{keys}{f';{data}' if data else ''}\x1b\\"
