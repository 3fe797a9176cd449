"""From `--set lr=2e-4,1e-4 --seeds 3` to the trainings that this means, each with a telling name."""

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from trainer.config import Config
from trainer.settings import full_key, resolve
from vaemon.errors import UsageError
from vaemon.runfile.sweeps import Member


def members_of(name: str, preset: Config, given: Iterable[str], seeds: int, data: str | None) -> list[Member]:
    """The trainings of a sweep; each config is checked.

    Args:
        name: of the sweep, with which every run's name begins.
        preset: what is trained.
        given: "key=value,value…"; the last word of a key will do, and means the first stage's where both have it.
        seeds: trainings of each setting, with the seeds 0, 1, …
        data: as of `vaemon train`.

    Raises:
        UsageError: a key or value is wrong, or a setting is there twice.
    """
    axes = [_axis(each) for each in given]
    keys = [key for key, _ in axes]
    if twice := [key for key, count in Counter(keys).items() if count > 1]:
        raise UsageError(f"{twice[0]} is set twice; give its values in one: --set {twice[0]}=1,2")
    if "seed" in keys:
        raise UsageError("a sweep takes its seeds from --seeds, not from --set seed=…")
    varied = [key for key, values in axes if len(values) > 1]
    short = _short_names(varied)
    found = []
    for values in itertools.product(*(values for _, values in axes)):
        chosen = dict(zip(keys, values, strict=True))
        words = "".join(f"-{short[key]}{_filed(chosen[key])}" for key in varied)
        setting = " ".join(f"{key}={chosen[key]}" for key in varied)
        for seed in range(seeds):
            settings = [*(f"{key}={value}" for key, value in chosen.items()), f"seed={seed}"]
            resolve(preset, settings, data)
            run = f"{name}{words}-seed{seed}"
            found.append(Member(run=run, setting=setting, seed=seed, settings=settings))
    _refuse_namesakes(found)
    return found


def _axis(given: str) -> tuple[str, list[str]]:
    key, equals, text = given.partition("=")
    values = [value.strip() for value in _split(text)]
    if not equals or not all(values):
        raise UsageError(f"--set takes key=value, or key=value,value,… as in lr=2e-4,1e-4, not {given!r}")
    if len(set(values)) < len(values):
        raise UsageError(f"--set {given} has a value twice")
    return full_key(key.strip()), values


def _split(text: str) -> list[str]:
    """At commas, but for those within a list: "[8,4],[16]" is two."""
    return re.split(r",(?![^\[]*\])", text)


def _short_names(keys: Sequence[str]) -> dict[str, str]:
    last = Counter(key.rpartition(".")[2] for key in keys)
    return {key: key if last[key.rpartition(".")[2]] > 1 else key.rpartition(".")[2] for key in keys}


def _filed(value: str) -> str:
    return re.sub(r"[^A-Za-z0-9._+-]+", "_", value)


def _refuse_namesakes(members: Sequence[Member]) -> None:
    name, count = Counter(each.run for each in members).most_common(1)[0]
    if count > 1:
        raise UsageError(f"two trainings of the sweep would be named {name!r}; values must differ in letters or digits")
