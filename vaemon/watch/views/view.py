"""What every view has in common."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import ClassVar

from textual.widget import Widget

from vaemon.watch.widgets.bare import Bare
from vaemon.watch.widgets.data import Numbers, PanelData
from vaemon.watch.widgets.gestures import TimeMouse
from vaemon.watch.widgets.lines import Panel
from vaemon.watch.widgets.pen import Pen
from vaemon.watch.widgets.picture import Picture
from vaemon.watch.widgets.time import span_of


class View(Bare):
    """A body of the screen: panels that are given the same picture."""

    DEFAULT_CSS = """
    View { height: 1fr; display: none; }
    View.-seen { display: block; }
    View.-solo .-pane, View.-solo .-axis { display: none; }
    View.-solo .-pane.-shown { display: block; width: 1fr; height: 1fr; margin-right: 0; }
    """
    first: ClassVar[str] = ""
    """Selector of the panel that the keys go to at first."""
    asks_latent: ClassVar[bool] = False
    """Whether the chosen latent must be asked for closely."""
    asks_images: ClassVar[bool] = False
    """Whether the sets of images must be listed."""
    lists: ClassVar[str] = ""
    """What its list lists ("latents", "events", "runs"), to be filtered; "" where there is none."""

    def __init__(self, pen: Pen) -> None:
        """Draw with `pen`."""
        super().__init__()
        self.pen = pen

    def show(self, picture: Picture) -> None:
        """Draw what is not up to date."""
        # A query knows a class by one line of its ancestors only.
        for panel in self.walk_children(Widget):
            if isinstance(panel, Panel):
                panel.show(picture)

    @property
    def cells(self) -> int:
        """Width of the time axis; 0 where there is none."""
        axes = [each for each in self.walk_children(Widget) if isinstance(each, TimeMouse)]
        return max((each.time_cells[1] for each in axes if each.display and each.size.area), default=0)

    def move(self, by: int) -> bool:
        """Move in the list that the keys go to; False where that is no list of this view."""
        return False

    def aside(self, by: int) -> bool:
        """Move aside in a panel that has no time axis; False where it has one."""
        return False

    def open(self) -> bool:
        """Go into what is chosen in this view; False where there is nothing to go into."""
        return False

    @property
    def gathers(self) -> bool:
        """Whether what is chosen in this view is several latents at once."""
        return False

    def turn(self) -> None:
        """Show the next of its parts, where it has several; its own key does that."""
        return

    def as_text(self) -> AbstractContextManager[None]:
        """While this lasts, there is nothing that only a terminal can show."""
        return nullcontext()

    def panel(self) -> Widget:
        """The panel that the keys go to, else the first, else all of the view."""
        panes: list[Widget] = [each for each in self.walk_children(Widget) if isinstance(each, Numbers)]
        focused = [each for each in panes if each.has_focus]
        return (focused or panes or [self])[0]

    def data(self) -> PanelData:
        """What the numbers behind that panel are."""
        panel = self.panel()
        return panel.data() if isinstance(panel, Numbers) else PanelData("screen")

    @property
    def solo(self) -> Widget | None:
        """The panel that has been enlarged."""
        return next(iter(self.query(".-shown")), None) if self.has_class("-solo") else None

    def enlarge(self, panel: Widget | None) -> None:
        """Give one panel all of the room; None: take it back."""
        self.query(".-pane").remove_class("-shown")
        self.set_class(panel is not None, "-solo")
        for each in self.query(".-pane"):
            each.set_class(each is panel, "-shown")


def shared(picture: Picture, axis: TimeMouse) -> Picture:
    """The picture with the time axis of one widget, for all."""
    cells = axis.time_cells[1] if axis.display else 0
    return replace(picture, span=span_of(picture, cells)) if cells else picture
