"""The signs in which runs are told: what is safe to write, and what stands for a sign where there is only ASCII."""

import codecs

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
# A run's name, a reason or an event comes from elsewhere: an escape in it must not reach the terminal. Controls,
# signs of no width, signs that turn the direction of writing, and halves of surrogate pairs.
_FOREIGN = ((0, 0x20), (0x7F, 0xA0), (0x200B, 0x2010), (0x2028, 0x202F), (0x2060, 0x2070), (0xD800, 0xE000))
_CONTROLS = dict.fromkeys((code for first, end in _FOREIGN for code in range(first, end)), "?")


def safe(text: str) -> str:
    """The text without control characters."""
    return text.translate(_CONTROLS)


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
