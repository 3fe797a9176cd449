"""The balance of the two terms of the loss: gamma, MSE, KL, variance law, loss, learning rate, large."""

from textual.app import ComposeResult
from textual.widget import Widget

from vaemon.watch.views.grid import GridView
from vaemon.watch.widgets.chart import QUANTITIES, Chart
from vaemon.watch.widgets.pen import Pen


class BalanceView(GridView):
    """Six charts in a grid."""

    DEFAULT_CSS = """
    BalanceView.-seen { layout: grid; grid-size: 2 3; grid-gutter: 0 2; }
    BalanceView.-solo { grid-size: 1 1; }
    """
    first = "Chart"

    def __init__(self, pen: Pen) -> None:
        """Draw with `pen`."""
        super().__init__(pen, [Chart(pen, quantity, classes="-pane") for quantity in QUANTITIES])

    def compose(self) -> ComposeResult:
        """The charts, row by row."""
        yield from self.charts

    def move(self, by: int) -> bool:
        """Go to the chart above or below."""
        shown: list[Widget] = [each for each in self.charts if each.display]
        place = next((i for i, each in enumerate(shown) if each.has_focus), 0)
        shown[min(max(place + by, 0), len(shown) - 1)].focus()
        return True
