"""What `vaemon ls` takes a run by: its state, its age, its config."""

import json
import operator
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from vaemon.errors import UsageError

if TYPE_CHECKING:
    from vaemon.commands.summary import Summary

_SIGNS = {
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
_EQUALITY = ("=", "==", "!=")
_EXPRESSION = re.compile(r"\s*([^<>=!\s][^<>=!]*?)\s*(!=|<=|>=|==|=|<|>)\s*(.*?)\s*", re.DOTALL)
_AGE = re.compile(r"(\d+(?:\.\d+)?)\s*(s|min|m|h|d|w)")
_SECONDS = {"s": 1, "min": 60, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_WORDS = {"true": True, "false": False, "null": None, "none": None}
_MISSING = object()


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison with a value of a run's config."""

    key: str
    """With dots where the config is nested: "stage1.lr"."""
    sign: str
    value: str

    def holds(self, config: Mapping[str, Any]) -> bool:
        """Whether a config fulfils it; one that lacks the key never does, whatever the sign."""
        found = look_up(config, self.key)
        if found is _MISSING:
            return False
        pair = _comparable(found, self.value)
        if pair is None:  # of two kinds: unequal, and neither is the greater
            return self.sign == "!="
        if self.sign not in _EQUALITY and not isinstance(pair[0], int | float | str):
            return False
        return bool(_SIGNS[self.sign](*pair))


@dataclass(frozen=True, slots=True)
class Filter:
    """Which runs are listed; by default all."""

    states: frozenset[str] = frozenset()
    since: float = 0.0
    """Seconds since 1970."""
    conditions: tuple[Condition, ...] = ()

    def takes(self, run: "Summary") -> bool:
        """Whether the run is one of them."""
        if self.states and run.line["state"] not in self.states:
            return False
        return run.line["newest"] >= self.since and all(each.holds(run.config) for each in self.conditions)


def parse_condition(text: str) -> Condition:
    """A comparison as it is written: "stage1.lr>1e-4".

    Raises:
        UsageError: it is none.
    """
    example = "write KEY=VALUE, or one of != < <= > >=, as in 'stage1.lr>1e-4'"
    match = _EXPRESSION.fullmatch(text)
    if match is None:
        fault = "there is no key before the sign" if re.match(r"\s*[<>=!]", text) else "it compares nothing"
        raise UsageError(f"--where {text!r}: {fault}; {example}")
    key, sign, value = match.groups()
    if value.startswith(("<", ">", "=")):
        raise UsageError(f"--where {text!r}: {sign + value[0]!r} is no comparison; {example}")
    if not value and sign not in _EQUALITY:
        raise UsageError(f"--where {text!r}: there is no value after {sign!r}; {example}")
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return Condition(key, sign, value[1:-1] if quoted else value)


def parse_since(text: str, now: float) -> float:
    """A time, seconds since 1970, as it is written: an age like "2d", "12h" or "30m", or a date like "2026-11-01".

    Raises:
        UsageError: it is neither.
    """
    if match := _AGE.fullmatch(text.strip()):
        return now - float(match[1]) * _SECONDS[match[2]]
    try:
        return datetime.fromisoformat(text.strip()).timestamp()
    except (ValueError, OverflowError, OSError) as error:
        raise UsageError(
            f"--since {text!r} is no time; write an age, as 2d, 12h or 30m, or a date, as 2026-11-01T18:00"
        ) from error


def look_up(config: Mapping[str, Any], key: str) -> Any:
    """The value of a key with dots, or _MISSING; a key that has dots itself goes before a nested one."""
    if key in config:
        return config[key]
    for at in (i for i, letter in enumerate(key) if letter == "."):
        within = config.get(key[:at])
        if isinstance(within, Mapping) and (found := look_up(within, key[at + 1 :])) is not _MISSING:
            return found
    return _MISSING


def keys_of(config: Mapping[str, Any], before: str = "") -> set[str]:
    """Every key of a config, those of nested ones with dots."""
    keys: set[str] = set()
    for key, value in config.items():
        keys.add(f"{before}{key}")
        if isinstance(value, Mapping):
            keys |= keys_of(value, f"{before}{key}.")
    return keys


def _comparable(found: Any, text: str) -> tuple[Any, Any] | None:
    """The config's value and the written one as two of a kind, or None."""
    if found is None or isinstance(found, bool):
        word = _WORDS.get(text.lower(), _MISSING)
        return (found, word) if type(word) is type(found) else None
    number = _number(text)
    if isinstance(found, str) and number is None:
        return found, text
    if isinstance(found, int | float | str):
        own = _number(found) if isinstance(found, str) else found
        return None if own is None or number is None else (own, number)
    try:
        return found, json.loads(text)
    except ValueError:
        return None


def _number(text: str) -> float | None:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return None
