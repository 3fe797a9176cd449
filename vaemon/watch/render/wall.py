"""The latent wall: which latents stand in which row, and the rows themselves. Pure: arrays and sizes to rows."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from vaemon.latents import LatentState
from vaemon.view.words import STATE_WORDS
from vaemon.watch.render import heat
from vaemon.watch.render.cells import Grid, Ink, Row, Span, said
from vaemon.watch.render.glyphs import STATE
from vaemon.watch.render.levels import SHADES
from vaemon.watch.render.span import TimeSpan, pool_strict

Array = npt.NDArray[Any]

THICKEST = 3
"""Rows of text that one latent takes at most."""
LEAST_LABEL = 6
"""Cells that the name of the time axis takes, which stands below the labels."""
VALUE = 4
"""Cells of a variance: "0.05"."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """A row of text of the wall: one latent, or two, one above the other."""

    latents: tuple[int, ...]
    part: int = 0
    """Which row of its latent this is."""
    rows: int = 1
    """How many rows its latent takes. The lower half of the last of several is left free, to part it from the next."""

    @property
    def edge(self) -> bool:
        """Whether this is the last row of several."""
        return self.rows > 1 and self.part == self.rows - 1


def arrange(order: Sequence[int], height: int, *, single: bool) -> list[Shelf]:
    """Shelves for all latents, in that order, for a wall `height` rows high.

    Where there is room, a latent takes up to `THICKEST` rows, the first ones one more than the others if that fills
    the wall; where there is not, the first ones have a row of their own and the others share; where even that is
    too much, all share and the wall is scrolled.

    Args:
        order: the latents.
        height: rows of text at hand.
        single: never two in a row (a shade cannot be halved); the wall is scrolled sooner.
    """
    count = len(order)
    if count and height >= count:
        rows, more = divmod(min(height, THICKEST * count), count)
        more = _unless_few(more, count)
        return [shelf for place, latent in enumerate(order) for shelf in _thick(latent, rows + (place < more))]
    alone = count if single else _unless_few(2 * height - count, count)
    shelves = [Shelf((latent,)) for latent in order[:alone]]
    return shelves + [Shelf(tuple(order[i : i + 2])) for i in range(alone, count, 2)]


def _unless_few(taller: int, count: int) -> int:
    # A few that are taller than the rest would only look odd.
    return taller if taller >= count / 4 else 0


def _thick(latent: int, rows: int) -> list[Shelf]:
    return [Shelf((latent,), part, rows) for part in range(rows)]


def heat_grid(shelves: Sequence[Shelf], variance: Array, span: TimeSpan, cells: int, *, shaded: bool) -> Grid:
    """The strips of the shelves, a row each, in the inks of `heat.INKS`.

    Args:
        shelves: the visible ones.
        variance: E[σ²] of each column of the run, shape (n, k).
        span: the time axis.
        cells: width of the strips.
        shaded: by density instead of colour.
    """
    empty = np.zeros((len(shelves), cells), np.int64)
    grid = Grid(empty + ord(" "), empty + heat.INKS.index(Ink()))
    if not grid.codes.size or not variance.shape[1]:
        return grid
    span = span.whole(cells)
    first = np.array([shelf.latents[0] for shelf in shelves])
    if shaded:
        return heat.shaded(pool_strict(variance[:, first], span, cells), cells)
    other = np.array([shelf.latents[-1] for shelf in shelves])
    # Both halves of a row that is not the only one of its latent show that latent, in the time steps of its edge.
    shared = np.array([len(shelf.latents) > 1 or (shelf.rows > 1 and not shelf.edge) for shelf in shelves])
    edge = np.array([shelf.edge for shelf in shelves])

    def levels(chosen: Array, width: int) -> Array:
        return heat.levels(pool_strict(variance[:, chosen], span, width), width)

    def put(where: Array, part: Grid) -> None:
        grid.codes[where], grid.inks[where] = part

    if shared.any():
        put(shared, heat.stacked(levels(first[shared], cells), levels(other[shared], cells)))
    if edge.any():
        put(edge, heat.edged(levels(first[edge], cells)))
    if not (alone := ~(shared | edge)).any():
        return grid
    put(alone, heat.sided(levels(first[alone], 2 * cells)))
    return grid


def label_width(shelves: Sequence[Shelf], count: int) -> int:
    """Cells of the labels at the left: a mark, an index, a second index where shelves are shared, a gap."""
    digits = len(str(max(count - 1, 0)))
    shared = any(len(shelf.latents) > 1 for shelf in shelves)
    return max(1 + digits + 1 + (digits + 1 if shared else 0), LEAST_LABEL)


def label_row(shelf: Shelf, chosen: int, pins: Collection[int], width: int, count: int) -> Row:
    """The indices of a shelf's latents, the chosen one and the pinned ones marked."""
    digits = len(str(max(count - 1, 0)))
    if shelf.part:
        return (said(" " * width),)
    spans = [said("▸" if chosen in shelf.latents else " ", "accent", bold=True)]
    spans.append(said(" " * (width - 1 - len(shelf.latents) * (digits + 1))))
    for latent in shelf.latents:
        colour = "accent" if latent == chosen else "reference" if latent in pins else "muted"
        spans.append(said(f"{latent:>{digits}}", colour, bold=colour != "muted"))
        spans.append(said("◆" if latent in pins else " ", "reference"))
    return tuple(spans)


