"""Images in the terminal, as half blocks in their own colours; shades where there are none. Printed once."""

import io

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.style import Style
from rich.text import Text

from vaemon.watch.render.cells import Ink, Row
from vaemon.watch.render.pixels import ASCII_SHADES, SHADES, grid_rows

MOST_LINES = 40
"""Of text that a grid of samples may take."""


def drawn(images: npt.NDArray[np.uint8], width: int, colour: bool, ascii_only: bool = False) -> str:
    """As many images as can be made out, in a grid of the terminal's own.

    Args:
        images: (n, H, W, C).
        width: columns of text.
        colour: whether to write colours.
        ascii_only: shades of ASCII; only without colour.
    """
    return _text(grid_rows(images, width, MOST_LINES, _shades(colour, ascii_only)), width)


def drawn_whole(picture: npt.NDArray[np.uint8], width: int, colour: bool, ascii_only: bool = False) -> str:
    """One picture (H, W, C) as wide as the terminal, or as it is itself where that is less; as high as that makes it.

    Arguments as of `drawn`.
    """
    height, own = picture.shape[:2]
    cells = min(width, own)
    lines = max(-(-height * cells // own // 2), 1)
    return _text(grid_rows(picture[None], cells, lines, _shades(colour, ascii_only)), width)


def _shades(colour: bool, ascii_only: bool) -> str:
    return "" if colour else (ASCII_SHADES if ascii_only else SHADES)


def _text(rows: list[Row], width: int) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=True, legacy_windows=False, highlight=False)
    with console.capture() as captured:
        for row in rows:
            console.print(Text.assemble(*((span.text, _style(span.ink)) for span in row)), no_wrap=True, crop=True)
    return captured.get()


def _style(ink: Ink) -> Style:
    """The colours of a stretch of cells; the terminal's own where there is no image."""
    foreground, background = (each if each.startswith("#") else None for each in (ink.fg, ink.bg))
    return Style(color=foreground, bgcolor=background)
