"""What the parts of the dashboard tell each other."""

from textual.message import Message

from vaemon.view.state import RunView


class ViewChanged(Message):
    """The poller has a newer view. One that was not handled yet may be skipped."""

    def __init__(self, view: RunView) -> None:
        """Carry the view."""
        super().__init__()
        self.view = view

    def can_replace(self, message: Message) -> bool:
        """A newer view takes the place of an older one."""
        return isinstance(message, ViewChanged)


class StageAsked(Message):
    """A person wants to see another stage; None: the newest."""

    def __init__(self, stage: int | None) -> None:
        """Carry the stage's number."""
        super().__init__()
        self.stage = stage
