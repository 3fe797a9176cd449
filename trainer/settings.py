"""Where a config comes from: presets, TOML files, `--set`; and what is said of a wrong key or value.

Knows no torch, so that a typo is answered at once.
"""

import json
import tomllib
from collections.abc import Iterable, Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect

from trainer.config import KEYS, MAY_CHANGE, Config, flattened, nested, thresholds_of, to_tree
from trainer.options import check_options, refuse_foreign
from vaemon.errors import UnknownName, UsageError

SHORT = {"data": "data.name", "network": "network.name", "balance": "balance.name"}
"""A section's own name stands for its choice: `--set balance=computed`."""

ALL_KEYS = "`vaemon train PRESET --show` lists them all"


def presets() -> list[str]:
    """The names of the presets that come with the trainer."""
    return sorted(each.name.removesuffix(".toml") for each in _folder().iterdir() if each.name.endswith(".toml"))


def load_preset(name: str) -> Config:
    """The preset of that name, or what a TOML file says where `name` ends in .toml.

    Raises:
        UnknownName: there is no such preset, or it has a key or a choice that does not exist.
        UsageError: the file cannot be read, or a value is wrong.
    """
    if name.endswith(".toml"):
        return config_from(_read_toml(Path(name).expanduser()))
    if name not in presets():
        raise UnknownName("preset", name, presets())
    return config_from(tomllib.loads(_folder().joinpath(f"{name}.toml").read_text(encoding="utf-8")))


def config_from(tree: Mapping[str, Any]) -> Config:
    """A config from nested tables; what they leave out keeps its default.

    Raises:
        UnknownName: a key, or a choice, does not exist.
        UsageError: a value is wrong; the key and what it takes are named.
    """
    for key in flattened(tree):
        if key not in KEYS:
            raise UnknownName("config key", key, KEYS, ALL_KEYS)
    try:
        config = msgspec.convert(tree, Config)
    except msgspec.ValidationError as error:
        raise _explained(str(error), tree) from error
    thresholds_of(config)
    return config


def with_settings(config: Config, settings: Iterable[str]) -> Config:
    """The config after `key=value` settings, the later ones winning.

    Raises:
        UnknownName: a key, or a choice, does not exist; the nearest is named.
        UsageError: not `key=value`, or a value is wrong.
    """
    flat = flattened(to_tree(config))
    touched = set()
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals:
            raise UsageError(f"--set takes key=value, as in stage1.epochs=3, not {setting!r}")
        key, value = _read_setting(SHORT.get(key.strip(), key.strip()), text.strip())
        if key not in KEYS:
            raise UnknownName("config key", key, KEYS, ALL_KEYS)
        flat[key] = value
        touched.add(key)
    changed = config_from(nested(flat))
    refuse_foreign(changed.balance, touched)
    return changed


def resolve(config: Config, settings: Iterable[str] = (), data: str | Path | None = None) -> Config:
    """The config after `--set` and `--data`, checked as a whole; its data path is absolute.

    Raises:
        UsageError: see `with_settings`; or values that do not go together.
    """
    config = with_settings(config, settings)
    path = str(data) if data is not None else config.data.path
    if path:
        path = str(Path(path).expanduser().absolute())
    config = msgspec.structs.replace(config, data=msgspec.structs.replace(config.data, path=path))
    check_options(config)
    return config


def resolve_resumed(old: Config, settings: Iterable[str] = (), data: str | Path | None = None) -> Config:
    """The config with which a run goes on.

    Raises:
        UsageError: a setting would make another run of it.
    """
    config = resolve(old, settings, data)
    before, after = flattened(to_tree(old)), flattened(to_tree(config))
    changed = [key for key in KEYS if before[key] != after[key] and key not in MAY_CHANGE]
    if changed:
        raise UsageError(
            f"{', '.join(changed)} cannot change when a run goes on (this run has {changed[0]}={before[changed[0]]}); "
            "leave out --resume to begin a new run"
        )
    return config


def to_toml(config: Config) -> str:
    """The config as dotted TOML lines, which `load_preset` reads back from a file."""
    lines = flattened(to_tree(config)).items()
    return "".join(f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in lines)


def _folder() -> Traversable:
    return resources.files("trainer").joinpath("presets")


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not TOML: {error}") from error


def _read_setting(key: str, text: str) -> tuple[str, Any]:
    if key == "balance.gamma":
        gamma = _read_value(text, inspect.FloatType())
        if not isinstance(gamma, int | float) or not gamma > 0:
            raise UsageError(f"balance.gamma must be a number above 0, not {text!r}")
        return "balance.gamma_squared", gamma**2
    return key, _read_value(text, KEYS.get(key, inspect.AnyType()))


def _read_value(text: str, kind: inspect.Type) -> Any:
    # A shell has no types: words stay words where words are wanted, and .5 is a number though TOML says no.
    if isinstance(kind, inspect.StrType | inspect.LiteralType):
        return text
    for read in (int, float, _read_toml_value):
        try:
            return read(text)
        except ValueError:
            continue
    return text


def _read_toml_value(text: str) -> Any:
    return tomllib.loads(f"value = {text}")["value"]


def _explained(message: str, tree: Mapping[str, Any]) -> UsageError:
    """The complaint of msgspec as one of ours: the dotted key, what it takes, what was given."""
    path = message.rpartition("`$.")[2]
    key = path.partition("`")[0].partition("[")[0]
    kind, value = KEYS[key], flattened(tree)[key]
    if isinstance(kind, inspect.LiteralType) and isinstance(value, str):
        return UnknownName(key, value, map(str, kind.values))
    return UsageError(f"{key} must be {_wanted(kind)}, not {value!r}")


def _wanted(kind: inspect.Type) -> str:
    if isinstance(kind, inspect.VarTupleType):
        return f"a list, each {_wanted(kind.item_type)}, as in [256, 64]"
    if isinstance(kind, inspect.BoolType):
        return "true or false"
    if isinstance(kind, inspect.IntType | inspect.FloatType):
        words = ["a whole number" if isinstance(kind, inspect.IntType) else "a number"]
        if kind.ge is not None:
            words.append(f"from {kind.ge:g} on")
        if kind.gt is not None:
            words.append(f"above {kind.gt:g}")
        if kind.lt is not None:
            words.append(f"and below {kind.lt:g}")
        if kind.le is not None:
            words.append(f"and at most {kind.le:g}")
        return " ".join(words)
    if isinstance(kind, inspect.LiteralType):
        return "one of " + ", ".join(map(str, kind.values))
    return "text"
