"""What a config is made of: a preset, `--set`, `--data`; and what is said of a wrong key or value.

Knows no torch, so that a typo is answered at once.
"""

import json
import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect

from trainer.catalogue import Layer, layers
from trainer.config import KEYS, Config, Tree, differences, flattened, nested, thresholds_of, to_tree
from trainer.options import check_options, refuse_foreign, with_company, without_effect
from vaemon.errors import RunFileError, UnknownName, UsageError, nearest

SHORT = {"data": "data.name", "network": "network.name", "balance": "balance.name"}
"""A section's own name stands for its choice: `--set balance=computed`."""

GAMMA = "balance.gamma"
"""Sets balance.gamma_squared, to its square."""

DATA = {"data.path": ""}
"""What --data sets."""

COLUMN = 36
"""Width of a printed key and value, before the comment that says where the value comes from."""

ALL_KEYS = "`vaemon train PRESET --show` lists them all"


def load_preset(name: str, quick: bool = False) -> Config:
    """The preset of that name, or what a TOML file says where `name` ends in .toml.

    Args:
        name: of the preset, or the file.
        quick: in its variant for a laptop.

    Raises:
        UnknownName: there is no such preset, or it has a key or a choice that does not exist.
        UsageError: the file cannot be read, has no such variant, or a value is wrong.
    """
    return config_of(layers(name, quick))


def config_of(found: Iterable[Layer]) -> Config:
    """The config that layers make, each over the ones before it; raises as `config_from` does."""
    flat: Tree = {}
    for layer in found:
        flat |= with_company(layer.values)
    _check_keys(flat)  # here, too: a value where a table should be cannot be nested
    return config_from(nested(flat))


def config_from(tree: Mapping[str, Any]) -> Config:
    """A config from nested tables; what they leave out keeps its default.

    Raises:
        UnknownName: a key, or a choice, does not exist.
        UsageError: a value is wrong; the key and what it takes are named.
    """
    _check_keys(flattened(tree))
    try:
        config = msgspec.convert(tree, Config)
    except msgspec.ValidationError as error:
        raise _explained(str(error), tree) from error
    thresholds_of(config)
    return config


def config_kept(tree: Mapping[str, Any], path: Path) -> Config:
    """The config that a file of a run keeps.

    Raises:
        RunFileError: it has a key, a choice or a value that this vaemon does not know.
    """
    try:
        return config_from(tree)
    except UsageError as error:
        raise RunFileError(
            f"{path} keeps a config that this vaemon cannot read ({error}); use the vaemon that made the run, or begin "
            "a new one"
        ) from error


def with_settings(config: Config, settings: Iterable[str]) -> Config:
    """The config after `key=value` settings, the later ones winning.

    Raises:
        UnknownName: a key, or a choice, does not exist; the nearest is named.
        UsageError: not `key=value`, or a value is wrong.
    """
    flat = flattened(to_tree(config))
    touched = read_settings(settings)
    changed = config_from(nested(flat | touched))
    refuse_foreign(changed, touched)
    return changed


def read_settings(settings: Iterable[str]) -> Tree:
    """Values by dotted key of `key=value` settings, the later ones winning; raises as `with_settings` does."""
    values: Tree = {}
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals:
            raise UsageError(f"--set takes key=value, as in stage1.epochs=3, not {setting!r}")
        key, value = _read_setting(full_key(key.strip()), text.strip())
        values[key] = value
    _check_keys(values)
    return with_company(values)


def full_key(key: str) -> str:
    """The key that its last word means, or a section's name; the first stage's where both have it.

    What means no key comes back as it is.

    Raises:
        UsageError: it may mean several.
    """
    if key in KEYS or key in SHORT:
        return SHORT.get(key, key)
    meant = sorted(each for each in (*KEYS, GAMMA) if each.rpartition(".")[2] == key)
    if len(meant) > 1 and not meant[0].startswith("stage1."):
        raise UsageError(f"--set {key}=… may mean {' or '.join(meant)}; say which")
    return meant[0] if meant else key


def absolute(path: str | Path) -> str:
    """A path, wherever one will be; a home of nobody is a name like others."""
    return str(Path(os.path.expanduser(path)).absolute())


