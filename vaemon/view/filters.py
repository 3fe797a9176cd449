"""What lists are narrowed to: a few words that a person types."""

import operator
import re
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from vaemon import latents
from vaemon.latents import LatentState
from vaemon.view.state import RunView, values
from vaemon.view.words import STATE_WORDS

Mask = npt.NDArray[np.bool_]

_SIGNS: dict[str, Callable[..., Mask]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
_COMPARED = re.compile(r"(var|variance|kl|woke)(<=|>=|<|>)([\d.e+-]+)", re.IGNORECASE)
_COMMA = re.compile(r"\s*,\s*")
_RANGE = re.compile(r"z?(\d+)(?:-z?(\d+))?", re.IGNORECASE)

LATENT_WORDS = "a state (limbo), a range (z3-9), pinned, inactive, var<.5, kl>1, woke>2000"
"""What a latent may be looked for by."""


def latents_that(text: str, view: RunView, pins: frozenset[int] = frozenset()) -> tuple[Mask, str]:
    """Which latents all words of the text hold for; words with a comma between them hold where any of them does.

    Returns:
        The mask, (k,), and the first word that is not understood ("" where all are); it takes no part.
    """
    mask, unknown = np.ones(view.latents, bool), ""
    for word in _COMMA.sub(",", text).split():
        found = [_alternative(each, view, pins) for each in word.split(",") if each]
        known = [each for each in found if each is not None]
        if len(known) < len(found) or not known:
            unknown = unknown or word
        if known:
            mask &= np.logical_or.reduce(known)
    return mask, unknown


def _alternative(word: str, view: RunView, pins: frozenset[int]) -> Mask | None:
    index = np.arange(view.latents)
    if match := _RANGE.fullmatch(word):
        first = int(match[1])
        return (index >= first) & (index <= int(match[2] or first))
    if match := _COMPARED.fullmatch(word):
        return _compared(match[1].lower(), match[2], match[3], view)
    variance, _ = values(view)
    if len(word) > 1 and "pinned".startswith(word.lower()):
        return np.isin(index, sorted(pins))
    if len(word) > 1 and "inactive".startswith(word.lower()):
        with np.errstate(invalid="ignore"):
            return latents.inactive(variance, view.thresholds.inactive)
    states: list[LatentState] = [each for each, name in STATE_WORDS.items() if name.startswith(word.lower())]
    return np.isin(view.states, [int(each) for each in states]) if states else None


def _compared(name: str, sign: str, number: str, view: RunView) -> Mask | None:
    try:
        bound = float(number)
    except ValueError:
        return None
    variance, kl = values(view)
    column = {"woke": np.where(view.woke >= 0, view.woke, np.nan), "kl": kl}.get(name, variance)
    with np.errstate(invalid="ignore"):
        return np.asarray(_SIGNS[sign](column, bound))


def says(text: str, line: str) -> bool:
    """Whether a line has all words of the text, in capitals or not."""
    return all(word in line.lower() for word in text.lower().split())
