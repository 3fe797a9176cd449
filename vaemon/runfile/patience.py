"""Questions asked anew whose files were put together while they were answered."""

from collections.abc import Callable
from typing import TypeVar

from vaemon.errors import RunFileError

Answer = TypeVar("Answer")

TRIES = 10
"""How often a question is asked anew."""


class SegmentGone(RunFileError):
    """A file that was there is gone, or has another in its place: segments were put together."""


def patiently(ask: Callable[[], Answer], renew: Callable[[], object] = lambda: None) -> Answer:
    """What `ask` gives; where a file was gone, once more after `renew`. Raises what `ask` raises."""
    for _ in range(TRIES - 1):
        try:
            return ask()
        except SegmentGone:
            renew()
    return ask()
