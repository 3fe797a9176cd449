"""The least that a Textual app can be: a line at the top and a footer. Nothing made with Textual paints sooner."""

from textual.app import App, ComposeResult
from textual.widgets import Footer, Static


class Floor(App[None]):
    """Shows its name."""

    BINDINGS = [("q", "quit", "quit")]  # noqa: RUF012

    def compose(self) -> ComposeResult:
        """Header and footer."""
        yield Static("the floor")
        yield Footer()


if __name__ == "__main__":
    Floor().run()
