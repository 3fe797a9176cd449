"""Which of several processes this one is, as torchrun says it in the environment. Knows no torch."""

import os
from dataclasses import dataclass

from vaemon.errors import UsageError

_HOW = "torchrun sets it; one process alone wants WORLD_SIZE unset"


@dataclass(frozen=True, slots=True)
class Place:
    """Which of how many processes this one is."""

    rank: int = 0
    count: int = 1
    local: int = 0
    """Among those of this machine: the number of its GPU."""


def place_here() -> Place:
    """Of this process, by $WORLD_SIZE, $RANK and $LOCAL_RANK; alone where the first is not set, or is 1.

    Raises:
        UsageError: one of them is missing or no number that it can be, or so is where to meet the others.
    """
    count = _number("WORLD_SIZE", 1, 2**31, "1")
    if count == 1:
        return Place()
    place = Place(_number("RANK", 0, count - 1), count, _number("LOCAL_RANK", 0, count - 1, "0"))
    if not os.environ.get("MASTER_ADDR"):
        raise UsageError(f"MASTER_ADDR is not set, the machine where {count} processes are to meet; {_HOW}")
    _number("MASTER_PORT", 1, 65535)
    return place


def _number(name: str, least: int, most: int, default: str = "") -> int:
    text = os.environ.get(name) or default
    try:
        number = int(text)
    except ValueError:
        number = least - 1
    if not least <= number <= most:
        told = f"{name}={text} must be a whole number from {least} to {most}" if text else f"{name} is not set"
        raise UsageError(f"{told}; {_HOW}")
    return number
