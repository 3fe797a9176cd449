"""One latent, closely: its variance, KL, mean and second moment over time, its events, its rank."""

from textual.app import ComposeResult
from textual.containers import Vertical

from vaemon.watch.views.grid import GridView
from vaemon.watch.widgets.card import LatentCard
from vaemon.watch.widgets.pen import Pen
from vaemon.watch.widgets.portrait import PORTRAITS, LatentChart


class LatentView(GridView):
    """Four charts in a grid, and what is known in words beside or below them; up and down go along the list."""

    DEFAULT_CSS = """
    LatentView.-seen { layout: horizontal; }
    LatentView #charts { width: 1fr; height: 1fr; layout: grid; grid-size: 2 2; grid-gutter: 0 2; }
    LatentView LatentCard { width: 36; height: 1fr; margin-left: 2; }
    LatentView.-solo #charts { grid-size: 1 1; }
    """
    first = "LatentChart"
    asks_latent = True
    lists = "latents"

    def __init__(self, pen: Pen) -> None:
        """Draw with `pen`."""
        super().__init__(pen, [LatentChart(pen, quantity, classes="-pane") for quantity in PORTRAITS])
        self._card = LatentCard(pen, classes="-axis")

    def compose(self) -> ComposeResult:
        """Charts first, then the words."""
        with Vertical(id="charts"):
            yield from self.charts
        yield self._card

    def move(self, by: int) -> bool:
        """Go to another latent."""
        self._card.move(by)
        return True
