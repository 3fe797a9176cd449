"""The latent walls of the runs that are compared, side by side, on one scale and one time axis."""

from collections.abc import Sequence

import numpy as np

from vaemon.batch import Array
from vaemon.view.order import Order, sort_latents
from vaemon.view.state import values
from vaemon.view.words import undefined
from vaemon.watch.render.cells import BLANK, Row, fit, join, said, spread
from vaemon.watch.render.heat import INKS
from vaemon.watch.render.wall import legend
from vaemon.watch.render.walls import wall_grid
from vaemon.watch.widgets.entrants import Entrant, Stretch, entrants, stretch
from vaemon.watch.widgets.lines import Panel
from vaemon.watch.widgets.pen import Pen
from vaemon.watch.widgets.picture import Picture

LEAST = 24
"""Cells that a wall is wide, at least; where they do not fit beside one another, they stand in several rows."""
GAP = 2


class Walls(Panel, can_focus=True):
    """A wall for each run, its latents by wake."""

    def __init__(self, pen: Pen, **options: str | None) -> None:
        """Draw with `pen`; the options are those of a Textual widget."""
        super().__init__(pen, **options)
        self._made: dict[object, list[Row]] = {}

    def rows(self, picture: Picture, width: int, height: int) -> Sequence[Row]:
        """The walls in rows of as many as fit, each under its name and over a time axis."""
        runs = entrants(picture)
        if not runs:
            return [self._title(width)]
        seen = stretch(picture, runs)
        beside = min(max((width + GAP) // (LEAST + GAP), 1), len(runs))
        beside = -(-len(runs) // -(-len(runs) // beside))  # as many in each row
        piles = [runs[i : i + beside] for i in range(0, len(runs), beside)]
        high = (height - 1) // len(piles)
        wide = (width - GAP * (beside - 1)) // beside
        held, self._made = self._made, {}
        rows: list[Row] = [self._title(width)]
        for pile in piles:
            blocks = [self._block(each, seen, wide, high, held) for each in pile]
            rows += [_beside([block[y] for block in blocks], wide) for y in range(high)]
        return rows

    def _title(self, width: int) -> Row:
        mark = said("▸" if self.has_focus else " ", "accent", bold=True)
        name = said("latents by wake", "accent" if self.has_focus else "muted", bold=self.has_focus)
        return spread((mark, name), (*legend(12, shaded=self.pen.shaded), said(" ")), width)

    def _block(self, run: Entrant, seen: Stretch, wide: int, high: int, held: dict[object, list[Row]]) -> list[Row]:
        """One run: its name, its wall, its time axis; exactly `high` rows."""
        if high < 1:
            return []
        name = [_name(run, self.pen.ellipsis(run.run.name, max(wide - 4, 1)), wide)]
        body = max(high - 3, 0)
        axis = [seen.row(0, wide), BLANK][: high - 1]
        order = _order(run)
        key = (run.drawn, order.tobytes(), seen, wide, body)
        self._made[key] = held[key] if key in held else self._strips(run, order, seen, wide, body)
        return [*name, *self._made[key], *axis][:high]

    def _strips(self, run: Entrant, order: Array, seen: Stretch, wide: int, body: int) -> list[Row]:
        variance = run.columns.mean.get("mean_variance", np.zeros((0, 0)))
        if not len(run.columns) or not variance.size or not body:
            words = _why_none(run)
            return [BLANK if y != body // 2 else (said(f"{words:^{wide}}", "muted"),) for y in range(body)]
        edges = seen.drawn(run.edges)
        return wall_grid(edges, variance, order, seen.ends, (body, wide), shaded=self.pen.shaded).rows(INKS)


def _order(run: Entrant) -> Array:
    variance, kl = values(run.view)
    return sort_latents(Order.WAKE, run.view.woke, variance, kl)


def _name(run: Entrant, name: str, wide: int) -> Row:
    who = (said(f"━{run.sign} ", run.ink, bold=True), said(name, bold=run.run.shown))
    count = run.view.latents
    facts = [(said(f"{count} latents", "muted"),), (said(f"{run.view.inactive} inactive", "muted"),)] if count else []
    return fit(join([who, *facts], said("  "), wide), wide)


def _why_none(run: Entrant) -> str:
    if len(run.columns):
        why = undefined(run.view.info, "mean_variance")
        return f"states of latents {why}" if why else "no latents recorded"
    begun = run.view.info is not None and bool(run.view.info.stages)
    return f"no stage {run.stage}" if run.stage and begun else run.run.status.words


def _beside(rows: Sequence[Row], wide: int) -> Row:
    row: Row = ()
    for i, each in enumerate(rows):
        row = (*row, *((said(" " * GAP),) if i else ()), *fit(each, wide))
    return row
