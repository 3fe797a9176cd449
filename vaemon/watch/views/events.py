"""All events of the run, one of them chosen; enter leads to the moment it happened."""

from textual.app import ComposeResult

from vaemon.watch.views.view import View
from vaemon.watch.widgets.events import Events
from vaemon.watch.widgets.pen import Pen


class EventsView(View):
    """The list, as high as the screen."""

    DEFAULT_CSS = """
    EventsView Events { height: 1fr; }
    """
    first = "Events"
    lists = "events"

    def __init__(self, pen: Pen) -> None:
        """Draw with `pen`."""
        super().__init__(pen)
        self._events = Events(pen, classes="-pane", chooses=True)

    def compose(self) -> ComposeResult:
        """One list."""
        yield self._events

    def move(self, by: int) -> bool:
        """Choose another event."""
        self._events.move(by)
        return True
