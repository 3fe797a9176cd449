"""E[σ²] of all latents over time, as lines (Asperti & Trentin 2020, figs 4-6). Pure: arrays and a size to rows.

A line has the colour of its latent's state, the wakest on top, and those that a person has singled out above all.
Of very many latents only quantiles are drawn, as a fan, and those singled out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from vaemon.latents import LatentState
from vaemon.thresholds import DEFAULT
from vaemon.view.words import STATE_WORDS
from vaemon.watch.render.axis import Scale
from vaemon.watch.render.braille import ASCII, BRAILLE, Dots, Layer, Mask, band, dashes, draw, line, lines
from vaemon.watch.render.cells import Row, Span, cut, fit, length, said
from vaemon.watch.render.margins import (
    Marks,
    bad_marks,
    feet,
    gutter_of,
    gutter_width,
    place,
    row_of,
    tick_labels,
    upright,
)

Array = npt.NDArray[Any]

MOST_LINES = 256
"""Of more latents than this, quantiles are drawn."""
QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
LINEAR, LOG = Scale(0.0, 1.0), Scale(0.003, 1.0, log=True)
"""The axis is the same for every run; what is beyond its ends is drawn at them."""
CHOSEN, PINNED = "cursor", "good"
"""Colours of the latents singled out."""
NAMES = (("inactive", "reference", "reference"), ("awake", "muted", "faint"))
"""What lies beyond each level line, with the colours of name and line."""
LOG_TICKS = (1.0, 0.1, 0.03, 0.01, 0.003)

_MARKS = {LatentState.COLLAPSED: ".", LatentState.LIMBO: "o", LatentState.WAKING: "+", LatentState.ACTIVE: "*"}
_NAMED = 60
"""From this width on, the levels are named at the right."""


@dataclass(frozen=True, eq=False, slots=True)
class Sheaf:
    """What is drawn; arrays have one value a dot column, the painted ones only."""

    variance: Array
    """E[σ²], shape (n, k); NaN where it is not known."""
    latents: Array
    """Which latent each column of it is, (k,)."""
    states: Array
    """`LatentState` of each, (k,)."""
    chosen: int = -1
    """The latent that a person has chosen; -1: none."""
    pins: frozenset[int] = frozenset()
    levels: tuple[float, float] = (DEFAULT.inactive, DEFAULT.wake)
    """Where a latent is inactive, and where awake."""
    smoothed: Array | None = None
    """The lines where they are smoothed, shape (n, k)."""
    log: bool = False
    at: int | None = None
    """Dot column of the crosshair."""
    marks: Marks = ()
    """Dot columns of events, each with its colour; drawn at the foot."""
    absent: Array | None = None
    """Where no row has the value, (n, k): that is not bad; None: nowhere."""

    @property
    def bad(self) -> Array:
        """Where the value is not finite, (n, k)."""
        strange = ~np.isfinite(self.variance)
        return strange if self.absent is None else strange & ~self.absent

    @property
    def drawn(self) -> Array:
        """The lines as they are drawn, (n, k)."""
        return self.variance if self.smoothed is None else self.smoothed

    @property
    def fanned(self) -> bool:
        """Whether there are too many latents for a line each."""
        return len(self.latents) > MOST_LINES

    @property
    def singled(self) -> list[tuple[int, int]]:
        """The pinned latents and, last, the chosen one: its column, and which it is."""
        listed = self.latents.tolist()
        picked = [(i, each) for i, each in enumerate(listed) if each in self.pins and each != self.chosen]
        return picked + [(i, each) for i, each in enumerate(listed) if each == self.chosen]


class Room(NamedTuple):
    """How the cells of a row are shared out."""

    gutter: int
    cells: int
    margin: int
    """Cells right of the plot, for the names of levels and of the latents singled out."""


def room_for(width: int, latents: int) -> Room:
    """The room in a row of that width, of a run with so many latents."""
    gutter = gutter_width(width)
    margin = len(f"z{max(latents - 1, 0)}") + 1 if gutter else 0
    if width >= _NAMED:
        margin = max(margin, *(len(name) + 1 for name, _, _ in NAMES))
    margin = margin if width - gutter > 2 * margin else 0
    return Room(gutter, max(width - gutter - margin, 0), margin)


def sheaf_rows(sheaf: Sheaf, height: int, room: Room, *, ascii_only: bool) -> list[Row]:
    """The plot between its ticks and its names: `height` rows, each as wide as the room."""
    if height < 1 or room.cells < 1:
        return []
    dots = ASCII if ascii_only else BRAILLE
    scale = LOG if sheaf.log else LINEAR
    places = _places(sheaf.drawn, scale)
    rows = draw(_layers(sheaf, places, scale, height, room.cells, dots), height, room.cells, dots)
    labels = tick_labels(scale, height, dots, _ticks(sheaf.levels, scale, height)) if room.gutter else {}
    names = {
        row_of(place(scale, level), height, dots): said(f" {name}", ink)
        for level, (name, ink, _) in zip(sheaf.levels, NAMES, strict=True)
    }
    tags = _tags(sheaf, places, height, dots) if room.margin else {}
    after = -(-len(places) // dots.across)
    return [
        (
            *gutter_of(labels.get(y, ""), room.gutter),
            *_tagged((*row, *_margin(names.get(y), room.margin)), tags.get(y), after),
        )
        for y, row in enumerate(rows)
    ]


def quantiles(values: Array, at: Sequence[float]) -> Array:
    """Quantiles of each row's finite values, linear between neighbours; NaN where there is none.

    Args:
        values: shape (n, k).
        at: which, 0 to 1.

    Returns:
        Shape (n, len(at)).
    """
    count = np.isfinite(values).sum(axis=1, keepdims=True)
    if not values.shape[1]:
        return np.full((len(values), len(at)), np.nan)
    rising = np.sort(np.where(np.isfinite(values), values, np.inf), axis=1)  # in place of the gaps, the largest
    rank = np.array(at) * np.maximum(count - 1, 0)
    below = np.floor(rank).astype(np.int64)
    above = np.minimum(below + 1, np.maximum(count - 1, 0))
    low, high = (np.take_along_axis(rising, each, axis=1) for each in (below, above))
    known = np.where(count > 0, low, np.nan)
    return np.asarray(known + (rank - below) * (np.where(count > 0, high, np.nan) - known))


def nearest(sheaf: Sheaf, dot: int, y: float) -> int:
    """The latent whose line is nearest to a place (0 at the bottom, 1 at the top) in a dot column; -1 without one."""
    if not 0 <= dot < len(sheaf.variance):
        return -1
    far = np.abs(_places(sheaf.drawn[dot], LOG if sheaf.log else LINEAR) - y)
    return int(sheaf.latents[np.nanargmin(far)]) if np.isfinite(far).any() else -1


def _places(variance: Array, scale: Scale) -> Array:
    inside = np.clip(np.where(np.isfinite(variance), variance, np.nan), scale.low, scale.high)
    return scale.place(inside)


def _ticks(levels: Sequence[float], scale: Scale, height: int) -> list[float]:
    """The levels and the ends first; then what is round."""
    if scale.log:
        return [*levels, *LOG_TICKS]
    most = 10 if height >= 24 else 5 if height >= 12 else 2
    return [*levels, 1.0, 0.0, *(i / most for i in range(1, most))]


def _layers(sheaf: Sheaf, places: Array, scale: Scale, height: int, cells: int, dots: Dots) -> list[Layer]:
    size = (height, cells, dots)
    inactive, awake = (
        Layer(dashes(place(scale, level), *size), ink, "-")
        for level, (_, _, ink) in zip(sheaf.levels, NAMES, strict=True)
    )
    cross = [] if sheaf.at is None else [Layer(upright(sheaf.at, *size), "cursor", "|")]
    if sheaf.fanned:
        body = [awake, *_fan(places, *size), inactive]
    else:
        body = [awake, *_bundles(sheaf, places, *size), inactive]
    bad = bad_marks(np.count_nonzero(sheaf.bad, axis=1), *size)
    # The line of the inactive lies above those that hang about it, for they would hide it.
    singled = _singled(sheaf, places, *size)
    return [*feet(sheaf.marks, *size), *body, *cross, *singled, Layer(bad, "bad", "x")]


def _bundles(sheaf: Sheaf, places: Array, height: int, cells: int, dots: Dots) -> Iterator[Layer]:
    for state, mark in _MARKS.items():
        own = sheaf.states == state
        if own.any():
            yield Layer(lines(places[:, own], height, cells, dots), STATE_WORDS[state], mark)


def _fan(places: Array, height: int, cells: int, dots: Dots) -> Iterator[Layer]:
    """Quantiles: the outermost as lines, those between as bands, the denser the further in."""
    size = (height, cells, dots)
    low, p5, p25, median, p75, p95, high = quantiles(places, QUANTILES).T
    yield Layer(lines(np.stack([low, high], axis=1), *size), "muted", ",")
    yield Layer(_sparse(band(p5, p95, *size)), "band", ".")
    yield Layer(band(p25, p75, *size), "band", ":")
    yield Layer(line(median, *size), "line", "=")


def _singled(sheaf: Sheaf, places: Array, height: int, cells: int, dots: Dots) -> Iterator[Layer]:
    own = places[:, [column for column, _ in sheaf.singled]]
    for values, (_, latent) in zip(own.T, sheaf.singled, strict=True):
        ink, mark = (CHOSEN, "#") if latent == sheaf.chosen else (PINNED, "@")
        yield Layer(line(values, height, cells, dots), ink, mark, bold=True)


def _sparse(mask: Mask) -> Mask:
    rows, columns = np.indices(mask.shape)
    return np.asarray(mask & ((rows + columns) % 2 == 0))


def _tags(sheaf: Sheaf, places: Array, height: int, dots: Dots) -> dict[int, Span]:
    """The names of the latents singled out, by the row where each line ends, or the nearest that is free."""
    tags: dict[int, Span] = {}
    for column, latent in reversed(sheaf.singled):
        known = places[np.isfinite(places[:, column]), column]
        if len(known) and len(tags) < height:
            end = row_of(float(known[-1]), height, dots)
            row = min((y for y in range(height) if y not in tags), key=lambda y: (abs(y - end), y))
            tags[row] = said(f"z{latent}", CHOSEN if latent == sheaf.chosen else PINNED, bold=True)
    return tags


def _margin(name: Span | None, width: int) -> Row:
    return fit((name,), width) if name is not None and length((name,)) <= width else fit((), width)


def _tagged(row: Row, tag: Span | None, after: int) -> Row:
    """The row with the tag one cell after the last one painted."""
    if tag is None:
        return row
    width, size = length(row), len(tag.text)
    begin = max(min(after + 1, width - size), 0)
    return fit((*cut(row, 0, begin), tag, *cut(row, begin + size, width)), width)
