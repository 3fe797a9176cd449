"""One latent, closely: its statistics over time, its events, its rank, and what the decoder makes as it varies."""

from contextlib import AbstractContextManager

from textual.app import ComposeResult
from textual.containers import Vertical

from vaemon.batch import ImageSet
from vaemon.watch.messages import ImagesAsked
from vaemon.watch.views.grid import GridView
from vaemon.watch.widgets.card import LatentCard
from vaemon.watch.widgets.pen import Pen
from vaemon.watch.widgets.picture import Picture
from vaemon.watch.widgets.portrait import PORTRAITS, LatentChart
from vaemon.watch.widgets.traversal import Traversal


class LatentView(GridView):
    """Four charts in a grid, and what is known in words beside or below them; up and down go along the list."""

    DEFAULT_CSS = """
    LatentView.-seen { layout: horizontal; }
    LatentView #charts { width: 1fr; height: 1fr; layout: grid; grid-size: 2 2; grid-gutter: 0 2; }
    LatentView #aside { width: 36; height: 1fr; margin-left: 2; }
    LatentView LatentCard { height: 1fr; }
    LatentView Traversal { height: 40%; display: none; }
    LatentView.-traversed Traversal { display: block; }
    LatentView.-solo #charts { grid-size: 1 1; }
    """
    first = "LatentChart"
    asks_latent = True
    asks_images = True
    lists = "latents"

    def __init__(self, pen: Pen) -> None:
        """Draw with `pen`."""
        super().__init__(pen, [LatentChart(pen, quantity, classes="-pane") for quantity in PORTRAITS])
        self._card = LatentCard(pen)
        self.traversal = Traversal(pen, self._ask)

    def compose(self) -> ComposeResult:
        """Charts first, then the words, and the images where there are some."""
        with Vertical(id="charts"):
            yield from self.charts
        with Vertical(id="aside", classes="-axis"):
            yield self._card
            yield self.traversal

    def _ask(self, which: ImageSet) -> None:
        self.post_message(ImagesAsked(which, self.traversal.take, self.traversal.fail))

    def as_text(self) -> AbstractContextManager[None]:
        """While this lasts, the images are drawn as text."""
        return self.traversal.as_text()

    def show(self, picture: Picture) -> None:
        """Draw what is not up to date."""
        self.set_class(self.traversal.choose_from(picture), "-traversed")
        super().show(picture)

    def move(self, by: int) -> bool:
        """Go to another latent."""
        self._card.move(by)
        return True
