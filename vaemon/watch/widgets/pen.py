"""From rows of named colours to strips of a terminal: the one place where the names become styles."""

from functools import lru_cache

from rich.cells import cell_len, set_cell_size
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from vaemon.view.signs import safe, to_ascii
from vaemon.watch.render.cells import PICTURE, Ink, Row, Span, fit
from vaemon.watch.render.palette import Palette
from vaemon.watch.widgets.held import HeldPictures


class Pen:
    """What a screen is drawn with: a palette, whether signs beyond ASCII may be used, and whether true pictures."""

    pictures: HeldPictures | None = None
    """Those that the terminal draws itself; None: it draws none."""

    def __init__(self, palette: Palette, *, ascii_only: bool = False) -> None:
        """Draw with these colours."""
        self.palette = palette
        self.ascii_only = ascii_only
        self._style = lru_cache(maxsize=4096)(self._make_style)

    def use(self, palette: Palette) -> None:
        """Draw with other colours from now on."""
        self.palette = palette
        self._style.cache_clear()

    @property
    def shaded(self) -> bool:
        """Whether heat is told by density instead of colour."""
        return self.palette.shaded or self.ascii_only

    def strip(self, row: Row, width: int) -> Strip:
        """The row as a strip of exactly that width."""
        written = fit(tuple(Span(self._sign(span), span.ink) for span in row), width)
        return Strip([Segment(span.text, self._style(span.ink)) for span in _merged(written)], max(width, 0))

    def blank(self, width: int) -> Strip:
        """A strip of that width with nothing on it."""
        return Strip.blank(max(width, 0), self._style(Ink()))

    def _sign(self, span: Span) -> str:
        if span.ink.fg.startswith(PICTURE):
            return span.text
        return to_ascii(safe(span.text)) if self.ascii_only else safe(span.text)

    def _make_style(self, ink: Ink) -> Style:
        # A style is dear to make (6 µs) and there are few: they are kept.
        if ink.fg.startswith(PICTURE):
            return Style(color=Color.from_ansi(int(ink.fg.removeprefix(PICTURE))), bgcolor=self.palette[ink.bg])
        return Style(color=self.palette[ink.fg], bgcolor=self.palette[ink.bg], bold=ink.bold)

    @staticmethod
    def ellipsis(text: str, width: int) -> str:
        """The text cut to the width, with a sign where something is missing."""
        text = safe(text)
        return text if cell_len(text) <= width else set_cell_size(text, max(width - 1, 0)) + "…"


def _merged(row: Row) -> list[Span]:
    """The row in as few spans as look the same: a colour costs some forty bytes on the wire, and a blank shows none."""
    merged: list[Span] = []
    for span in row:
        last = merged[-1] if merged else None
        if last is None or last.ink.bg != span.ink.bg:
            merged.append(span)
        elif span.ink == last.ink or span.text.isspace():
            merged[-1] = Span(last.text + span.text, last.ink)
        elif last.text.isspace():
            merged[-1] = Span(last.text + span.text, span.ink)
        else:
            merged.append(span)
    return merged
