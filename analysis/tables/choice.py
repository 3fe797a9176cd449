"""Which of the runs a table is of: those that --only takes, and those of one data set."""

from collections.abc import Sequence

from analysis.tables.members import Member
from vaemon.errors import UsageError
from vaemon.view.conditions import parse_condition
from vaemon.view.config import differences

ONLY = "--only"
_MANY = 12
"""Runs that a message names, at most."""
_ASIDE = ("seed", "device", "threads", "data.path", "preset", "checkpoint.")
"""What trainings of one setting may differ in: where they ran, not what they did."""


def only(found: Sequence[Member], condition: str | None) -> list[Member]:
    """The runs that meet a condition on what they ended with, as `vaemon watch --until` writes one.

    Raises:
        UsageError: it is no condition, or no run meets it.
        UnknownName: it compares what no run has.
    """
    if condition is None:
        return list(found)
    asked = parse_condition(condition, ONLY)
    asked.check({name for member in found for name in _facts(member)}, ONLY)
    chosen = [member for member in found if asked.holds(_facts(member))]
    if not chosen:
        names = dict.fromkeys(each.name for each in asked.comparisons)
        told = [f"{member.name} ({', '.join(_said(member, name) for name in names)})" for member in found[:_MANY]]
        rest = f" and {len(found) - _MANY} more" if len(found) > _MANY else ""
        raise UsageError(f"{ONLY} {condition!r} fits none of: {', '.join(told)}{rest}")
    return chosen


def _facts(member: Member) -> dict[str, float]:
    state = str(member.info.state)
    return {
        **{each: float(each == state) for each in ("waiting", "running", "finished", "stopped", "failed", "crashed")},
        "over": float(member.info.state.over),
        **member.final,
    }


def _said(member: Member, name: str) -> str:
    value = _facts(member).get(name)
    return f"{name} {'not known' if value is None else f'{value:g}'}"


def of_one_data_set(found: Sequence[Member], paper: str) -> tuple[list[Member], bool, list[str]]:
    """The runs of the paper's data set; where there are none, all, if they are of one other.

    A run that does not say what it was trained on is taken to belong to the others.

    Returns:
        The runs; whether the paper's figures belong beside them; and what is to be said of it.

    Raises:
        UsageError: they are of several other data sets.
    """
    of = {member.name: str(member.setting("data", "name") or paper) for member in found}
    fitting = [member for member in found if of[member.name] == paper]
    others = sorted(set(of.values()) - {paper})
    if fitting and others:
        left = ", ".join(f"{name} ({data})" for name, data in of.items() if data != paper)
        return fitting, True, [f"Left out, for the table is of {paper}: {left}."]
    if len(others) > 1:
        raise UsageError(f"the runs are of different data sets ({', '.join(others)}); name those of one")
    if others:
        return (
            list(found),
            False,
            [f"The paper's figures are left out: they are of {paper}, these runs of {others[0]}."],
        )
    return fitting, True, []


def unlike(groups: Sequence[Sequence[Member]]) -> list[str]:
    """What is to be said of lines whose runs, a group for each line, were not set up alike, but for the seed."""
    keys: dict[str, None] = {}
    for group in groups:
        rendered = all(member.setting("data", "name") == "shapes" for member in group)
        aside = (*_ASIDE, "images.") if rendered else _ASIDE  # rendered by the seed, of which the other keys tell
        configs = [member.info.config for member in group]
        keys |= {key: None for key, _ in differences(configs) if not key.startswith(aside)}
    if not keys:
        return []
    named = list(keys)[:6] + (["…"] if len(keys) > 6 else [])
    return [f"Some lines are means over runs that differ in more than the seed: {', '.join(named)}."]
