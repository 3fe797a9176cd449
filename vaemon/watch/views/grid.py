"""What views that are charts in a grid have in common."""

from collections.abc import Sequence

from textual.widget import Widget

from vaemon.watch.views.view import View
from vaemon.watch.widgets.chart import Chart
from vaemon.watch.widgets.pen import Pen

ACROSS = 2
"""Charts side by side."""
LOW = 9
"""Rows below which a chart has no time axis of its own, but for those at the foot."""


class GridView(View):
    """Charts of one time axis, which each has below it where there is room."""

    def __init__(self, pen: Pen, charts: Sequence[Chart]) -> None:
        """Draw with `pen`; the charts row by row."""
        super().__init__(pen)
        self.charts = list(charts)

    @property
    def seen(self) -> list[Chart]:
        """The charts that there is something to draw for."""
        return [chart for chart in self.charts if not chart.has_class("-off")]

    def on_resize(self) -> None:
        """Give time axes to those that have room for it."""
        self._share_axis()

    def enlarge(self, panel: Widget | None) -> None:
        """Give one panel all of the room."""
        super().enlarge(panel)
        self._share_axis()

    def _share_axis(self) -> None:
        seen = self.seen
        low = self.size.height < LOW * len(seen) / ACROSS
        for place, chart in enumerate(seen):
            chart.alone = not low or place >= len(seen) - ACROSS or chart is self.solo
