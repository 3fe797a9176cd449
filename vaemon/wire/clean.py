"""Text of strangers, made harmless to a terminal."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

Value = TypeVar("Value")

INSTEAD = "\N{REPLACEMENT CHARACTER}"
"""Stands for a character that a terminal would obey, or that cannot be seen."""


def clean(value: Value) -> Value:
    """The same value, with every character in its texts that is not for print replaced; at any depth.

    Of mappings, sequences and dataclasses; a tab or a new line becomes a space. Whatever has nothing to replace is
    returned itself.
    """
    return _cleaned(value)  # type: ignore[no-any-return]


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        # Members of an enumeration are strings that are known.
        return value if value.isprintable() or type(value) is not str else _printable(value)
    if isinstance(value, Mapping):
        pairs = [(_cleaned(key), _cleaned(each)) for key, each in value.items()]
        same = all(a is b and value[b] is c for (a, c), b in zip(pairs, value, strict=True))
        return value if same else dict(pairs)
    if isinstance(value, list | tuple):
        new = [_cleaned(each) for each in value]
        return value if all(a is b for a, b in zip(value, new, strict=True)) else type(value)(new)
    if is_dataclass(value) and not isinstance(value, type):
        before = {each.name: getattr(value, each.name) for each in fields(value)}
        changed = {name: new for name, old in before.items() if (new := _cleaned(old)) is not old}
        return replace(value, **changed) if changed else value
    return value


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else " " if c in "\t\n\r" else INSTEAD for c in text)
