"""The presets: TOML files that come with the trainer, or one's own.

Besides the keys of a config a file may have `about` (a sentence for people), `base` (the preset that it differs from)
and `quick` (a table of keys for a laptop). Whether the values make sense is for trainer/settings.py to say.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from trainer.config import flattened
from vaemon.errors import UnknownName, UsageError

OWN = ("about", "base", "quick")
"""Keys of a file that are none of a config."""
QUICK = "--quick"


@dataclass(frozen=True, slots=True)
class Layer:
    """Values of one origin; later layers win."""

    origin: str
    """Where they come from, for people: `preset cifar10`, `mine.toml`, `--quick`."""
    values: dict[str, Any]
    """By dotted key."""


def presets() -> list[str]:
    """The names of the presets that come with the trainer."""
    return sorted(each.name.removesuffix(".toml") for each in _folder().iterdir() if each.name.endswith(".toml"))


def about(name: str) -> str:
    """What a preset that comes with the trainer is, in a sentence."""
    return str(_read_preset(name)["about"])


def layers(name: str, quick: bool = False) -> list[Layer]:
    """What a preset sets, the one that all others are built on first.

    Args:
        name: of a preset, or a TOML file where it ends in .toml.
        quick: add the variant for a laptop.

    Raises:
        UnknownName: there is no such preset.
        UsageError: the file cannot be read, or has no quick variant.
    """
    chain = _chain(name)
    found = [Layer(origin, flattened(_without(tree, OWN))) for origin, tree in chain]
    if quick:
        found.append(Layer(QUICK, _quick(name, [tree for _, tree in chain])))
    return found


def _chain(name: str) -> list[tuple[str, dict[str, Any]]]:
    if name.endswith(".toml"):
        path = Path(os.path.expanduser(name))
        found = [(path.name, _read_file(path))]
    else:
        found = [(f"preset {name}", _read_preset(name))]
    while "base" in found[0][1]:
        # Only a preset can be a base, and those that come with the trainer run in no circle.
        base = str(found[0][1]["base"])
        found.insert(0, (f"preset {base}", _read_preset(base)))
    return found


def _quick(name: str, trees: list[dict[str, Any]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for tree in trees:
        table = tree.get("quick", {})
        if not isinstance(table, Mapping):
            raise UsageError(f"quick, in {name}, must be a table of keys, as in [quick] and stage1.epochs = 3")
        values |= flattened(table)
    if not values:
        raise UsageError(f"{name} has no table [quick], which would say what --quick sets; --set sets single keys")
    return values


def _without(tree: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: value for key, value in tree.items() if key not in keys}


def _folder() -> Traversable:
    return resources.files("trainer").joinpath("presets")


def _read_preset(name: str) -> dict[str, Any]:
    if name not in presets():
        raise UnknownName("preset", name, presets())
    return tomllib.loads(_folder().joinpath(f"{name}.toml").read_text(encoding="utf-8"))


def _read_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{path} is not TOML: {error}") from error
