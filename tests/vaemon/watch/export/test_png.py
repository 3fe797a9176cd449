"""The PNG of small frames, pixel by pixel: a cell is 16 by 36, the margin 28."""

import builtins
import io

import numpy as np
import pytest
from PIL import Image
from rich.segment import Segment
from rich.style import Style

from vaemon.errors import VaemonError
from vaemon.watch.export.font import Letters
from vaemon.watch.export.frame import frame_of
from vaemon.watch.export.png import Painter, png, save_png

RED, BLUE, GROUND = (255, 0, 0), (0, 0, 255), (0, 0, 17)
ON_BLUE = Style.parse("#ff0000 on #0000ff")


def frame(*texts, style=ON_BLUE):
    return frame_of([[Segment(text, style)] for text in texts], ground="#000011")


def cell(text, letters=None, style=ON_BLUE):
    """The pixels of the cells of a text alone, shape (36, 16 n, 3)."""
    image = np.asarray(Painter(2.0, letters).paint(frame(text, style=style)))
    return image[28:-28, 28:-28]


def is_all(pixels, colour):
    return bool((pixels == colour).all())


def ink(pixels):
    """Where there is more of the foreground than of the background."""
    return pixels[:, :, 0] > 127


def test_size_and_margin():
    image = np.asarray(Painter().paint(frame("ab", "cd", "ef")))
    assert image.shape == (3 * 36 + 56, 2 * 16 + 56, 3)
    assert is_all(image[:28], GROUND)
    assert is_all(image[:, :28], GROUND)
    assert is_all(image[-28:], GROUND)
    assert is_all(image[:, -28:], GROUND)


def test_a_full_block_is_red_in_its_cell():
    pixels = cell(" █ ")
    assert is_all(pixels[:, :16], BLUE)
    assert is_all(pixels[:, 16:32], RED)
    assert is_all(pixels[:, 32:], BLUE)


def test_two_halves():
    above, left = cell("▀"), cell("▌")
    assert is_all(above[:18], RED)
    assert is_all(above[18:], BLUE)
    assert is_all(left[:, :8], RED)
    assert is_all(left[:, 8:], BLUE)


def test_a_shade():
    assert is_all(cell("▒"), (127, 0, 127))


@pytest.mark.parametrize("bit", range(8))
def test_a_dot_where_it_must_be(bit):
    column, row = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3))[bit]
    pixels = cell(chr(0x2800 + (1 << bit)))
    x, y = 1 + 8 * column, 2 + 9 * row
    assert is_all(pixels[y : y + 6, x : x + 6], RED)
    assert ink(pixels).sum() == 36


def test_rules_meet_from_cell_to_cell():
    across, along = cell("━━"), np.asarray(Painter().paint(frame("│", "│")))[28:-28, 28:-28]
    assert is_all(across[16:20], RED)
    assert ink(across).sum() == 4 * 32
    assert is_all(along[:, 8:10], RED)
    assert ink(along).sum() == 2 * 72


@pytest.mark.parametrize(("sign", "left", "right"), [("●", True, True), ("◐", True, False), ("○", False, False)])
def test_states_differ_inside(sign, left, right):
    pixels = ink(cell(sign))
    assert (pixels[17, 6], pixels[17, 9]) == (left, right)
    assert pixels[17, 2]
    assert pixels[17, 13]
    assert not pixels[:9].any()
    assert not pixels[25:].any()


@pytest.mark.parametrize("sign", "●◐○·▲▼▸◂■◆◇✓✗×‖→←↑↓│╵")
def test_every_sign_is_drawn_whatever_the_font(sign):
    pixels = cell(sign, Letters(2.0, families=(), wide=()))
    assert 8 < ink(pixels).sum() < 300
    assert (pixels == cell(sign)).all()


def test_letters_stand_on_one_line_in_their_cells():
    pixels = ink(cell("HxH x"))
    for place in (0, 16, 32, 64):
        rows = np.flatnonzero(pixels[:, place : place + 16].any(axis=1))
        assert abs(rows[-1] - 25) <= 1
    assert not pixels[:, 48:64].any()


def test_bold_is_bolder():
    assert ink(cell("m", style=Style.parse("bold #ff0000 on #0000ff"))).sum() > 1.1 * ink(cell("m")).sum()


def test_a_machine_without_fonts_has_letters_and_stand_ins():
    letters = Letters(2.0, families=(), wide=())
    assert ink(cell("W", letters)).any()
    assert (cell("σ²é", letters) == cell("s2e", letters)).all()
    assert not (cell("W", letters) == cell("i", letters)).all()


def test_a_wide_sign_that_no_font_has_takes_its_two_cells():
    pixels = cell("日x", Letters(2.0, wide=()))
    assert pixels.shape[1] == 48
    assert ink(pixels)[:, :32].any()
    assert (pixels[:, 32:] == cell("x")).all()


def test_corners_are_round():
    image = Image.open(io.BytesIO(png(frame("ab"))))
    alpha = np.asarray(image)[:, :, 3]
    assert image.mode == "RGBA"
    assert (alpha[0, 0], alpha[-1, -1], alpha[0, 44], alpha[28, 28]) == (0, 0, 255, 255)


@pytest.mark.parametrize("scale", [1.0, 1.5, 3.0])
def test_other_scales(scale):
    image = np.asarray(Painter(scale).paint(frame("█a")))
    wide, high, margin = round(8 * scale), round(18 * scale), round(14 * scale)
    assert image.shape == (high + 2 * margin, 2 * wide + 2 * margin, 3)
    assert is_all(image[margin:-margin, margin : margin + wide], RED)


def test_saved(tmp_path):
    path = save_png(frame("a"), tmp_path / "a.png")
    assert path == tmp_path / "a.png"
    assert path.read_bytes() == png(frame("a"))


def test_no_pillow(tmp_path, monkeypatch):
    real = builtins.__import__

    def without(name, *rest, **options):
        if name.partition(".")[0] == "PIL":
            raise ModuleNotFoundError("No module named 'PIL'", name="PIL")
        return real(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(VaemonError, match=r"pip install 'vaemon\[images\]'"):
        save_png(frame("a"), tmp_path / "a.png")
    assert not list(tmp_path.iterdir())
