"""Text of strangers, made harmless to a terminal."""

from typing import Any, TypeVar

from vaemon.wire.deep import changed

Value = TypeVar("Value")

INSTEAD = "\N{REPLACEMENT CHARACTER}"
"""Stands for a character that a terminal would obey, or that cannot be seen."""


def clean(value: Value) -> Value:
    """The same value, with every character in its texts that is not for print replaced; at any depth.

    Of mappings, lists, tuples, dataclasses and structs; white space of any kind becomes a space. Whatever has nothing
    to replace is returned itself.
    """
    return changed(value, _printable)  # type: ignore[no-any-return]


def _printable(value: Any) -> Any:
    # Members of an enumeration are strings that are known.
    if type(value) is not str or value.isprintable():
        return value
    return "".join(c if c.isprintable() else " " if c.isspace() else INSTEAD for c in value)
