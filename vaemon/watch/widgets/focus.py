"""Focus that costs no more than the mark that shows it."""

from textual import events
from textual.widget import Widget


class QuietFocus(Widget):
    """A widget that shows by itself whether keys go to it, and so need not be painted anew as a whole."""

    def on_focus(self, event: events.Focus) -> None:
        """Have the focus."""
        event.prevent_default()
        self.has_focus = True
        if self.parent is not None:
            self.parent.post_message(events.DescendantFocus(self))

    def on_blur(self, event: events.Blur) -> None:
        """Have it no more."""
        event.prevent_default()
        self.has_focus = False
        if self.parent is not None:
            self.parent.post_message(events.DescendantBlur(self))
