"""What the mouse asks for on a picture with a time axis, and the messages by which widgets tell the screen."""

from textual import events
from textual.message import Message
from textual.widget import Widget


class ChosenLatent(Message):
    """A person has chosen a latent."""

    def __init__(self, latent: int) -> None:
        """Carry its index."""
        super().__init__()
        self.latent = latent


class Zoomed(Message):
    """The wheel was turned over a time axis."""

    def __init__(self, closer: bool, share: float) -> None:
        """Carry the way, and where along the axis, 0 to 1, the pointer was."""
        super().__init__()
        self.closer = closer
        self.share = share


class Panned(Message):
    """A time axis was dragged along."""

    def __init__(self, share: float) -> None:
        """Carry how far, in widths of the axis; more than 0 towards earlier rows."""
        super().__init__()
        self.share = share


class RunAsked(Message):
    """A person wants to see another of the runs that are watched."""

    def __init__(self, name: str = "", by: int = 0) -> None:
        """Carry its name, or how many places after the present one it is."""
        super().__init__()
        self.name = name
        self.by = by


class RunOpened(Message):
    """A person wants to see a run of the list, which may not be watched yet."""

    def __init__(self, name: str, address: str) -> None:
        """Carry its name, and what reaches it."""
        super().__init__()
        self.name = name
        self.address = address


class TimeMouse(Widget):
    """A widget with a time axis: the wheel zooms at the pointer, or scrolls where there is a list; dragging pans."""

    _dragged_at: int | None = None
    dragged = False
    """Whether the mouse was moved along since its button went down: then its going up is no click."""

    @property
    def time_cells(self) -> tuple[int, int]:
        """The cell in which the time axis begins, and its width."""
        raise NotImplementedError(type(self).__name__)

    def wheel(self, by: int) -> bool:
        """Scroll a list by so many notches down; False where there is none to scroll."""
        return False

    def _share(self, event: events.MouseEvent) -> float:
        left, cells = self.time_cells
        x = event.screen_x - self.region.x - left
        return min(max(x / max(cells, 1), 0.0), 1.0)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll down, or go further off."""
        event.stop()
        if not self.wheel(1):
            self.post_message(Zoomed(closer=False, share=self._share(event)))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll up, or come closer."""
        event.stop()
        if not self.wheel(-1):
            self.post_message(Zoomed(closer=True, share=self._share(event)))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Begin to drag."""
        self._dragged_at, self.dragged = int(event.screen_x), False
        self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Drag the axis along, a cell at a time."""
        cells = self.time_cells[1]
        if self._dragged_at is not None and (moved := int(event.screen_x) - self._dragged_at) and cells:
            self._dragged_at, self.dragged = int(event.screen_x), True
            self.post_message(Panned(moved / cells))

    def on_mouse_up(self) -> None:
        """End to drag."""
        self._dragged_at = None
        self.release_mouse()


class ListMouse(Widget):
    """A widget that is a list: the wheel goes through it."""

    def move(self, by: int) -> None:
        """Go so many lines further down."""
        raise NotImplementedError(type(self).__name__)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Go down."""
        event.stop()
        self.move(1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Go up."""
        event.stop()
        self.move(-1)
