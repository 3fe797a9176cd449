"""E[σ²] of all listed latents over time, as lines; those singled out are told in words below."""

from collections.abc import Iterator, Sequence

import numpy as np
from textual import events

from vaemon.batch import Array
from vaemon.latents import LatentState, inactive
from vaemon.view.state import values
from vaemon.view.words import number
from vaemon.watch.render.cells import Row, Span, fit, join, said
from vaemon.watch.render.smooth import at_ends, smooth
from vaemon.watch.render.span import TimeSpan, pool_mean
from vaemon.watch.render.trajectories import NAMES, PINNED, QUANTILES, Room, Sheaf, nearest, room_for, sheaf_rows
from vaemon.watch.widgets.chart import time_row
from vaemon.watch.widgets.data import Numbers, PanelData
from vaemon.watch.widgets.gestures import ChosenLatent, TimeMouse
from vaemon.watch.widgets.latent import latent_row
from vaemon.watch.widgets.lines import Panel
from vaemon.watch.widgets.marks import event_marks
from vaemon.watch.widgets.pen import Pen
from vaemon.watch.widgets.picture import Picture
from vaemon.watch.widgets.time import span_of

CHANNEL = "mean_variance"
AROUND = 3
"""Rows taken by title, time axis and the latents singled out."""
NOTHING = Sheaf(np.zeros((0, 0)), np.zeros(0, np.int64), np.zeros(0, np.int8))


class Trajectories(Panel, TimeMouse, Numbers, can_focus=True):
    """The paper's figures 4 to 6, while they happen."""

    def __init__(self, pen: Pen, **options: str | None) -> None:
        """Draw with `pen`; the options are those of a Textual widget."""
        super().__init__(pen, **options)
        self._made: tuple[object, Sheaf, list[Row]] = (None, NOTHING, [])

    @property
    def room(self) -> Room:
        """How the cells of a row are shared out."""
        return room_for(self.size.width, self.picture.view.latents)

    @property
    def time_cells(self) -> tuple[int, int]:
        """Where the plot begins, and its width."""
        room = self.room
        return room.gutter, room.cells

    def rows(self, picture: Picture, width: int, height: int) -> Sequence[Row]:
        """Title, plot, time axis, and the values of the latents singled out."""
        room = room_for(width, picture.view.latents)
        span = picture.span or span_of(picture, max(room.cells, 1))
        shown = _shown(picture)
        drawn = self._drawn(picture, span.whole(max(room.cells, 1)), shown, width, height)
        # A cell is painted once, when it is complete: as long as none is added, the plot is as it was.
        if self._made[0] != drawn:
            sheaf = self._sheaf(picture, span.whole(max(room.cells, 1)), shown, room)
            body = sheaf_rows(sheaf, height - AROUND, room, ascii_only=self.pen.ascii_only)
            self._made = (drawn, sheaf, body)
        _, sheaf, body = self._made
        title = fit(join(list(self._title(picture, sheaf)), said("  "), width), width)
        axis = time_row(picture, span, room.gutter, room.cells)
        return [title, *body, axis, _singled_out(picture, sheaf, width)]

    def _drawn(self, picture: Picture, whole: TimeSpan, shown: Array, width: int, height: int) -> object:
        look, view = picture.look, picture.view
        # Of the states, only a wake is worth painting a line anew at once: the others flicker about their bounds.
        awake = (view.states == LatentState.ACTIVE).tobytes()
        who = (shown.tobytes(), picture.chosen, look.pins, awake, view.thresholds)
        return whole, picture.origin, len(view.events), who, look.log, look.weight, look.at, width, height

    def _sheaf(self, picture: Picture, span: TimeSpan, shown: Array, room: Room) -> Sheaf:
        columns, look = picture.columns, picture.look
        dots = room.cells if self.pen.ascii_only else 2 * room.cells
        variance = columns.mean.get(CHANNEL, np.zeros((0, picture.view.latents)))
        at = None if look.at is None or not len(columns) else span.cell(columns.place(look.at), dots)
        return Sheaf(
            variance=pool_mean(variance[:, shown], span, dots),
            latents=shown,
            states=picture.view.states[shown],
            chosen=picture.chosen,
            pins=look.pins,
            levels=(picture.view.thresholds.inactive, picture.view.thresholds.wake),
            smoothed=self._smoothed(picture, span, shown, dots) if look.weight else None,
            log=look.log,
            at=at,
            marks=event_marks(picture, columns, span, dots),
            absent=_absent(picture, span, dots, shown),
        )

    def _smoothed(self, picture: Picture, span: TimeSpan, shown: Array, dots: int) -> Array:
        columns, before = picture.columns, picture.before
        parts = [each for each in (before, columns) if CHANNEL in each.mean]
        if not parts:
            return np.zeros((0, len(shown)))
        means = np.concatenate([each.mean[CHANNEL][:, shown] for each in parts])
        rows = np.concatenate([np.full(len(each), each.width) for each in parts])
        return at_ends(smooth(means, rows, picture.look.weight)[len(means) - len(columns) :], span, dots)

    def _title(self, picture: Picture, sheaf: Sheaf) -> Iterator[Row]:
        focused, there = self.has_focus, picture.view.latents
        mark = said("▸" if focused else " ", "accent", bold=True)
        yield (mark, said("E[σ²]", "accent" if focused else "muted", bold=focused))
        if not there:
            return
        some = f"{len(picture.order)} of {there}" if len(picture.order) < there else f"{there}"
        yield (said(f"{some} latents", "muted"),)
        at = picture.view.thresholds.inactive
        now, when = _values(picture)
        with np.errstate(invalid="ignore"):
            below = int((np.isfinite(now) & ~inactive(now, at)).sum())
        yield (*when, said(f"{below}", bold=True), said(f" below {at:g}", "muted"))
        if bad := int(sheaf.bad.any(axis=0).sum()):
            yield (said(f"{bad:,} not finite", "bad", bold=True),)
        if weight := picture.look.weight:
            yield (said(f"EMA {weight:g} a row", "muted"),)
        if sheaf.fanned:
            yield (said(f"min, {', '.join(f'{100 * q:.0f}' for q in QUANTILES[1:-1])} %, max", "muted"),)
        if not self.room.margin:
            yield (said(f"{NAMES[0][0]}: {at:g}", "reference"),)

    def data(self) -> PanelData:
        """The variance of all latents."""
        return PanelData("trajectories", (CHANNEL,))

    def on_click(self, event: events.Click) -> None:
        """Choose the latent whose line is nearest."""
        room, height = self.room, self.size.height - AROUND
        x, y = event.screen_x - self.region.x - room.gutter, event.screen_y - self.region.y - 1
        if 0 <= x < room.cells and 0 <= y < height:
            dot = int(x) if self.pen.ascii_only else 2 * int(x)
            latent = nearest(self._made[1], dot, 1.0 - (y + 0.5) / height)
            if latent >= 0:
                self.post_message(ChosenLatent(latent))


