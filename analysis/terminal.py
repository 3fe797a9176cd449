"""How stdout takes text: how wide it is, whether in colour, and by which signs."""

import os
import shutil
import sys
from typing import NamedTuple

PLAIN_WIDTH = 100
"""Columns where stdout is no terminal."""

_ASCII = str.maketrans(
    {
        "σ": "s",
        "μ": "mu",
        "ε": "eps",
        "δ": "delta",
        "γ": "gamma",
        "±": "+-",
        "×": "x",
        "∞": "inf",
        "ẑ": "z^",
        "é": "e",
        "²": "^2",
        "≥": ">=",
        "≤": "<=",
        "–": "-",
        "·": "|",
        "…": "...",
        "─": "-",
        "═": "=",
    }
    | dict.fromkeys("┌┐└┘├┤┬┴┼", "+")
    | {"│": "|"}
    | dict.fromkeys("▌▋▊▉█", "#")
    | dict.fromkeys("▏▎▍", " ")
)
"""What stands for a sign where only ASCII can be written."""


class Form(NamedTuple):
    """The form of a text, in the order in which what draws one takes it."""

    width: int
    """Columns that it may take."""
    is_terminal: bool
    """Whether it may have colours, for which rich asks $NO_COLOR itself."""
    ascii_only: bool

    @property
    def colour(self) -> bool:
        """Whether it may have colours, $NO_COLOR considered."""
        return self.is_terminal and not os.environ.get("NO_COLOR")


def form(signs: str) -> Form:
    """How stdout takes a text that has some of these signs."""
    is_terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if is_terminal else PLAIN_WIDTH
    return Form(width, is_terminal, not fits(signs))


def fits(text: str, encoding: str = "") -> bool:
    """Whether a text can be written in an encoding; by default stdout's."""
    try:
        text.encode(encoding or sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def to_ascii(text: str) -> str:
    """A text with ASCII in the place of Greek letters, lines and bars; `?` for what has no counterpart."""
    return text.translate(_ASCII).encode("ascii", "replace").decode("ascii")
