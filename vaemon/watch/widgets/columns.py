"""Lists of runs as columns: how wide each is, which of them fit, and where a text stands in its own.

The first column is the name, which is always there and cut to its width by whoever draws it; the second is the state,
the only other one that begins at the left.
"""

from collections.abc import Sequence
from typing import NamedTuple

STATE = 1
"""The place of the state."""
GAP = 2
"""Cells before each column."""


class Layout(NamedTuple):
    """The columns of a list at one size."""

    widths: Sequence[int]
    kept: Sequence[int]
    """Those after the name that fit, from left to right."""

    def set(self, line: Sequence[str], column: int) -> str:
        """What a line says in a column, with the gap before it."""
        text, width = line[column], self.widths[column]
        return " " * GAP + (f"{text:<{width}}" if column == STATE else f"{text:>{width}}")


def lay_out(
    heads: Sequence[str], lines: Sequence[Sequence[str]], name: int, room: int, places: Sequence[int] = ()
) -> Layout:
    """The columns that fit beside the names.

    Args:
        heads: the heading of each, what says most first: where there is no room for one it is left out.
        lines: what the runs say in each.
        name: cells of the first.
        room: cells for all of them.
        places: the columns after the name from left to right; empty: in the order of `heads`.
    """
    widths = [name, *(max(len(line[i]) for line in (heads, *lines)) for i in range(1, len(heads)))]
    fits, taken = set(), name
    for i, width in enumerate(widths[1:], start=1):
        if taken + width + GAP <= room:
            taken += width + GAP
            fits.add(i)
    return Layout(widths, [i for i in places or range(1, len(heads)) if i in fits])
