"""A frame as PNG, at twice the size of the SVG, so that it is sharp on any screen. Needs Pillow."""

import io
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from vaemon.errors import VaemonError
from vaemon.exchange.file import write_file
from vaemon.watch.export import shapes
from vaemon.watch.export.font import Letters
from vaemon.watch.export.frame import Cell, Frame, quarter_colours

if TYPE_CHECKING:
    from PIL.Image import Image

SCALE = 2.0
MARGIN, ROUND = 14, 10
"""Width of the frame around all and radius of its corners, times the scale in pixels."""
_FINE = 8
"""Edges are drawn so many times finer, then made smooth."""


def save_png(frame: Frame, path: Path, *, scale: float = SCALE, replace: bool = False) -> Path:
    """Write the frame as a PNG file.

    Args:
        frame: the cells.
        path: where; `write_file` says how, and what it raises.
        scale: 1: a cell is 8 by 18 pixels.
        replace: take the place of a file of that name.

    Returns:
        Where it was written.

    Raises:
        VaemonError: Pillow is not installed, or the file cannot be written.
    """
    return write_file(path, [png(frame, scale)], replace=replace)


def png(frame: Frame, scale: float = SCALE) -> bytes:
    """The frame as the bytes of a PNG file. Raises VaemonError where Pillow is not installed."""
    buffer = io.BytesIO()
    Painter(scale).rounded(frame).save(buffer, "PNG")
    return buffer.getvalue()


class Painter:
    """Paints frames at one scale; equal cells are painted once."""

    def __init__(self, scale: float = SCALE, letters: Letters | None = None) -> None:
        """Paint with `letters`, by default in a font of this machine.

        Raises:
            VaemonError: Pillow is not installed.
        """
        require_pillow()
        self.scale = scale
        self.cell, self.line, self.margin = (round(each * scale) for each in (shapes.CELL, shapes.LINE, MARGIN))
        self._letters = letters or Letters(scale)
        self._tile = lru_cache(maxsize=16384)(self._paint_tile)

    def paint(self, frame: Frame) -> "Image":
        """The frame in mode RGB, its margin around it."""
        from PIL import Image

        size = (frame.width * self.cell + 2 * self.margin, frame.height * self.line + 2 * self.margin)
        image = Image.new("RGB", size, frame.ground)
        for y, row in enumerate(frame.rows):
            for x, cell in enumerate(row):
                if cell.sign:
                    across = 2 if x + 1 < len(row) and not row[x + 1].sign else 1
                    place = (self.margin + x * self.cell, self.margin + y * self.line)
                    image.paste(self._tile(cell, across), place)
        return image

    def rounded(self, frame: Frame) -> "Image":
        """The frame in mode RGBA, its corners round and what is beyond them transparent."""
        from PIL import Image, ImageDraw

        image = self.paint(frame)
        fine = Image.new("L", (image.width * 2, image.height * 2))
        end = (fine.width - 1, fine.height - 1)
        ImageDraw.Draw(fine).rounded_rectangle((0, 0, *end), ROUND * self.scale * 2, fill=255)
        image.putalpha(fine.reduce(2))
        return image

    def _paint_tile(self, cell: Cell, across: int) -> "Image":
        from PIL import Image

        width = across * self.cell
        tile = Image.new("RGB", (width, self.line), cell.bg)
        halves = ((0, self.cell // 2), (self.cell // 2, self.cell))
        levels = ((0, self.line // 2), (self.line // 2, self.line))
        for i, colour in enumerate(quarter_colours(cell)):
            (left, right), (top, bottom) = halves[i % 2], levels[i // 2]
            tile.paste(colour, (left, top, right, bottom))
        if drawn := shapes.shapes_of(cell.sign):
            tile.paste(cell.fg, mask=self._shape_mask(drawn))
        elif shapes.is_word(cell.sign):
            tile.paste(cell.fg, mask=self._letters.mask(cell.sign, tile.size, bold=cell.bold))
        return tile

    def _shape_mask(self, drawn: tuple[shapes.Shape, ...]) -> "Image":
        from PIL import Image, ImageDraw

        fine = Image.new("L", (self.cell * _FINE, self.line * _FINE))
        draw, x, y = ImageDraw.Draw(fine), fine.width / shapes.CELL, fine.height / shapes.LINE
        for shape in drawn:
            if isinstance(shape, shapes.Box):
                end = ((shape.x + shape.width) * x - 1, (shape.y + shape.height) * y - 1)
                draw.rectangle((shape.x * x, shape.y * y, *end), 255)
                continue
            ink = 0 if shape.hole else 255
            if isinstance(shape, shapes.Polygon):
                draw.polygon([(i * x, j * y) for i, j in shape.corners], ink)
                continue
            r = shape.radius
            box = ((shape.x - r) * x, (shape.y - r) * y, (shape.x + r) * x - 1, (shape.y + r) * y - 1)
            draw.pieslice(box, -90, 90 if shape.half else 270, ink)
        return fine.reduce(_FINE)


def require_pillow() -> None:
    """Do nothing where Pillow is installed.

    Raises:
        VaemonError: it is not; says how to install it.
    """
    try:
        import PIL.Image  # noqa: F401
    except ImportError as error:
        raise VaemonError(
            "a picture in pixels needs the package pillow: pip install 'vaemon[images]'; an SVG needs nothing"
        ) from error
