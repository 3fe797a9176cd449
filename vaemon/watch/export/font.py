"""The letters of a picture: a monospaced font of this machine, else the one that Pillow brings along."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from unicodedata import normalize

from vaemon.view.signs import to_ascii
from vaemon.watch.export.shapes import CELL, LINE

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFont import FreeTypeFont

BASELINE = 0.72 * LINE
_NOBODY_HAS = "\U0010fffe"


class Face(NamedTuple):
    """A font's file, and which font it is in a file of several."""

    path: str
    number: int = 0


class Family(NamedTuple):
    """A font in its two weights."""

    regular: Face
    bold: Face


def _family(folder: str, regular: str, bold: str) -> Family:
    return Family(Face(f"{folder}/{regular}"), Face(f"{folder}/{bold}"))


_DEJAVU = ("DejaVuSansMono.ttf", "DejaVuSansMono-Bold.ttf")
_LIBERATION = ("LiberationMono-Regular.ttf", "LiberationMono-Bold.ttf")
_NOTO = ("NotoSansMono-Regular.ttf", "NotoSansMono-Bold.ttf")

MONOSPACED = (
    _family("/usr/share/fonts/truetype/dejavu", *_DEJAVU),
    _family("/usr/share/fonts/dejavu-sans-mono-fonts", *_DEJAVU),
    _family("/usr/share/fonts/dejavu", *_DEJAVU),
    _family("/usr/share/fonts/TTF", *_DEJAVU),
    Family(Face("/System/Library/Fonts/Menlo.ttc"), Face("/System/Library/Fonts/Menlo.ttc", 1)),
    _family("C:/Windows/Fonts", "consola.ttf", "consolab.ttf"),
    _family("/mnt/c/Windows/Fonts", "consola.ttf", "consolab.ttf"),
    _family("/usr/share/fonts/truetype/liberation", *_LIBERATION),
    _family("/usr/share/fonts/liberation-mono", *_LIBERATION),
    _family("/usr/share/fonts/liberation", *_LIBERATION),
    _family("/usr/share/fonts/truetype/noto", *_NOTO),
    _family("/usr/share/fonts/noto", *_NOTO),
)
"""Where systems keep a monospaced font with Greek letters, the best first."""

WIDE = (
    Face("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"),
    Face("/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc"),
    Face("/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc"),
    Face("/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc"),
    Face("/System/Library/Fonts/PingFang.ttc"),
    Face("/mnt/c/Windows/Fonts/msgothic.ttc"),
    Face("C:/Windows/Fonts/msgothic.ttc"),
)
"""Where they keep one with Chinese, Japanese and Korean signs, two cells wide."""


class Letters:
    """Draws letters at one scale. Needs Pillow."""

    def __init__(self, scale: float, families: Sequence[Family] = MONOSPACED, wide: Sequence[Face] = WIDE) -> None:
        """Use the first family and the first wide font that are there.

        Args:
            scale: pixels a pixel of the SVG.
            families: monospaced fonts to look for.
            wide: fonts to look for that have the signs of two cells.
        """
        self._scale = scale
        self._family = next((each for each in families if Path(each.regular.path).is_file()), None)
        self._wide = next((each for each in wide if Path(each.path).is_file()), None)
        self._font = lru_cache(maxsize=8)(self._open)

    def mask(self, sign: str, size: tuple[int, int], *, bold: bool) -> "Image":
        """Where the ink of a character is, in mode L.

        Args:
            sign: the character, with the marks over it.
            size: of its cells together, in pixels; the character is squeezed into their width.
            bold: whether it is.
        """
        from PIL import Image, ImageDraw

        font, sign = self._having(sign, bold)
        width = max(round(font.getlength(sign)), size[0])
        mask = Image.new("L", (width, size[1]))
        place = ((width - font.getlength(sign)) / 2, BASELINE * self._scale)
        ImageDraw.Draw(mask).text(place, sign, fill=255, font=font, anchor="ls")
        return mask if width == size[0] else mask.resize(size, Image.Resampling.BOX)

    def _having(self, sign: str, bold: bool) -> "tuple[FreeTypeFont, str]":
        """The font that has a character, else one that has its stand-in."""
        family = self._family
        faces = [(family.bold if bold else family.regular) if family is not None else None]
        if self._wide is not None:
            faces.append(self._wide)
        for face in faces:
            if _has(font := self._font(face), sign[0]):
                return font, sign
        return self._font(faces[0]), to_ascii(normalize("NFKD", sign)[0])

    def _open(self, face: Face | None) -> "FreeTypeFont":
        from PIL import ImageFont

        if face is None:
            font = ImageFont.load_default(0.6 * LINE * self._scale)
            assert isinstance(font, ImageFont.FreeTypeFont)
            return font
        known = ImageFont.truetype(face.path, 100, index=face.number)
        across = CELL * (2 if face == self._wide else 1)
        ems = known.getlength("中" if face == self._wide else "M") / 100
        return known.font_variant(size=across * self._scale / ems)


def _has(font: "FreeTypeFont", sign: str) -> bool:
    # What a font lacks it draws as it draws what no font has.
    return bytes(font.getmask(sign)) != bytes(font.getmask(_NOBODY_HAS))
