"""Several grids of samples beside and below each other. Pure: sizes to places, rows to rows."""

from collections.abc import Sequence
from typing import NamedTuple

from vaemon.watch.render.cells import BLANK, Row, Span, fit
from vaemon.watch.render.pixels import HALVES, Grain, Plan, plan

GAP = 2
"""Cells between two tiles."""
TITLE = 1
"""Rows of a tile that are no picture."""
EDGE = 1
"""Cells left of a picture."""

Sizes = tuple[int, int, int]
"""How many samples, and their height and width."""


class Tiling(NamedTuple):
    """Tiles of one size."""

    tiles: int
    across: int
    width: int
    """Cells a tile."""
    height: int
    """Rows a tile, its title included."""

    def plan(self, sizes: Sizes, grain: Grain) -> Plan | None:
        """How a tile lays samples out."""
        return plan(*sizes, self.width - EDGE, self.height - TITLE, grain)

    def join(self, tiles: Sequence[Sequence[Row]]) -> list[Row]:
        """The tiles, row by row of them."""
        rows: list[Row] = []
        for first in range(0, len(tiles), self.across):
            line = tiles[first : first + self.across]
            rows += [self._beside([each[y] if y < len(each) else BLANK for each in line]) for y in range(self.height)]
        return rows

    def _beside(self, parts: Sequence[Row]) -> Row:
        row: Row = ()
        for part in parts:
            row = (*row, Span(" " * GAP), *fit(part, self.width)) if row else fit(part, self.width)
        return row


def tile(sizes: Sequence[Sizes], width: int, height: int, grain: Grain = HALVES) -> Tiling | None:
    """Places for grids of samples, for as many of the first ones as can be made out.

    Of all ways to lay them out the one that shows most samples, and of these the one that shows them largest.

    Args:
        sizes: of the samples of each grid.
        width: cells at hand.
        height: rows at hand.
        grain: the pixels of the screen.

    Returns:
        None where not even the first one fits.
    """
    for count in range(len(sizes), 0, -1):
        made = [_tiling(count, across, width, height) for across in range(1, count + 1)]
        best = max(made, key=lambda each: _worth(each, sizes[:count], grain))
        _, least = _worth(best, sizes[:count], grain)
        if least >= grain.least or (count == 1 and least >= 1):
            return best
    return None


def _tiling(count: int, across: int, width: int, height: int) -> Tiling:
    down = -(-count // across)
    return Tiling(count, across, (width - GAP * (across - 1)) // across, height // down)


def _worth(tiling: Tiling, sizes: Sequence[Sizes], grain: Grain) -> tuple[int, int]:
    """Samples that can be made out, and the pixels of the smallest of them."""
    plans = [(tiling.plan(each, grain), each[0]) for each in sizes]
    least = min((max(made.height, made.width) if made is not None else 0) for made, _ in plans)
    shown = sum(made.shown(count) for made, count in plans if made is not None) if least >= grain.least else 0
    return shown, least
