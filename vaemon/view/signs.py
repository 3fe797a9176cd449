"""The signs in which runs are told: what is safe to write, and what stands for a sign where there is only ASCII."""

import codecs
import re

_ASCII = {
    "●": "*",
    "◐": "+",
    "○": "o",
    "◇": "?",
    "◆": "#",
    "▲": "!",
    "✓": "v",
    "■": "#",
    "✗": "x",
    "×": "x",
    "…": ".",
    "·": ".",
    "‖": "=",
    "│": "|",
    "╵": "|",
    "▸": ">",
    "━": "=",
    "─": "-",
    "→": ">",
    "←": "<",
    "↑": "^",
    "↓": "v",
    "≥": ">",
    "≤": "<",
    "≈": "~",
    "√": "v",
    "γ": "g",
    "σ": "s",
    "μ": "u",
    "η": "n",
    "ᵢ": "i",
    "²": "2",
    "█": "#",
    "▓": "*",
    "▒": "+",
    "░": "-",
    "‐": "-",
    "–": "-",
    "—": "-",
    "’": "'",
}
_TO_ASCII = {ord(sign): stand_in for sign, stand_in in _ASCII.items()}
_COLOUR = re.compile("\x1b\\[[0-9;]*m")
_SHAPES = {0xFE0E: None, 0xFE0F: None}
"""Signs that ask for another shape of the one before: terminals disagree about how wide it then is."""


def safe(text: str) -> str:
    """The text with question marks for what a terminal obeys or reorders by, rather than draws.

    A run's name, a reason or an event comes from elsewhere: an escape in it must not reach the terminal. Controls,
    signs of no width, signs that turn the direction of writing, and halves of surrogate pairs.
    """
    if text.isascii() and text.isprintable():
        return text
    text = text.translate(_SHAPES)
    return text if text.isprintable() else "".join(sign if sign.isprintable() else "?" for sign in text)


def harmless(text: str) -> str:
    """The same of many lines, the colours in them left: what is printed of names and messages of strangers."""
    colours = _COLOUR.findall(text)
    parts = ("\n".join(map(safe, part.split("\n"))) for part in _COLOUR.split(text))
    return "".join(part + colour for part, colour in zip(parts, [*colours, ""], strict=True))


def to_ascii(text: str) -> str:
    """The text in ASCII, as many characters long; signs without a stand-in become question marks."""
    return text.translate(_TO_ASCII).encode("ascii", "replace").decode("ascii")


def written(text: str, encoding: str | None, *, ascii_only: bool = False) -> str:
    """The text as a stream of that encoding can take it: as it is in UTF-8, else in ASCII."""
    try:
        unicode = codecs.lookup(encoding or "ascii").name.startswith("utf")
    except LookupError:
        unicode = False
    return text if unicode and not ascii_only else to_ascii(text)
