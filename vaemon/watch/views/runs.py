"""All runs there are, one of them chosen; enter shows it."""

from textual.app import ComposeResult

from vaemon.watch.views.view import View
from vaemon.watch.widgets.pen import Pen
from vaemon.watch.widgets.runlist import RunList


class RunsView(View):
    """The list, as high as the screen."""

    DEFAULT_CSS = """
    RunsView RunList { height: 1fr; }
    """
    first = "RunList"
    lists = "runs"

    def __init__(self, pen: Pen) -> None:
        """Draw with `pen`."""
        super().__init__(pen)
        self._list = RunList(pen, classes="-pane")

    def compose(self) -> ComposeResult:
        """One list."""
        yield self._list

    def move(self, by: int) -> bool:
        """Choose another run."""
        self._list.move(by)
        return True

    def open(self) -> bool:
        """Show the chosen run."""
        return self._list.open()
