"""A chart in which several runs lie over one another."""

from collections.abc import Sequence

import numpy as np

from vaemon.batch import Array
from vaemon.watch.render.cells import Row, fit, join, said
from vaemon.watch.render.margins import gutter_width
from vaemon.watch.render.overlay import TAIL, Curve, Overlay, overlay_rows, resample
from vaemon.watch.render.smooth import smooth
from vaemon.watch.widgets.chart import QUANTITIES, Quantity, finite_rows
from vaemon.watch.widgets.entrants import Entrant, Stretch, entrants, stretch
from vaemon.watch.widgets.gestures import TimeMouse
from vaemon.watch.widgets.lines import Panel
from vaemon.watch.widgets.pen import Pen
from vaemon.watch.widgets.picture import Picture

LOW = 7
"""Below so many rows a chart has no time axis of its own."""
COUNTED = ("active", "inactive")
COMPARED = (
    Quantity("active", "active latents"),
    *(each for each in QUANTITIES if each.channel in ("mse", "kl", "gamma", "variance_law")),
    Quantity("inactive", "inactive latents"),
)


class OverlayChart(Panel, TimeMouse, can_focus=True):
    """One quantity of all runs that are compared."""

    def __init__(self, pen: Pen, quantity: Quantity, **options: str | None) -> None:
        """Draw the quantity with `pen`; the options are those of a Textual widget."""
        super().__init__(pen, **options)
        self.quantity = quantity
        self.lowest = False
        """Whether it stands lowest, so that its time axis is there for those above it that are too low for one."""
        self._counted: dict[object, Array] = {}
        self._made: tuple[object, list[Row], int] = (None, [], 0)
        self._extent = 0

    @property
    def time_cells(self) -> tuple[int, int]:
        """Where the lines begin, and the width of that of the run which is shown."""
        return self._gutter, self._extent

    @property
    def _gutter(self) -> int:
        return gutter_width(self.size.width)

    def rows(self, picture: Picture, width: int, height: int) -> Sequence[Row]:
        """Title, lines, time axis."""
        runs = entrants(picture)
        seen, look = stretch(picture, runs), picture.look
        cells = max(width - self._gutter - TAIL, 1)
        shown = next((each for each in runs if each.run.shown and len(each.columns)), None)
        self._extent = min(max(seen.cell(float(shown.edges[-1]), cells), 1), cells) if shown is not None else 0
        axis = self.lowest or height >= LOW
        drawn = (tuple((each.drawn, each.run.shown) for each in runs), seen, look.log, look.weight, width, height)
        if self._made[0] != drawn:
            self._made = (drawn, *self._draw(runs, seen, picture, height - 1 - axis, width))
        _, body, bad = self._made
        return [self._title(bad, width), *body, *([seen.row(self._gutter, cells)] if axis else [])]

    def _draw(
        self, runs: list[Entrant], seen: Stretch, picture: Picture, height: int, width: int
    ) -> tuple[list[Row], int]:
        dots = max(width - self._gutter - TAIL, 1) * (1 if self.pen.ascii_only else 2)
        counted, self._counted, look = self._counted, {}, picture.look
        curves, bad, crossed = [], np.zeros(dots, bool), 0
        for each in sorted(runs, key=lambda each: each.run.shown):
            values = self._values(each, counted)
            if values is None or not len(values):
                continue
            edges, raw = seen.drawn(each.edges), None
            if look.weight and self.quantity.channel not in COUNTED:
                raw = resample(edges, values, *seen.ends, dots)
                values = smooth(values, finite_rows(each.columns, self.quantity.channel), look.weight)
            curves.append(Curve(resample(edges, values, *seen.ends, dots), each.sign, each.ink, raw))
            strange = each.columns.bad.get(self.quantity.channel)
            if strange is not None and (count := int(strange.sum())):
                crossed += count
                share = resample(edges, strange.astype(np.float64), *seen.ends, dots)
                bad[: len(share)] |= share > 0
        overlay = Overlay(
            curves=tuple(curves),
            level=self.quantity.level,
            log=look.log and self.quantity.channel not in COUNTED,
            at=None if seen.at is None else seen.cell(seen.at, dots),
            bad=bad,
        )
        return overlay_rows(overlay, height, width, ascii_only=self.pen.ascii_only), crossed

    def _values(self, run: Entrant, counted: dict[object, Array]) -> Array | None:
        if self.quantity.channel not in COUNTED:
            return run.columns.mean.get(self.quantity.channel)
        if not run.view.latents:
            return None
        held = counted.get(run.drawn)
        self._counted[run.drawn] = run.counted(self.quantity.channel) if held is None else held
        return self._counted[run.drawn]

    def _title(self, bad: int, width: int) -> Row:
        focused = self.has_focus
        mark = said("▸" if focused else " ", "accent", bold=True)
        name = self.quantity.name + self._rule()
        parts: list[Row] = [(mark, said(name, "accent" if focused else "muted", bold=focused))]
        if bad:
            parts.append((said(f"{bad:,} not finite", "bad", bold=True),))
        if self.quantity.level is not None:
            parts.append((said(f"{self.quantity.level_name}: {self.quantity.level:g}", "reference"),))
        return fit(join(parts, said("  "), width), width)

    def _rule(self) -> str:
        at = self.picture.view.thresholds
        return {"active": f" (E[σ²] < {at.wake:g})", "inactive": f" (E[σ²] ≥ {at.inactive:g})"}.get(
            self.quantity.channel, ""
        )
