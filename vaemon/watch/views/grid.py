"""What views that are charts in a grid have in common."""

from collections.abc import Sequence

from vaemon.watch.views.view import View
from vaemon.watch.widgets.chart import Chart
from vaemon.watch.widgets.pen import Pen
from vaemon.watch.widgets.picture import Picture

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

    def show(self, picture: Picture) -> None:
        """Draw what is not up to date, with time axes where there is room for them."""
        self._share_axis()
        super().show(picture)

    def _share_axis(self) -> None:
        seen = self.seen
        low = self.size.height < LOW * len(seen) / ACROSS
        for place, chart in enumerate(seen):
            chart.alone = not low or place >= len(seen) - ACROSS or chart is self.solo
