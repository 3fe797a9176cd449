"""What is to be written of what is seen: a picture of the panel or of the screen, or the numbers behind the panel."""

from dataclasses import replace
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import ModalScreen, Screen
from textual.widget import Widget
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from vaemon.watch.export.frame import Frame, frame_of
from vaemon.watch.messages import WriteAsked
from vaemon.watch.names import VIEW_NAMES
from vaemon.watch.views.view import View
from vaemon.watch.widgets.data import PanelData
from vaemon.watch.widgets.pen import Pen

CHOICES = {
    "s": ("svg", False, "SVG of the panel"),
    "p": ("png", False, "PNG of the panel"),
    "c": ("csv", False, "CSV: every recorded row behind the panel"),
    "S": ("svg", True, "SVG of the whole screen"),
    "P": ("png", True, "PNG of the whole screen"),
}
"""By key: the kind of file, whether it shows the whole screen, and what it is in words."""


class WriteScreen(ModalScreen[str]):
    """A short list over the run; answers with the key of the choice, or "" for none."""

    DEFAULT_CSS = """
    WriteScreen { align: center middle; background: $background 60%; }
    WriteScreen OptionList, WriteScreen OptionList:focus {
        width: 50; max-width: 100%; height: auto; max-height: 100%;
        border: round $accent; border-title-color: $accent; background: $background;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape", "choose('')", "back"),
        ("w", "choose('')", "back"),
        *((key, f"choose('{key}')", what) for key, (_, _, what) in CHOICES.items()),
        ("j", "down", "down"),
        ("k", "up", "up"),
    ]

    def __init__(self, panel: str) -> None:
        """Ask what is to be written of the panel of this name."""
        super().__init__()
        self._panel = panel

    def compose(self) -> ComposeResult:
        """The list."""
        choices = [Option(f" {key}  {what}", id=key) for key, (_, _, what) in CHOICES.items()]
        listed = OptionList(*choices, markup=False)
        listed.border_title = f"write {self._panel}"
        yield listed

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Take the choice."""
        self.dismiss(event.option.id or "")

    def action_choose(self, key: str) -> None:
        """Take the choice of that key."""
        self.dismiss(key)

    def action_down(self) -> None:
        """Go down the list."""
        self.query_one(OptionList).action_cursor_down()

    def action_up(self) -> None:
        """Go up the list."""
        self.query_one(OptionList).action_cursor_up()


class Writing(Screen[None]):
    """A screen of which what is seen can be written."""

    pen: Pen
    number: int
    """Which of the views is seen."""

    @property
    def view(self) -> View:
        """That view."""
        raise NotImplementedError

    def action_write(self) -> None:
        """Ask what is to be written, and have it written."""
        data = self.view.data()
        self.app.push_screen(WriteScreen(data.name), lambda key: self._write(key or "", data))

    def _write(self, key: str, data: PanelData) -> None:
        if key:
            suffix, whole, _ = CHOICES[key]
            panel = None if whole else self.view.panel()
            picture = None if suffix == "csv" else self._frame(panel)
            named = replace(data, name=VIEW_NAMES[self.number].replace(" ", "-")) if whole else data
            self.post_message(WriteAsked(suffix, named, picture))

    def _frame(self, panel: Widget | None) -> Frame:
        """One panel as cells; None: the whole screen."""
        with self.view.as_text():
            strips = self._compositor.render_strips()
        whole = frame_of(strips, ground=self.pen.palette["ground"])
        return whole if panel is None else whole.part(*panel.region)
