"""In what the configs of several runs differ."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from vaemon.view.words import NOTHING


def flat(config: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Every value under its key; keys of nested ones have dots: {"stage1.lr": 0.001}."""
    found: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, Mapping) and value:
            found |= flat(value, f"{before}{key}.")
        else:
            found[f"{before}{key}"] = value
    return found


def _words(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return json.dumps(value, ensure_ascii=False, default=str)


def differences(configs: Sequence[Mapping[str, Any]]) -> list[tuple[str, tuple[str, ...]]]:
    """The keys whose values are not the same in all configs, each with its values in words, one for each config.

    A config that lacks a key has "–" there. In the order of the first config that has the key.
    """
    known = [{key: _words(value) for key, value in flat(each).items()} for each in configs]
    keys = dict.fromkeys(key for each in known for key in each)
    rows = [(key, tuple(each.get(key, NOTHING) for each in known)) for key in keys]
    return [(key, values) for key, values in rows if len(set(values)) > 1]
