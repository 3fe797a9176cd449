"""The balance of the two terms of the loss, and what else a training records of its own, large."""

from textual.app import ComposeResult

from vaemon.watch.views.grid import GridView
from vaemon.watch.widgets.chart import PAGE, QUANTITIES, Chart, charted, put_up
from vaemon.watch.widgets.pen import Pen
from vaemon.watch.widgets.picture import Picture


class BalanceView(GridView):
    """Charts in a grid, six of them at a time: those of the usual quantities that there are, then the others."""

    DEFAULT_CSS = """
    BalanceView.-seen { layout: grid; grid-size: 2; grid-rows: 1fr; grid-gutter: 0 2; }
    BalanceView.-solo { grid-size: 1; }
    BalanceView Chart.-off { display: none; }
    """
    first = "Chart"

    def __init__(self, pen: Pen) -> None:
        """Draw with `pen`."""
        super().__init__(pen, [Chart(pen, quantity, classes="-pane") for quantity in QUANTITIES])
        self._page = 0

    def compose(self) -> ComposeResult:
        """The charts, row by row."""
        yield from self.charts

    def show(self, picture: Picture) -> None:
        """Draw what is not up to date."""
        drawn = charted(picture.columns)
        self._page = self._page if self._page * PAGE < len(drawn) else 0
        if self.is_attached and (new := put_up(self.charts, drawn[self._page * PAGE :][:PAGE], self.pen)):
            self.mount(*new)
        super().show(picture)

    def turn(self) -> None:
        """Show the next six charts, where there are more."""
        self._page += 1

    def move(self, by: int) -> bool:
        """Go to the chart above or below."""
        shown = [each for each in self.charts if each.display]
        place = next((i for i, each in enumerate(shown) if each.has_focus), 0)
        shown[min(max(place + by, 0), len(shown) - 1)].focus()
        return True
