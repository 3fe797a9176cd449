"""Values changed at any depth."""

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

import msgspec


def changed(value: Any, change: Callable[[Any], Any]) -> Any:
    """A value with `change` applied to all it is made of that is no mapping, list, tuple, dataclass or struct.

    Whatever has nothing to change is returned itself.
    """
    if isinstance(value, Mapping):
        pairs = [(changed(key, change), changed(each, change)) for key, each in value.items()]
        same = all(a is b and c is d for (a, c), (b, d) in zip(pairs, value.items(), strict=True))
        return value if same else dict(pairs)
    if isinstance(value, list | tuple):
        new = [changed(each, change) for each in value]
        return value if all(a is b for a, b in zip(value, new, strict=True)) else type(value)(new)
    if isinstance(value, msgspec.Struct):
        parts = _changed_parts(value, value.__struct_fields__, change)
        return msgspec.structs.replace(value, **parts) if parts else value
    if is_dataclass(value) and not isinstance(value, type):
        parts = _changed_parts(value, [each.name for each in fields(value)], change)
        return replace(value, **parts) if parts else value
    return change(value)


def _changed_parts(value: Any, names: tuple[str, ...] | list[str], change: Callable[[Any], Any]) -> dict[str, Any]:
    before = {name: getattr(value, name) for name in names}
    return {name: new for name, old in before.items() if (new := changed(old, change)) is not old}
