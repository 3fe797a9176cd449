"""Images in the terminal: half blocks in their own colours, or shades."""

import numpy as np
import pytest

from analysis.pictures.terminal import drawn, drawn_whole


@pytest.fixture
def picture():
    """20 x 30 pixels, red above, black below."""
    made = np.zeros((20, 30, 3), np.uint8)
    made[:10, :, 0] = 255
    return made


def test_a_picture_has_its_own_width_where_there_is_room(picture):
    lines = drawn_whole(picture, 100, False).splitlines()
    assert len(lines) == 10
    assert {len(line.rstrip()) for line in lines[:5]} == {30}
    assert all(not line.strip() for line in lines[5:])


def test_a_picture_is_made_smaller_for_a_narrow_terminal(picture):
    lines = drawn_whole(picture, 15, False).splitlines()
    assert (len(lines), len(lines[0].rstrip())) == (5, 15)


def test_colours(picture, monkeypatch):
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.delenv("NO_COLOR", raising=False)
    text = drawn_whole(picture, 30, True)
    assert "\x1b[38;2;255;0;0" in text
    assert len(text.splitlines()) == 10


def test_ascii_and_grey():
    images = np.full((4, 8, 8, 1), 255, np.uint8)
    text = drawn(images, 40, False, True)
    assert text.isascii()
    assert "@" in text
    assert "\x1b" not in text
