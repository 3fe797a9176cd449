"""The epoch table, as large as the view."""

from textual.app import ComposeResult

from vaemon.watch.views.view import View
from vaemon.watch.widgets.evaluations import Evaluations
from vaemon.watch.widgets.pen import Pen


class EvaluationsView(View):
    """Rows up and down, columns aside."""

    DEFAULT_CSS = """
    EvaluationsView Evaluations { height: 1fr; }
    """
    first = "Evaluations"

    def __init__(self, pen: Pen) -> None:
        """Draw with `pen`."""
        super().__init__(pen)
        self._table = Evaluations(pen, classes="-pane")

    def compose(self) -> ComposeResult:
        """The table."""
        yield self._table

    def move(self, by: int) -> bool:
        """Scroll through the evaluations."""
        self._table.move(by)
        return True

    def aside(self, by: int) -> bool:
        """Show columns further right, or left."""
        self._table.shift(by)
        return True
