"""What is written to a terminal that draws pictures by Kitty's protocol."""

import re
from base64 import b64decode

from rich.cells import cell_len

from vaemon.watch.render.cells import length
from vaemon.watch.render.kitty import CHUNK, MARKS, PLACEHOLDER, delete, placeholders, through_tmux, transmit


def test_the_marks_are_those_of_the_protocol():
    # As its own list gives them, one a line: gen/rowcolumn-diacritics.txt of Kitty.
    assert len(MARKS) == 297
    assert [ord(MARKS[i]) for i in (0, 1, 2, 20, 85, 100, 200, 296)] == [
        *(0x305, 0x30D, 0x30E, 0x366, 0x730, 0x7EB, 0x20D4, 0x1D244)
    ]
    assert {cell_len(PLACEHOLDER + mark) for mark in MARKS} == {1}


def test_a_picture_is_sent_in_parts_of_which_the_first_says_what_it_is():
    png = bytes(range(256)) * 50
    commands = re.findall(r"\x1b_G([^;]*);([^\x1b]*)\x1b\\", transmit(77, png, 12, 5))
    assert [keys for keys, _ in commands] == [
        "a=T,U=1,f=100,t=d,i=77,c=12,r=5,q=2,m=1",
        *["q=2,m=1"] * (len(commands) - 2),
        "q=2,m=0",
    ]
    assert all(len(data) == CHUNK for _, data in commands[:-1])
    assert b64decode("".join(data for _, data in commands)) == png
    assert "m=0" in transmit(77, b"x", 1, 1).split(";")[0]


def test_each_placeholder_tells_its_row_its_column_and_the_picture():
    rows = placeholders(3 << 24 | 123, cells=40, rows=30)
    assert [length(row) for row in rows] == [40] * 30
    for y, ((text, ink),) in enumerate(rows):
        assert ink.fg == "picture 123"
        cells = [text[i : i + 4] for i in range(0, len(text), 4)]
        assert cells == [PLACEHOLDER + MARKS[y] + MARKS[x] + MARKS[3] for x in range(40)]


def test_tmux_is_told_to_hand_each_command_on():
    assert through_tmux(delete(5) + delete(6)) == "".join(
        f"\x1bPtmux;\x1b\x1b_Ga=d,d=I,i={i},q=2\x1b\x1b\\\x1b\\" for i in (5, 6)
    )
