"""E[σ²] of every latent as a line, and the list of them beside it where the screen is wide."""

from textual.app import ComposeResult

from vaemon.watch.views.view import View
from vaemon.watch.widgets.pen import Pen
from vaemon.watch.widgets.roll import Roll
from vaemon.watch.widgets.trajectories import Trajectories


class TrajectoriesView(View):
    """Up and down go along the list, whether it is in sight or not."""

    DEFAULT_CSS = """
    TrajectoriesView.-seen { layout: horizontal; }
    TrajectoriesView Trajectories { width: 1fr; height: 1fr; }
    TrajectoriesView Roll { width: 24; height: 1fr; margin-left: 1; }
    """
    first = "Trajectories"
    lists = "latents"

    def __init__(self, pen: Pen) -> None:
        """Draw with `pen`."""
        super().__init__(pen)
        self._lines, self._roll = Trajectories(pen, classes="-pane"), Roll(pen, classes="-axis")

    def compose(self) -> ComposeResult:
        """Lines at the left, names at the right."""
        yield self._lines
        yield self._roll

    def move(self, by: int) -> bool:
        """Choose another latent."""
        self._roll.move(by)
        return True
