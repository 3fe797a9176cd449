"""The line in which a person types what a list is to be narrowed to."""

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Label

from vaemon.view.filters import LATENT_WORDS

HINTS = {
    "latents": LATENT_WORDS,
    "events": "words of the event",
    "runs": "words of the run: its name, its state",
}


class FilterLine(Horizontal):
    """Seen while it is typed into."""

    DEFAULT_CSS = """
    FilterLine { height: 1; display: none; }
    FilterLine.-open { display: block; }
    FilterLine Input { width: 1fr; border: none; height: 1; padding: 0; }
    FilterLine Input:focus { border: none; }
    FilterLine Label { color: $warning; }
    """

    class Typed(Message):
        """The text has changed."""

        def __init__(self, lists: str, text: str) -> None:
            """Carry the name of the list, and the text."""
            super().__init__()
            self.lists = lists
            self.text = text

    class Left(Message):
        """The person is done."""

    _lists = ""

    def compose(self) -> ComposeResult:
        """A slash, the text, a complaint."""
        yield Label(" /", id="slash")
        yield Input(id="text", compact=True, select_on_focus=False)
        yield Label("", id="complaint", markup=False)

    def begin(self, lists: str, text: str) -> None:
        """Let a person type."""
        if not lists:
            return
        self._lists = lists
        line = self.query_one(Input)
        line.placeholder = HINTS.get(lists, "")
        with line.prevent(Input.Changed):
            line.value = text
        line.cursor_position = len(text)
        self.add_class("-open")
        line.focus()

    def complain(self, words: str) -> None:
        """Say what is not understood."""
        self.query_one("#complaint", Label).update(words)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Tell the screen."""
        event.stop()
        self.post_message(self.Typed(self._lists, event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep the text, and go back to the list."""
        event.stop()
        self._leave()

    def on_key(self, event: events.Key) -> None:
        """Esc shows the whole list again."""
        if event.key == "escape":
            event.stop()
            event.prevent_default()
            self.query_one(Input).value = ""
            self._leave()

    def _leave(self) -> None:
        self.remove_class("-open")
        self.post_message(self.Left())