def value_width(shelves: Sequence[Shelf], wide: bool) -> int:
    """Cells of the values at the right: a gap, a value and a sign a latent, and its state where there is room."""
    shared = any(len(shelf.latents) > 1 for shelf in shelves)
    alone = any(len(shelf.latents) == 1 for shelf in shelves)
    one = 1 + VALUE + 2
    return max(one + VALUE + 3 if shared else 0, one + 10 if alone and wide else one)


def value_row(shelf: Shelf, variance: Array, kl: Array, states: Array, width: int) -> Row:
    """The values of a shelf's latents, and their states by sign and, where there is room, by word."""
    told = tuple((shown(float(variance[each])), int(states[each])) for each in shelf.latents)
    latent = shelf.latents[0]
    nats = f"{kl[latent]:.2f}" if shelf.part and np.isfinite(kl[latent]) else ""
    return _value_row(told, nats, shelf.part, width)


@lru_cache(maxsize=4096)
def _value_row(told: tuple[tuple[str, int], ...], nats: str, part: int, width: int) -> Row:
    # Most rows stay as they are from one tick to the next.
    roomy = len(told) == 1 and width >= 1 + VALUE + 2 + 10
    if part:
        text = f" KL {nats} nats" if roomy and part == 1 and nats else ""
        return (said(f"{text:<{width}}", "muted"),)
    state = LatentState(told[0][1])
    spans: list[Span] = []
    for text, each in told:
        word = STATE_WORDS[LatentState(each)]
        spans += [said(f" {text:>{VALUE}} "), said(STATE[LatentState(each)], word)]
    if roomy:
        spans.append(said(f" {STATE_WORDS[state]:<9}", STATE_WORDS[state]))
    return tuple(spans)


def shown(variance: float) -> str:
    """A variance in `VALUE` cells."""
    return f"{variance:.2f}"[:VALUE] if np.isfinite(variance) else "NaN"


@lru_cache(maxsize=8)
def legend(cells: int, *, shaded: bool) -> Row:
    """What the colours mean: the scale from awake to asleep in `cells` cells, or the shades."""
    if shaded:
        spans = [said(sign, f"shade{i}") for i, sign in enumerate(SHADES)]
        return (said("E[σ²] 0 ", "muted"), *spans, said(" 1", "muted"))
    values = (np.arange(2 * cells) + 0.5) / (2 * cells)
    scale = heat.sided(heat.levels(values[:, None], 2 * cells)).rows(heat.INKS)[0]
    return (said("E[σ²] 0 ", "muted"), *scale, said(" 1", "muted"))
