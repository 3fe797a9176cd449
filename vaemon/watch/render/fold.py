"""The latent wall folded: strips that stand for several latents each, so that all of them fit the height. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from vaemon.latents import LatentState
from vaemon.view.words import STATE_WORDS
from vaemon.watch.render.cells import Row, Span, fit, said
from vaemon.watch.render.glyphs import STATE
from vaemon.watch.render.wall import LEAST_LABEL, VALUE, Shelf, shown

Array = npt.NDArray[Any]

_ACTIVE = STATE_WORDS[LatentState.ACTIVE]


@dataclass(frozen=True, eq=False, slots=True)
class Fold:
    """Which latents each strip stands for: first those that have one of their own, then groups of one size."""

    order: Array
    """The latents, the first at the top, (m,)."""
    alone: int
    """So many of the first have a strip, and a row, of their own."""
    each: int
    """Latents of a group, a power of two: then groups merge in pairs where there are more, or the wall is lower."""

    def __len__(self) -> int:
        return self.alone + -(-(len(self.order) - self.alone) // self.each)

    @property
    def starts(self) -> Array:
        """The place in the order at which each strip begins, (strips,)."""
        return np.concatenate([np.arange(self.alone), np.arange(self.alone, len(self.order), self.each)])

    @property
    def sizes(self) -> Array:
        """How many latents each strip stands for, (strips,)."""
        return np.diff(self.starts, append=len(self.order))

    @property
    def key(self) -> object:
        """Equal where two folds are."""
        return self.order.tobytes(), self.alone, self.each

    def latents(self, strip: int) -> Array:
        """The latents of a strip."""
        begin = self.place(strip)
        return self.order[begin : begin + (1 if strip < self.alone else self.each)]

    def place(self, strip: int) -> int:
        """The place in the order at which a strip begins."""
        return strip if strip < self.alone else self.alone + (strip - self.alone) * self.each

    def strip(self, latent: int) -> int:
        """The strip of a latent; -1 where it has none."""
        places = np.flatnonzero(self.order == latent)
        if not len(places):
            return -1
        place = int(places[0])
        return place if place < self.alone else self.alone + (place - self.alone) // self.each

    def name(self, strip: int) -> str:
        """The places of a strip's latents in the order, counted from 1: "#17-32"."""
        begin, size = self.place(strip), len(self.latents(strip))
        return f"#{begin + 1}-{begin + size}" if size > 1 else f"#{begin + 1}"

    def shelves(self, *, single: bool) -> list[Shelf]:
        """The rows of the wall, of strips in the place of latents; `single`: never two strips in a row."""
        beside = 1 if single else 2
        rest = [tuple(range(i, min(i + beside, len(self)))) for i in range(self.alone, len(self), beside)]
        return [Shelf((strip,)) for strip in range(self.alone)] + [Shelf(strips) for strips in rest]

    def mean(self, values: Array) -> Array:
        """The mean over each strip's latents: (..., k) to (..., strips); NaN where any of them is."""
        listed = values.take(self.order, axis=-1)
        many = (len(self.order) - self.alone) // self.each
        whole = self.alone + many * self.each
        # Groups of one size in one sum: five times as fast as one with its bounds.
        groups = listed[..., self.alone : whole].reshape(*listed.shape[:-1], many, self.each).mean(axis=-1)
        rest = [listed[..., whole:].mean(axis=-1, keepdims=True)] if whole < len(self.order) else []
        return np.concatenate([listed[..., : self.alone], groups, *rest], axis=-1)

    def count(self, which: Array) -> Array:
        """How many of each strip's latents something holds for: (k,), bool, to (strips,)."""
        return np.asarray(np.add.reduceat(which[self.order].astype(np.int64), self.starts))


def fold(order: Array, height: int, pinned: int, *, single: bool) -> Fold | None:
    """Strips for all latents in a wall `height` rows high; None where each can have its own, or there is no room.

    Args:
        order: the latents.
        height: rows of text at hand.
        pinned: so many of the first are pinned: each keeps a row of its own, unless they took over a quarter of all.
        single: never two strips in a row.
    """
    beside = 1 if single else 2
    if height < 1 or len(order) <= height * beside:
        return None
    alone = pinned if pinned <= height // 4 else 0
    strips = (height - alone) * beside
    return Fold(order, alone, 1 << (-(-(len(order) - alone) // strips) - 1).bit_length())


def strip_label_width(folded: Fold, count: int) -> int:
    """Cells of the labels at the left, of a run of `count` latents: a mark, a place in the order, a gap."""
    return max(1 + 1 + max(len(str(len(folded.order))), len(str(max(count - 1, 0)))) + 1, LEAST_LABEL)


def strip_label_row(shelf: Shelf, folded: Fold, chosen: int, pins: frozenset[int], width: int) -> Row:
    """Where in the order a row begins, or the latent that has it alone; the row of the chosen strip is marked."""
    mark = said("▸" if chosen in shelf.latents else " ", "accent", bold=True)
    colour = "accent" if chosen in shelf.latents else "muted"
    first = shelf.latents[0]
    if first < folded.alone:
        latent = int(folded.order[first])
        colour = colour if colour == "accent" else "reference"
        sign = said("◆" if latent in pins else " ", "reference")
        return (mark, said(f"{latent:>{width - 2}}", colour, bold=True), sign)
    return (mark, said(f"{f'#{folded.place(first) + 1}':>{width - 2}} ", colour, bold=colour == "accent"))


def strip_value_width(folded: Fold, shelves: Sequence[Shelf], total: bool) -> int:
    """Cells of the values at the right; `total`: how many latents a strip has is told, too."""
    return max((len(shelf.latents) for shelf in shelves), default=1) * _cell(folded, total)


def _cell(folded: Fold, total: bool) -> int:
    digits = len(str(folded.each))
    return 1 + VALUE + 1 + digits + (1 + digits if total else 0)


def strip_value_row(
    shelf: Shelf, folded: Fold, mean: Array, active: Array, states: Array, chosen: int, width: int, total: bool
) -> Row:
    """Mean and number of active latents of each strip of a row: "0.43●  5/16"; a single latent's state.

    Args:
        shelf: the row, of strips.
        folded: what they stand for.
        mean: E[σ²] of each strip, (strips,).
        active: how many of its latents are active, (strips,).
        states: `LatentState` of each latent, (k,).
        chosen: the strip that is chosen.
        width: cells at hand.
        total: whether to tell how many latents a strip has.
    """
    spans: list[Span] = []
    digits, sizes = len(str(folded.each)), folded.sizes
    for strip in shelf.latents:
        spans.append(said(f" {shown(float(mean[strip])):>{VALUE}}", bold=strip == chosen))
        if sizes[strip] == 1:
            state = LatentState(int(states[folded.latents(strip)[0]]))
            spans.append(said(f"{STATE[state]:<{_cell(folded, total) - 1 - VALUE}}", STATE_WORDS[state]))
            continue
        count = f"{STATE[LatentState.ACTIVE]}{int(active[strip]):>{digits}}"
        spans.append(said(count, _ACTIVE if active[strip] else "muted"))
        spans += [said(f"/{int(sizes[strip]):<{digits}}", "muted")] if total else []
    return fit(tuple(spans), width)