def resolve(config: Config, settings: Iterable[str] = (), data: str | Path | None = None) -> Config:
    """The config after `--set` and `--data`, checked as a whole; its data path is absolute.

    Raises:
        UsageError: see `with_settings`; or values that do not go together.
    """
    config = with_settings(config, settings)
    path = str(data) if data is not None else config.data.path
    if path:
        path = absolute(path)
    config = msgspec.structs.replace(config, data=msgspec.structs.replace(config.data, path=path))
    check_options(config)
    return config


def resolve_resumed(old: Config, settings: Iterable[str] = (), data: str | Path | None = None) -> Config:
    """The config with which a run goes on.

    Raises:
        UsageError: a setting would make another run of it.
    """
    config = resolve(old, settings, data)
    changed = differences(old, config)
    if changed:
        told = ", ".join(f"{key}={was}" for key, (was, _) in changed.items())
        raise UsageError(
            f"{', '.join(changed)} cannot change when a run goes on (this run has {told}); "
            "leave out --resume to begin a new run"
        )
    return config


def origins(found: Iterable[Layer], settings: Iterable[str] = (), data: str | Path | None = None) -> dict[str, str]:
    """Where the value of each key comes from, in words, given what `resolve` was given."""
    known = dict.fromkeys(KEYS, "default")
    for layer in (*found, Layer("--set", read_settings(settings)), Layer("--data", {} if data is None else DATA)):
        known |= dict.fromkeys(with_company(layer.values), layer.origin)
    return known


def to_toml(config: Config, whence: Mapping[str, str] | None = None) -> str:
    """The config as dotted TOML lines, which `load_preset` reads back from a file.

    Args:
        config: all of it.
        whence: where the value of each key comes from, for a comment, which tells of those without effect, too.
    """
    lines = {
        key: f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in flattened(to_tree(config)).items()
    }
    if whence is None:
        return "".join(f"{line}\n" for line in lines.values())
    idle = without_effect(config)
    told = {key: whence[key] + (f", no effect with {idle[key]}" if key in idle else "") for key in lines}
    return "".join(f"{line:{COLUMN}}  # {' '.join(told[key].split())}\n" for key, line in lines.items())


def _check_keys(keys: Iterable[str]) -> None:
    for key in keys:
        if key not in KEYS:
            raise UnknownName("config key", key, (*KEYS, GAMMA), ALL_KEYS, _by_last_word(key))


def _by_last_word(key: str) -> str | None:
    """The key whose last word is most like one that has no section; None where it has, or none is."""
    words = {each.rpartition(".")[2]: each for each in sorted(KEYS, reverse=True)}  # of two stages, the first
    near = None if "." in key else nearest(key, words)
    return near and words[near]


def _read_setting(key: str, text: str) -> tuple[str, Any]:
    if key == GAMMA:
        gamma = _read_value(text, inspect.FloatType())
        if not isinstance(gamma, int | float) or not gamma > 0:
            raise UsageError(f"balance.gamma must be a number above 0, not {text!r}")
        return "balance.gamma_squared", float(f"{gamma**2:.15g}")  # for people: .1 squared is .010000000000000002
    return key, _read_value(text, KEYS.get(key, inspect.AnyType()))


def _read_value(text: str, kind: inspect.Type) -> Any:
    # A shell has no types: words stay words where words are wanted, and .5 is a number though TOML says no.
    if isinstance(kind, inspect.StrType | inspect.LiteralType):
        return text
    for read in (int, float, _read_toml_value):
        try:
            return read(text)
        except (ValueError, RecursionError):
            continue
    return text


def _read_toml_value(text: str) -> Any:
    return tomllib.loads(f"value = {text}")["value"]


def _explained(message: str, tree: Mapping[str, Any]) -> UsageError:
    """The complaint of msgspec as one of ours: the dotted key, what it takes, what was given."""
    path = message.rpartition("`$.")[2]
    key = path.partition("`")[0].partition("[")[0]
    if key not in KEYS:  # dots where there should be tables, or the other way round
        return UsageError(f"this is no config: {message[:200]}")
    kind, value = KEYS[key], flattened(tree).get(key)
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
