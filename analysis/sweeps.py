"""The sweeps among what is asked for: what their members are set to, and which have not begun."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from vaemon.runfile import sweeps
from vaemon.runfile.find import is_run
from vaemon.runfile.selection import settled


class Swept(NamedTuple):
    """What is known of the members of all sweeps that were asked for."""

    groups: Mapping[Path, str]
    """By the folder of each, its sweep and what it is set to, seeds aside: "s · stage1.lr=1e-4"."""
    waiting: Sequence[str]
    """Names of those that have not begun."""


def swept(asked: Sequence[str], runs: Path) -> Swept:
    """The members of the sweeps among some addresses.

    Raises:
        RunFileError: what is noted of a sweep is damaged.
    """
    groups: dict[Path, str] = {}
    waiting: list[str] = []
    for address in asked:
        if not sweeps.is_meant(address, runs):
            continue
        sweep = sweeps.read(address, runs)
        for member in sweep.members:
            groups[settled(runs / member.run)] = " · ".join(filter(None, (sweep.name, member.setting)))
            if not is_run(runs / member.run):
                waiting.append(member.run)
    return Swept(groups, waiting)
