"""A chart of one recorded scalar: its newest value in the title, mean and envelope over time below."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vaemon.batch import Array, Columns
from vaemon.view.words import number
from vaemon.watch.render.axis import axis_row
from vaemon.watch.render.cells import Row, Span, fit, join, said
from vaemon.watch.render.chart import Plot, chart_rows, not_positive
from vaemon.watch.render.margins import gutter_width
from vaemon.watch.render.smooth import at_ends, smooth
from vaemon.watch.render.span import Pooled, TimeSpan, pool, pool_mean
from vaemon.watch.widgets.data import Numbers, PanelData
from vaemon.watch.widgets.gestures import TimeMouse
from vaemon.watch.widgets.lines import Panel
from vaemon.watch.widgets.marks import event_marks
from vaemon.watch.widgets.pen import Pen
from vaemon.watch.widgets.picture import Picture
from vaemon.watch.widgets.time import ruler_of, span_of

PAGE = 6
"""So many charts are seen at once where there are more."""
NO_COLUMNS = Pooled(np.zeros(0), np.zeros(0), np.zeros(0), np.zeros(0, np.int64))


@dataclass(frozen=True, slots=True)
class Quantity:
    """What a chart shows."""

    channel: str
    name: str
    root_of: str = ""
    """A channel whose square root is drawn beside it, for the two should meet."""
    root_name: str = ""
    level: float | None = None
    """A value that is drawn as a level line: one that it should have, or a bound."""
    level_name: str = "prior"
    """What that value is."""


QUANTITIES = (
    Quantity("gamma", "gamma", root_of="mse", root_name="√MSE"),
    Quantity("mse", "MSE"),
    Quantity("kl", "KL"),
    Quantity("variance_law", "variance law", level=1.0),
    Quantity("loss", "loss"),
    Quantity("lr", "learning rate"),
)


def charted(columns: Columns) -> list[Quantity]:
    """What of a run can be drawn: the usual quantities that it has, then its own scalars; of no run, the usual ones."""
    if not len(columns):
        return list(QUANTITIES)
    usual = [each for each in QUANTITIES if each.channel in columns.low]
    names = {each.channel for each in QUANTITIES}
    return usual + [Quantity(name, name) for name in columns.low if name not in names]


class Chart(Panel, TimeMouse, Numbers, can_focus=True):
    """One quantity of the run over time."""

    def __init__(self, pen: Pen, quantity: Quantity, **options: str | None) -> None:
        """Draw the quantity with `pen`; the options are those of a Textual widget."""
        super().__init__(pen, **options)
        self.quantity = quantity
        self.alone = False
        """Whether the chart stands alone, and has an axis of its own."""
        self._made: tuple[object, Plot, list[Row]] = (None, Plot(NO_COLUMNS), [])

    @property
    def time_cells(self) -> tuple[int, int]:
        """Where the plot begins, and its width."""
        width = self.size.width
        gutter = gutter_width(width)
        return gutter, max(width - gutter, 0)

    def data(self) -> PanelData:
        """The numbers shown."""
        channels = (self.quantity.channel, self.quantity.root_of)
        return PanelData(self.quantity.channel, tuple(each for each in channels if each))

    def columns(self, picture: Picture) -> Columns:
        """The columns that are drawn."""
        return picture.columns

    def history(self, picture: Picture, channel: str) -> tuple[Array, Array]:
        """What stands before the columns that are drawn: means, and how many finite rows are behind each."""
        before = picture.before
        if channel not in before.bad:
            return np.zeros(0), np.zeros(0)
        return before.mean[channel], finite_rows(before, channel)

    def smoothed(self, picture: Picture) -> Array:
        """The smoothed line at the end of each column that is drawn."""
        columns, channel = self.columns(picture), self.quantity.channel
        if channel not in columns.mean:
            return np.zeros(0)
        means, rows = self.history(picture, channel)
        means = np.concatenate([means, columns.mean[channel]])
        rows = np.concatenate([rows, finite_rows(columns, channel)])
        return smooth(means, rows, picture.look.weight)[len(means) - len(columns) :]

    def value(self, picture: Picture, channel: str) -> float | None:
        """The value under the crosshair, else the newest, smoothed; None where there is none.

        Of a line that is drawn smoothed it is that of the line.
        """
        columns, at = self.columns(picture), picture.look.at
        if picture.look.weight and channel == self.quantity.channel and len(columns):
            line = self.smoothed(picture)
            return float(line[columns.place(at) if at is not None else -1]) if len(line) else None
        if at is not None and len(columns):
            column = columns.mean.get(channel)
            return None if column is None else float(column[columns.place(at)])
        return self.newest(picture, channel)

    def newest(self, picture: Picture, channel: str) -> float | None:
        """The newest value, smoothed; None where there is none."""
        latest = picture.view.latest
        if latest is None or (value := latest.smoothed.get(channel)) is None:
            return None
        # What the newest rows do not have is no NaN.
        return None if np.isnan(value) and channel not in latest.scalars else float(value)

    def rows(self, picture: Picture, width: int, height: int) -> Sequence[Row]:
        """Title, plot, and the time axis where the chart stands alone."""
        gutter = gutter_width(width)
        cells = max(width - gutter, 1)
        span = picture.span or span_of(picture, cells)
        # A cell is painted once, when it is complete: as long as none is added, the plot is as it was.
        whole, columns, look = span.whole(cells), self.columns(picture), picture.look
        # A wake is told only once it has held: its mark then belongs into a cell that was painted before.
        seen = (picture.origin, columns.first, columns.width, len(picture.view.events), self.seen(picture))
        drawn = (self.quantity, whole, look.log, look.weight, look.at, seen, self.alone, width, height)
        if self._made[0] != drawn:
            plot = self._plot(picture, whole, cells)
            body = chart_rows(plot, height - 1 - self.alone, width, ascii_only=self.pen.ascii_only)
            self._made = (drawn, plot, body)
        _, plot, body = self._made
        title = self._title(picture, plot, width)
        return [title, *body, time_row(picture, span, gutter, cells)] if self.alone else [title, *body]

    def seen(self, picture: Picture) -> object:
        """What else the plot depends on: it is made anew when that changes."""
        return None

    def latent(self, picture: Picture) -> int | None:
        """The latent it is about; None: all of them."""
        return None

    def level(self, picture: Picture) -> float | None:
        """The value of the level line; None where there is none."""
        return self.quantity.level

    def _plot(self, picture: Picture, span: TimeSpan, cells: int) -> Plot:
        columns, look = self.columns(picture), picture.look
        dots = cells if self.pen.ascii_only else 2 * cells
        at = None if look.at is None else span.cell(columns.place(look.at), dots)
        return Plot(
            pooled=_pooled(columns, self.quantity.channel, span, dots),
            reference=_root(columns, self.quantity.root_of, span, dots),
            level=self.level(picture),
            smoothed=at_ends(self.smoothed(picture), span, dots) if look.weight else None,
            log=look.log,
            at=at,
            marks=event_marks(picture, columns, span, dots, self.latent(picture)),
        )

    def _title(self, picture: Picture, plot: Plot, width: int) -> Row:
        focused = self.has_focus
        head = (said("▸" if focused else " ", "accent", bold=True),)
        parts: list[Row] = [(*head, said(self.quantity.name, "accent" if focused else "muted", bold=focused))]
        parts += [(said(value, bold=True),) for value in self._value(picture)]
        parts += [(span,) for span in self._remarks(picture, plot)]
        return fit(join(parts, said("  "), width), width)

    def _value(self, picture: Picture) -> list[str]:
        value = self.value(picture, self.quantity.channel)
        return [] if value is None else [number(value)]

    def _since(self, picture: Picture) -> str:
        """From which step on values were not finite, as far as the columns tell."""
        columns = self.columns(picture)
        spoilt = np.flatnonzero(columns.bad[self.quantity.channel] > 0)
        if not len(spoilt):
            return ""
        first = int(spoilt[0])
        return f" from step {int(columns.step[first - 1]) + 1 if first else int(columns.step[0]):,} on"

    def _remarks(self, picture: Picture, plot: Plot) -> list[Span]:
        remarks = [said(f"EMA {picture.look.weight:g} a row", "muted")] if picture.look.weight else []
        bad, hidden = int(plot.pooled.bad.sum()), not_positive(plot)
        if bad:
            remarks.append(said(f"{bad:,} not finite{self._since(picture)}", "bad", bold=True))
        if self.quantity.root_of and (square := self.value(picture, self.quantity.root_of)) is not None and square >= 0:
            remarks.append(said(f"{self.quantity.root_name} {number(float(np.sqrt(square)))}", "reference"))
        if (level := self.level(picture)) is not None:
            remarks.append(said(f"{self.quantity.level_name}: {level:g}", "reference"))
        if hidden:
            remarks.append(said(f"{hidden:,} ≤ 0", "warn"))
        return remarks


def put_up(charts: list[Chart], seen: Sequence[Quantity], pen: Pen) -> list[Chart]:
    """Let the charts show these quantities, and be as many; those that are made for it are returned, to be mounted."""
    # Another quantity in the same place, for a widget more or less has Textual paint all of the screen anew.
    for chart, quantity in zip(charts, seen, strict=False):
        chart.quantity = quantity
    new = [Chart(pen, each, classes="-pane") for each in seen[len(charts) :]]
    charts += new
    for place, chart in enumerate(charts):
        chart.set_class(place >= len(seen), "-off")
    return new


class ChartAxis(Panel):
    """The time axis under a pile of charts."""

    def rows(self, picture: Picture, width: int, height: int) -> Sequence[Row]:
        """One row of ticks."""
        gutter = gutter_width(width)
        cells = max(width - gutter, 1)
        return [time_row(picture, picture.span or span_of(picture, cells), gutter, cells)]


def time_row(picture: Picture, span: TimeSpan, gutter: int, cells: int) -> Row:
    """Ticks of the time axis, its name in the gutter."""
    ruler = ruler_of(picture)
    if ruler is None:
        return ()
    name = (said(f"{picture.look.axis:>{gutter - 1}} ", "muted"),) if gutter else ()
    return (*name, *axis_row(ruler, span, cells))


def finite_rows(columns: Columns, channel: str) -> Array:
    """How many finite rows stand behind each column of a scalar, shape (n,)."""
    return columns.width - np.nan_to_num(columns.bad[channel], nan=columns.width)


def _pooled(columns: Columns, channel: str, span: TimeSpan, dots: int) -> Pooled:
    if channel not in columns.mean:
        return NO_COLUMNS
    figures = Pooled(columns.mean[channel], columns.low[channel], columns.high[channel], columns.bad[channel])
    none = np.zeros(len(columns), np.int64)
    return pool(figures, span, dots, columns.width - columns.absent.get(channel, none))


def _root(columns: Columns, channel: str, span: TimeSpan, dots: int) -> Array | None:
    if channel not in columns.mean:
        return None
    square = pool_mean(columns.mean[channel], span, dots)
    return np.sqrt(np.where(square >= 0, square, np.nan))