def _absent(picture: Picture, span: TimeSpan, dots: int, shown: Array) -> Array | None:
    """In which dot columns no row has the channel, for each latent."""
    columns = picture.columns
    if CHANNEL not in columns.absent:
        return None
    share = pool_mean(columns.absent[CHANNEL][:, shown] / columns.width, span, dots)
    return np.asarray(share == 1.0)


def _shown(picture: Picture) -> Array:
    """The latents that are drawn: those listed, and the chosen one in any case; rising."""
    chosen = picture.chosen
    return np.union1d(picture.order, [chosen] if chosen >= 0 else []).astype(np.int64)


def _values(picture: Picture) -> tuple[Array, Row]:
    """E[σ²] of the listed latents under the crosshair, else the newest, and when that is."""
    columns, at = picture.columns, picture.look.at
    if at is None or not len(columns) or CHANNEL not in columns.mean:
        return values(picture.view)[0][picture.order], ()
    column = columns.place(at)
    return columns.mean[CHANNEL][column, picture.order], (said(f"at step {int(columns.step[column]):,}: ", "muted"),)


def _singled_out(picture: Picture, sheaf: Sheaf, width: int) -> Row:
    """The chosen latent in a row of words, and the value of each pinned one."""
    columns, at = picture.columns, picture.look.at
    now = values(picture.view)[0]
    if at is not None and len(columns) and CHANNEL in columns.mean:
        now = columns.mean[CHANNEL][columns.place(at)]
    pinned = [latent for _, latent in sheaf.singled if latent != picture.chosen and latent < len(now)]
    told: list[Row] = [_pinned(latent, float(now[latent])) for latent in pinned]
    return join([latent_row(picture, picture.chosen, width), *told], said("  "), width)


def _pinned(latent: int, value: float) -> tuple[Span, ...]:
    return (said(f"z{latent} ", PINNED, bold=True), said(number(value), "muted"))
