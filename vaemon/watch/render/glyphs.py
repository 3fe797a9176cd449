"""The signs of the screen, and what stands for them where a font has ASCII only."""

from vaemon.latents import LatentState

STATE = {
    LatentState.ACTIVE: "●",
    LatentState.WAKING: "◐",
    LatentState.LIMBO: "○",
    LatentState.COLLAPSED: "·",
}

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
# A run's name, a reason or an event comes from elsewhere: an escape in it must not reach the terminal.
_CONTROLS = dict.fromkeys(
    [*range(0x20), *range(0x7F, 0xA0), 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)], "?"
)


def safe(text: str) -> str:
    """The text without control characters."""
    return text.translate(_CONTROLS)


def to_ascii(text: str) -> str:
    """The text in ASCII, as many characters long; signs without a stand-in become question marks."""
    return text.translate(_TO_ASCII).encode("ascii", "replace").decode("ascii")
